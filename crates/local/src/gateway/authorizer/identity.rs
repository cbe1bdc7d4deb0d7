//! The identity sources of an authorizer: without them it is not even called.

use serde_json::Value;

use super::super::exchange::Exchange;
use super::super::route::Matched;
use super::super::{rest_event, websocket};
use crate::api::{Api, ApiKind, Authorizer, IdentitySource};

/// The values of the identity sources, in order; `None` if one is missing or empty, or the token does not look as it
/// must: then the answer is 401 and the authorizer is not called.
pub(super) fn sources(
    api: &Api,
    exchange: &Exchange,
    matched: &Matched<'_>,
    authorizer: &Authorizer,
) -> Option<Vec<String>> {
    let values: Option<Vec<String>> = authorizer
        .identity
        .iter()
        .map(|source| value(api, exchange, matched, source).filter(|value| !value.is_empty()))
        .collect();
    let values = values?;
    match &authorizer.validation {
        Some(expression) => values.first().is_some_and(|token| expression.is_match(token)).then_some(values),
        None => Some(values),
    }
}

fn value(api: &Api, exchange: &Exchange, matched: &Matched<'_>, source: &IdentitySource) -> Option<String> {
    match source {
        IdentitySource::Header(name) => {
            let values = exchange.header(name);
            (!values.is_empty()).then(|| values.join(","))
        }
        IdentitySource::Query(name) => exchange.query_value(name).map(str::to_owned),
        IdentitySource::StageVariable(name) => api.stage_variables.get(name).cloned(),
        IdentitySource::Context(name) => {
            let context = match api.kind {
                ApiKind::WebSocket => websocket::request_context(api, exchange),
                ApiKind::Rest | ApiKind::Http => rest_event::request_context(api, exchange, matched),
            };
            let found = name.split('.').try_fold(&context, |value, part| value.get(part))?;
            match found {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            }
        }
    }
}
