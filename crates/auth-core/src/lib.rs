//! What every Latchkey function shares.
//!
//! # Layout
//!
//! Dependencies point down only. Nothing above [`store`] in this list knows that there is a table.
//!
//! | module | what it holds |
//! |---|---|
//! | [`clock`], [`random`] | time and randomness as arguments |
//! | [`config`] | the environment, parsed once |
//! | [`token`] | access and refresh tokens |
//! | [`session`] | sessions, and what a presented refresh token is answered with |
//! | [`password`], [`address`], [`limits`] | passwords, addresses, which attempts count together |
//! | [`user`], [`client`] | who somebody is, who is calling |
//! | [`store`] | the table |
//! | [`grant`] | a user and a session become tokens |
//! | [`audit`], [`telemetry`] | audit lines and logs |
//! | [`http`] | requests, answers, errors, cookies, CORS |
//! | [`function`] | what a function's `main` does |

pub mod address;
pub mod audit;
pub mod client;
pub mod clock;
pub mod config;
pub mod function;
pub mod grant;
pub mod http;
pub mod limits;
pub mod password;
pub mod random;
pub mod session;
pub mod store;
pub mod telemetry;
pub mod token;
pub mod user;

pub use function::Platform;
