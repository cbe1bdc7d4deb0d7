//! The API over HTTP: the real functions behind the local gateway, with a real DynamoDB engine.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails may panic; clippy's own exemption does not cover functions that tests share"
)]

mod agreement;
mod authorizer;
mod bootstraps;
mod budget;
mod cookies;
mod cors;
mod fault_matrix;
mod faults;
mod formats;
mod gateways;
mod keys;
mod limits;
mod login;
mod logout;
mod me;
mod policies;
mod refresh;
mod refresh_faults;
mod renewal;
mod requests;
mod scenarios;
mod sessions;
mod signup;
mod soak;
mod support;
