//! Everything that only a browser has, behind functions that both builds know. On the server they do nothing:
//! effects and event handlers, the only callers, never run there.

#[cfg(feature = "hydrate")]
mod live;
#[cfg(feature = "hydrate")]
pub use live::*;

#[cfg(not(feature = "hydrate"))]
mod absent;
#[cfg(not(feature = "hydrate"))]
pub use absent::*;
