//! An API of your own behind Latchkey's authorizer. `template.yaml` deploys it as a REST API, an HTTP API and a WebSocket API.
//!
//! # Layout
//! - [`orders`]: `GET /orders`, behind the REST API and the HTTP API
//! - [`connect`]: `$connect` of the WebSocket API

pub mod connect;
pub mod orders;
