//! What every Latchkey function shares.
//!
//! # Layout
//!
//! A module knows those above it in this list, and none below. What stands above [`store`] is pure: it knows neither that
//! there is a table nor that there is an environment.
//!
//! | module | what it holds |
//! |---|---|
//! | [`clock`], [`random`], [`secret`], [`digest`] | time and randomness as arguments; secrets that do not show; digests |
//! | [`characters`] | which characters deceive |
//! | [`user`], [`client`], [`forwarding`], [`address`] | who somebody is, who is calling, for whom a proxy calls, where mail goes |
//! | [`session`] | sessions, and what a presented refresh token is answered with |
//! | [`token`] | access and refresh tokens |
//! | [`selection`] | which of several sessions a request is about |
//! | [`password`], [`limits`] | passwords; which attempts count together |
//! | [`credential`] | what an address signs in with, and whether its session may be answered |
//! | [`grant`] | a user and a session become tokens |
//! | [`config`] | the environment, parsed once |
//! | [`store`] | the table |
//! | [`audit`], [`telemetry`] | audit lines and logs |
//! | [`platform`] | time, randomness and the audit log, as one argument |
//! | [`limiter`] | a request is counted, or refused with 429 |
//! | [`attempt`] | an attempt to show a password, and what it counts for |
//! | [`session_limit`], [`beginning`] | a session begins, and others end beyond the limit |
//! | [`sweep`], [`ending`] | many sessions of a user end |
//! | [`redeem`] | a refresh token becomes the next one |
//! | [`http`] | requests, answers, errors, cookies, CORS |
//! | [`function`] | what a function's `main` does |

pub mod address;
pub mod attempt;
pub mod audit;
pub mod beginning;
pub mod characters;
pub mod client;
pub mod clock;
pub mod config;
pub mod credential;
pub mod digest;
pub mod ending;
pub mod forwarding;
pub mod function;
pub mod grant;
pub mod http;
pub mod limiter;
pub mod limits;
pub mod password;
pub mod platform;
pub mod random;
pub mod redeem;
pub mod secret;
pub mod selection;
pub mod session;
pub mod session_limit;
pub mod store;
pub mod sweep;
pub mod telemetry;
pub mod token;
pub mod user;

pub use platform::Platform;
