//! What is checked for an input of each fuzz target: that nothing panics, and what must hold whatever the input is.
//!
//! `cargo test` runs the same checks over the seeds and the regressions (`crates/local/tests/fuzzed.rs`).

pub mod authorizer;
pub mod claims;
pub mod configuration;
pub mod http;
pub mod identity;
#[cfg(fuzzing)]
pub mod item;
pub mod keys;
pub mod refresh;
pub mod token;
