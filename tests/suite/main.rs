//! The integration suite: the real router, the real store, the real tools over real sockets; only the model plays
//! from a script. A test waits for what it wants to see, never for time.

// Outside test functions clippy takes these for product code.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

mod access_actors;
mod access_cli;
mod access_routes;
mod access_sharing;
mod access_sign_in;
mod approvals;
mod architecture;
mod attachments;
mod base_path;
mod canary;
mod commands;
mod conformance;
mod containerfile;
mod docs_commands;
mod docs_defaults;
mod docs_examples;
mod docs_frames;
mod docs_pages;
mod docs_reference;
mod docs_security;
mod docs_tests_named;
mod docs_tutorial;
mod faults;
#[cfg(target_os = "linux")]
mod faults_network;
mod files;
mod foreign_ids;
mod guards;
mod guards_transport;
mod idle;
mod kill_every_frame;
mod leptos_toml;
mod limits;
mod log_commands;
mod log_retention;
mod logs;
mod loom_file;
mod loom_side_by_side;
mod mcp;
mod mcp_live;
mod messages;
mod metrics;
mod models;
mod obedient_model;
mod openapi;
mod own_files;
mod page_words;
mod pages;
mod panics;
mod portable;
mod questions;
mod queue;
mod random_scripts;
mod reading;
mod reload;
mod request_id;
mod restart;
mod restart_cli;
mod sandbox;
mod sandbox_git;
mod sandbox_life;
mod sandbox_tools;
mod schedules;
mod secrets;
mod sessions;
mod sessions_delete;
mod sessions_fork;
mod small_window;
mod steering;
mod stream;
#[cfg(target_os = "linux")]
mod stream_crowd;
mod stream_input;
mod stream_joins;
#[cfg(target_os = "linux")]
mod stream_vanished;
mod stream_view;
mod supply;
mod turn_control;
mod turns;
mod turns_failure;
mod uploads;
mod uploads_fault;
mod uploads_form;
mod uploads_tus;
mod web_fetch;
mod wires;
