//! Cowork: a browser home for working with a tool-using agent on a shared folder.
//!
//! # Layout
//! - [`protocol`]: the vocabulary that everything shares.
//! - [`ui`]: the page; both builds.
//! - [`agent`]: the domain behind one door; [`models`], [`tools`] and [`store`] implement its ports.
//! - [`metrics`]: what monitoring reads.
//! - [`redaction`]: what neither the log nor anybody else is told.
//! - [`workspace`]: the only way to the files of people; [`sandbox`]: the only way to run programs; [`documents`]: text
//!   out of PDF and Office files.
//! - [`access`]: who is asking; [`web`]: HTTP and the live stream; [`state`] is what its handlers reach.
//!
//! ARCHITECTURE.md tells how the parts move.

#![recursion_limit = "256"]

#[cfg(all(feature = "ssr", feature = "hydrate"))]
compile_error!("the features `ssr` (server) and `hydrate` (page) are two builds; choose one");

pub mod protocol;
pub mod ui;

#[cfg(feature = "ssr")]
pub mod access;
#[cfg(feature = "ssr")]
pub mod agent;
#[cfg(feature = "ssr")]
pub mod cards;
#[cfg(feature = "ssr")]
pub mod config;
#[cfg(feature = "ssr")]
pub mod documents;
#[cfg(feature = "ssr")]
pub mod log_commands;
#[cfg(feature = "ssr")]
pub mod markdown;
#[cfg(feature = "ssr")]
pub mod metrics;
#[cfg(feature = "ssr")]
pub mod models;
#[cfg(feature = "ssr")]
pub mod redaction;
#[cfg(feature = "ssr")]
pub mod sandbox;
#[cfg(feature = "ssr")]
pub mod state;
#[cfg(feature = "ssr")]
pub mod store;
#[cfg(feature = "ssr")]
pub mod telemetry;
#[cfg(feature = "ssr")]
pub mod tools;
#[cfg(feature = "otel")]
mod traces;
#[cfg(all(feature = "ssr", not(feature = "otel")))]
#[path = "no_traces.rs"]
mod traces;
#[cfg(feature = "ssr")]
pub mod web;
#[cfg(feature = "ssr")]
pub mod workspace;

/// Where the browser starts: the page that the server rendered comes to life.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(ui::App);
}
