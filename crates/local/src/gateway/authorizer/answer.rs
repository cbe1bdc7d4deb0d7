//! What an authorizer answers, as API Gateway reads it.

use serde_json::{Map, Value};

use super::policy::Policy;
use crate::api::AuthorizerPayload;

/// An answer that is well formed.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) principal_id: String,
    pub(super) decision: Decision,
    pub(super) context: Map<String, Value>,
}

/// How the answer puts it.
#[derive(Clone, Debug)]
pub(super) enum Decision {
    Policy(Policy),
    Simple(bool),
}

impl Answer {
    /// Reads what the function said.
    ///
    /// # Errors
    /// Why API Gateway would not understand it.
    pub(super) fn read(said: &Value, payload: AuthorizerPayload) -> Result<Self, String> {
        let simple = payload == AuthorizerPayload::Http2Simple;
        let rest = matches!(
            payload,
            AuthorizerPayload::RestToken | AuthorizerPayload::RestRequest | AuthorizerPayload::WebSocket
        );
        let context = context(said.get("context"), rest)?;
        if simple {
            let allowed = said.get("isAuthorized").and_then(Value::as_bool);
            let allowed = allowed.ok_or("the answer has no isAuthorized")?;
            return Ok(Self { principal_id: String::new(), decision: Decision::Simple(allowed), context });
        }
        let principal_id = said.get("principalId").and_then(Value::as_str).unwrap_or_default().to_owned();
        if principal_id.is_empty() && rest {
            return Err("the answer has no principalId".to_owned());
        }
        let policy = Policy::read(said.get("policyDocument").ok_or("the answer has no policyDocument")?)?;
        Ok(Self { principal_id, decision: Decision::Policy(policy), context })
    }
}

/// On a REST or WebSocket API no value may be an object or a list ("Output from an API Gateway Lambda authorizer"); an HTTP API takes
/// any JSON.
fn context(said: Option<&Value>, rest: bool) -> Result<Map<String, Value>, String> {
    let context = match said {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(context)) => context,
        Some(_) => return Err("the context is not a map".to_owned()),
    };
    let flat = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    match context.iter().find(|(_, value)| rest && !flat(value)) {
        Some((name, _)) => Err(format!("the context value {name} is not a string, a number or a boolean")),
        None => Ok(context.clone()),
    }
}
