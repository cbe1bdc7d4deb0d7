//! Whom Latchkey's authorizer let through: the context that it hands on.

use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt as _};
use serde::Deserialize;
use serde_json::Value;

/// The caller. All that is here has been checked: the function needs no key and reads no token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// The user: `sub` of the token.
    pub user_id: String,
    /// The session: `sid` of the token.
    pub session_id: String,
    /// The user's address.
    pub email: String,
    /// The user's display name, if there is one.
    pub name: Option<String>,
}

impl Principal {
    /// The caller of a REST API (`requestContext.authorizer`) or of an HTTP API with payload 2.0
    /// (`requestContext.authorizer.lambda`). `None` if the route has no authorizer.
    pub fn of(request: &Request) -> Option<Self> {
        let fields = match request.request_context_ref()? {
            RequestContext::ApiGatewayV1(context) => &context.authorizer.fields,
            RequestContext::ApiGatewayV2(context) => &context.authorizer.as_ref()?.fields,
            _ => return None,
        };
        let context = fields.iter().map(|(name, value)| (name.clone(), value.clone()));
        serde_json::from_value(Value::Object(context.collect())).ok()
    }
}
