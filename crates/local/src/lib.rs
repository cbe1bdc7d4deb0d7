//! Latchkey on one machine, in one process, without a cloud: what `make run` starts, and what tests run against.
//!
//! The routes, the authorizers, the settings and the table are those of `template.yaml`. Each HTTP request becomes the
//! event that API Gateway would send, passes the authorizer by API Gateway's rules, goes through the function's own
//! deserialiser and service, and comes back as HTTP. None of it is in a deployed function.
//!
//! # Layout
//! | module | what it does |
//! |---|---|
//! | [`template`] | evaluates the SAM template |
//! | [`api`] | an API as the template describes it |
//! | [`gateway`] | plays API Gateway |
//! | [`invoke`], [`functions`] | calls functions as Lambda does; which functions there are |
//! | [`engine`], [`tables`], [`secrets`] | the table, in an embedded engine; what Secrets Manager would hold |
//! | [`server`], `pages` | HTTP in front of the gateway; the files of a demo beside it |
//! | [`stack`], [`options`], `environment` | all of it together; how it is to be; what functions find in their environment |
//! | [`neighbour`] | the APIs of another stack that imports the authorizer |
//! | [`public_suffix`] | wildcard origins that would allow anybody's pages |
//! | [`cli`], [`banner`], [`outputs`], `description` | the command line, what is said at the start, what the SAM CLI has to know, the OpenAPI document |
//!
//! ```no_run
//! # async fn example() -> Result<(), local::stack::StartError> {
//! use local::stack::{Options, Stack};
//!
//! let stack = Stack::start(Options::for_testing().with("ACCESS_TOKEN_EXPIRY", "5s")).await?;
//! println!("{}/auth/login", stack.url());
//! # Ok(())
//! # }
//! ```

pub mod api;
pub mod banner;
pub mod cli;
mod description;
pub mod engine;
mod environment;
pub mod functions;
pub mod gateway;
pub mod invoke;
pub mod neighbour;
pub mod options;
pub mod outputs;
mod pages;
pub mod public_suffix;
pub mod secrets;
pub mod server;
pub mod stack;
pub mod tables;
pub mod template;
