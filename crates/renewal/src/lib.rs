//! For a Lambda function behind Latchkey's authorizer: who is calling, and what to hand back.
//!
//! An authorizer cannot set a header of the answer. It puts the tokens that it has renewed into the request's context
//! instead, and [`RenewalLayer`] turns them into headers of whatever the function answers:
//!
//! | context | header |
//! |---|---|
//! | `newAccessToken` | `X-New-Token` and `X-New-Access-Token`, the same value |
//! | `newRefreshToken` | `X-New-Refresh-Token` |
//! | `newRefreshCookie` | `Set-Cookie` |
//!
//! Such an answer is `no-store`, and lets the scripts that may read it read these headers too. Any other answer stays as it
//! is. [`Principal`] is whom the authorizer let through. Both read REST API events and HTTP API events of payload 1.0 and 2.0.
//!
//! ```
//! use http::Response;
//! use lambda_http::{Error, Request};
//! use renewal::{Principal, RenewalLayer};
//! use tower::{Layer, service_fn};
//!
//! async fn greet(request: Request) -> Result<Response<String>, Error> {
//!     let principal = Principal::of(&request)?;
//!     Ok(Response::new(format!("Hello, {}", principal.email)))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let function = RenewalLayer.layer(service_fn(greet));
//! # let run = lambda_http::run(function);
//! # drop(run); // there is no Lambda runtime to run on here
//! // lambda_http::run(function).await
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! - `context`: what the authorizer said
//! - `principal`: whom it let through
//! - `layer`: what it renewed, as headers of the answer

mod context;
mod layer;
mod principal;

pub use self::layer::{Renewal, RenewalLayer, SessionEnded};
pub use self::principal::{NoPrincipal, Principal};
