//! The API over HTTP: the real functions behind the local gateway, with a real DynamoDB engine.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails may panic; clippy's own exemption does not cover functions that tests share"
)]

mod addresses;
mod agreement;
mod authorizer;
mod bootstraps;
mod budget;
mod capacity;
mod change_password;
mod change_password_races;
mod cookie_faults;
mod cookie_prefix;
mod cookie_selection;
mod cookies;
mod cors;
mod example;
mod fault_matrix;
mod faults;
mod formats;
mod forwarded;
mod gateways;
mod growth;
mod histories;
mod hostile;
mod jwt_authorizer;
mod keys;
mod limits;
mod logged;
mod login;
mod login_faults;
mod login_races;
mod logout;
mod me;
mod network_limits;
mod openapi;
mod policies;
mod public_base_path;
mod reach;
mod refresh;
mod refresh_faults;
mod renewal;
mod requests;
mod restore;
mod retries;
mod revoke_all_faults;
mod scenarios;
mod session_limit;
mod sessions;
mod signup;
mod soak;
mod support;
mod threat_model;
mod upgrade;
