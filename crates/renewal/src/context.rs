//! What the authorizer said about a request: strings by name.

use std::collections::HashMap;

use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use serde_json::Value;

/// The authorizer's context: `requestContext.authorizer` of a REST API and of payload 1.0, `requestContext.authorizer.lambda` of
/// payload 2.0 ("Working with AWS Lambda authorizers for HTTP APIs").
#[derive(Clone, Copy)]
pub(crate) struct AuthorizerContext<'a>(&'a HashMap<String, Value>);

impl<'a> AuthorizerContext<'a> {
    /// `None` if the event has no authorizer's context.
    pub(crate) fn of(request: &'a Request) -> Option<Self> {
        match request.request_context_ref()? {
            RequestContext::ApiGatewayV1(context) => Some(Self(&context.authorizer.fields)),
            RequestContext::ApiGatewayV2(context) => {
                context.authorizer.as_ref().map(|authorizer| Self(&authorizer.fields))
            }
            _ => None,
        }
    }

    /// A value that is there and not empty.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Value::as_str).filter(|value| !value.is_empty())
    }
}
