//! Whether a request may pass: the rules of API Gateway around a Lambda authorizer.
//!
//! # Layout
//! - this file: the steps, from identity sources to the verdict
//! - `identity`: what the request must carry
//! - `answer`: what the function may say
//! - `policy`: what an IAM policy allows
//! - `kept`: answers that are used again

mod answer;
mod identity;
mod kept;
mod policy;

use serde_json::{Map, Value};

use super::exchange::Exchange;
use super::refusal::Refusal;
use super::route::Matched;
use super::{Gateway, http_event, rest_event, websocket};
use crate::api::{Authorizer, AuthorizerPayload};
use crate::invoke::TIMED_OUT;
use answer::{Answer, Decision};
pub(super) use kept::Kept;

/// The caller, as an authorizer named it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Principal {
    /// `principalId`; an HTTP API does not hand it on.
    pub(super) id: String,
    /// What the authorizer says about the caller.
    pub(super) context: Map<String, Value>,
    /// How long the authorizer took; zero for an answer that was kept.
    pub(super) latency_ms: u64,
}

/// Lets the request pass, or says why not.
///
/// Sources: "Use API Gateway Lambda authorizers", "Output from an API Gateway Lambda authorizer", and "Control access to
/// HTTP APIs with AWS Lambda authorizers" in the API Gateway Developer Guide.
pub(super) async fn authorize(
    gateway: &Gateway,
    exchange: &Exchange,
    matched: &Matched<'_>,
    name: &str,
) -> Result<Principal, Refusal> {
    let authorizer = gateway.api.authorizers.get(name).ok_or(Refusal::AuthorizerConfiguration)?;
    let sources =
        identity::sources(&gateway.api, exchange, matched, authorizer).ok_or(Refusal::Unauthorized)?;
    let now = exchange.epoch_ms / 1000;
    let kept = gateway.kept.find(name, &sources, now);
    let was_kept = kept.is_some();
    let started = gateway.source.epoch_ms.clone();
    let answer = match kept {
        Some(answer) => answer,
        None => ask(gateway, exchange, matched, authorizer, &sources).await?,
    };
    if !was_kept {
        gateway.kept.keep(name, &sources, now, authorizer.ttl, &answer);
    }
    // A kept policy is judged anew: it may allow this method and not the next one.
    judge(&answer, &arn(gateway, exchange, authorizer))?;
    let latency_ms = if was_kept { 0 } else { started().saturating_sub(exchange.epoch_ms) };
    Ok(Principal { id: answer.principal_id, context: answer.context, latency_ms })
}

async fn ask(
    gateway: &Gateway,
    exchange: &Exchange,
    matched: &Matched<'_>,
    authorizer: &Authorizer,
    sources: &[String],
) -> Result<Answer, Refusal> {
    let api = &gateway.api;
    let event = match authorizer.payload {
        AuthorizerPayload::RestToken => {
            let token = sources.first().map(String::as_str).unwrap_or_default();
            rest_event::token_event(&exchange.arn(api), token)
        }
        AuthorizerPayload::RestRequest => {
            rest_event::request_event(api, exchange, matched, &exchange.arn(api))
        }
        AuthorizerPayload::Http1 => http_event::request_event_1_0(api, exchange, matched, sources),
        AuthorizerPayload::Http2Policy | AuthorizerPayload::Http2Simple => {
            http_event::request_event(api, exchange, matched, sources)
        }
        AuthorizerPayload::WebSocket => websocket::request_event(api, exchange),
    };
    let function = gateway.functions.get(&authorizer.function).ok_or(Refusal::AuthorizerConfiguration)?;
    match function.call(&event, &exchange.request_id).await {
        Ok(said) => Answer::read(&said, authorizer.payload).map_err(|why| {
            (gateway.source.complain)(&format!("{}: {why}", authorizer.function));
            Refusal::AuthorizerConfiguration
        }),
        // The one text that API Gateway knows; every other failure is the authorizer's own.
        Err(error) if error.error_message == "Unauthorized" => Err(Refusal::Unauthorized),
        Err(error) => {
            let timed_out = error.error_type == TIMED_OUT;
            (gateway.source.complain)(&format!(
                "{}: {}: {}",
                authorizer.function, error.error_type, error.error_message
            ));
            Err(if timed_out { Refusal::AuthorizerConfiguration } else { Refusal::AuthorizerFailure })
        }
    }
}

fn arn(gateway: &Gateway, exchange: &Exchange, authorizer: &Authorizer) -> String {
    match authorizer.payload {
        AuthorizerPayload::WebSocket => websocket::route_arn(&gateway.api),
        _ => exchange.arn(&gateway.api),
    }
}

fn judge(answer: &Answer, arn: &str) -> Result<(), Refusal> {
    match &answer.decision {
        Decision::Simple(true) => Ok(()),
        Decision::Simple(false) => Err(Refusal::AccessDenied { explicit: true }),
        Decision::Policy(policy) => match policy.verdict(arn) {
            policy::Verdict::Allow => Ok(()),
            policy::Verdict::ExplicitDeny => Err(Refusal::AccessDenied { explicit: true }),
            policy::Verdict::ImplicitDeny => Err(Refusal::AccessDenied { explicit: false }),
        },
    }
}

#[cfg(test)]
mod tests;
