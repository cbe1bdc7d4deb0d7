//! The audit lines about requests that do not pass.

use auth_core::Platform;
use auth_core::audit::{Entry, Event as AuditEvent, Outcome};
use auth_core::clock::Timestamp;
use auth_core::token::access::AccessClaims;

use crate::AuthorizerError;
use crate::event::Event;

/// Records why a request is refused, and gives what its gateway is told.
pub(crate) fn refuse(
    platform: &Platform,
    event: &Event,
    claims: Option<&AccessClaims>,
    reason: &'static str,
    now: Timestamp,
) -> AuthorizerError {
    record(platform, AuditEvent::AccessTokenRefused, event, claims, reason, now);
    AuthorizerError::Unauthorized
}

/// Records what an operator is told when nobody is let through although nobody was refused.
pub(crate) fn complain(platform: &Platform, event: &Event, error: &AuthorizerError) {
    let reason = match error {
        AuthorizerError::Unauthorized => return,
        AuthorizerError::SessionUnknown(cause) => {
            tracing::error!(cause = %cause, "the session could not be checked");
            "table_unavailable"
        }
        AuthorizerError::NoStage => {
            tracing::error!("{error}");
            "no_stage"
        }
    };
    record(platform, AuditEvent::SessionCheckFailed, event, None, reason, platform.clock.now());
}

fn record(
    platform: &Platform,
    what: AuditEvent,
    event: &Event,
    claims: Option<&AccessClaims>,
    reason: &'static str,
    now: Timestamp,
) {
    let entry = Entry::new(what, Outcome::Failure, &event.client(), now).because(reason);
    platform.audit.record(match claims {
        Some(claims) => entry.of(&claims.sub).in_session(&claims.sid),
        None => entry,
    });
}
