//! Events as API Gateway sends them, from bytes; and answers, to bytes.

use std::error::Error;
use std::hint::black_box;

use auth_core::Platform;
use auth_core::audit::AuditLog;
use auth_core::clock::Clock;
use auth_core::function::LambdaFunction;
use auth_core::http::event::GatewayEvent;
use auth_core::random::Random;
use auth_core::token::key::Algorithm;
use authorizer::event::Event;
use lambda_http::Request;
use lambda_runtime::{Context, LambdaEvent};
use tower::Service;

use super::tokens::access_token;
use super::{NOW, Outcome, private_pem, secret};

pub(super) const TOKEN: &str = include_str!("../../../../events/authorizer-token.json");
pub(super) const REQUEST: &str = include_str!("../../../../events/authorizer-request.json");
pub(super) const HTTP_1: &str = include_str!("../../../../events/authorizer-http-1.json");
pub(super) const HTTP_2: &str = include_str!("../../../../events/authorizer-http-2.json");
pub(super) const WEBSOCKET: &str = include_str!("../../../../events/authorizer-websocket.json");
pub(super) const LOGIN_REST: &str = include_str!("../../../../events/login.json");
pub(super) const LOGIN_HTTP: &str = include_str!("../../../../events/login-http.json");
const TOKENS: usize = 10;
const JWKS: &str = include_str!("../../../../events/well-known.json");

/// The whole authorizer with `SESSION_CHECK=off`: the event of a REST API in, its policy out.
pub(super) async fn authorize(algorithm: Algorithm, count: u32) -> Outcome {
    // A few, as what it costs to verify an ECDSA signature depends on the signature.
    let event = |_| Ok(REQUEST.replace("REPLACE_WITH_ACCESS_TOKEN", &access_token(algorithm)?));
    let events: Vec<String> = (0..TOKENS).map(event).collect::<Result<_, Box<dyn Error>>>()?;
    let mut authorizer = authorizer::build(&|name| setting(algorithm, name), platform())
        .map_err(|faults| faults.to_string())?;
    for event in events.iter().cycle().take(count as usize) {
        let event: Event = serde_json::from_str(black_box(event))?;
        let answer = authorizer.call(LambdaEvent::new(event, Context::default())).await?;
        black_box(serde_json::to_vec(&answer)?);
    }
    Ok(())
}

/// An event of the authorizer.
pub(super) fn read_authorizer(event: &str, count: u32) -> Outcome {
    for _ in 0..count {
        black_box(serde_json::from_str::<Event>(black_box(event))?);
    }
    Ok(())
}

/// An event of the other functions, and the request that it becomes.
pub(super) fn read_request(event: &str, count: u32) -> Outcome {
    for _ in 0..count {
        let event: GatewayEvent = serde_json::from_str(black_box(event))?;
        black_box(Request::from(event.into_inner()));
    }
    Ok(())
}

/// A whole HTTP function that does hardly anything of its own.
pub(super) async fn answer_jwks(count: u32) -> Outcome {
    let function = well_known::build(&|name| setting(Algorithm::ES256, name), platform());
    let mut function = LambdaFunction::from(function.map_err(|faults| faults.to_string())?);
    for _ in 0..count {
        let event: GatewayEvent = serde_json::from_str(black_box(JWKS))?;
        let answer = function.call(LambdaEvent::new(event, Context::default())).await?;
        black_box(serde_json::to_vec(&answer)?);
    }
    Ok(())
}

fn setting(algorithm: Algorithm, name: &str) -> Option<String> {
    match name {
        "SESSION_CHECK" => Some("off".to_owned()),
        "JWT_ALGORITHM" => Some(format!("{algorithm:?}")),
        "JWT_SECRET" => Some(secret()),
        "JWT_PRIVATE_KEY" => private_pem(algorithm).map(str::to_owned),
        _ => None,
    }
}

fn platform() -> Platform {
    Platform { clock: Clock::manual(NOW), random: Random::seeded(1), audit: AuditLog::memory() }
}
