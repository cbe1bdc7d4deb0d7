//! The HTTP vocabulary: how a request is read and how an answer looks, for every function alike.
//!
//! # Layout
//!
//! - [`event`], `event_headers`: the event that the gateway sends
//! - [`incoming`]: a request, with its caller, principal and body
//! - [`fields`]: the members of a JSON body
//! - `media_type`: which bodies are read as JSON
//! - [`names`]: the names of a user in a body
//! - [`answer`]: answers in the deployment's format
//! - [`error`]: every error with its status, code, text and headers
//! - [`location`]: the origin and the base path that a client called
//! - [`cookie`]: the cookies
//! - [`presented`]: the refresh token that a request presents
//! - [`origin`]: cross-origin requests
//! - [`function`]: an endpoint becomes a tower service

pub mod answer;
pub mod cookie;
pub mod error;
pub mod event;
mod event_headers;
pub mod fields;
pub mod function;
pub mod incoming;
pub mod location;
mod media_type;
pub mod names;
pub mod origin;
pub mod presented;

pub use self::answer::Answer;
pub use self::error::ApiError;
pub use self::function::{Endpoint, HttpFunction, LONG_DEADLINE};
pub use self::incoming::{Incoming, Principal};
