//! The Lambda authorizer in front of every protected route.
//!
//! A token is checked without a database call; then, with `SESSION_CHECK=on`, its session is read once, strongly
//! consistent, so that a logout takes effect on the very next request.
//!
//! # Layout
//!
//! - [`event`]: what API Gateway asks
//! - [`answer`]: what it is told
//! - this file: the decision between the two

pub mod answer;
pub mod event;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use auth_core::Platform;
use auth_core::audit::{Entry, Event as AuditEvent, Outcome};
use auth_core::clock::Timestamp;
use auth_core::config::{self, AuthorizerConfig, Faults, Lookup, read_verifying_keys};
use auth_core::store::{Store, StoreError, WarmUp};
use auth_core::token::TokenNames;
use auth_core::token::access::{AccessClaims, AccessVerifier};
use lambda_runtime::{Diagnostic, LambdaEvent};
use tower::Service;

use crate::answer::{Answer, Context};
use crate::event::Event;

/// The authorizer, as a tower service. Clones share everything.
#[derive(Clone)]
pub struct Authorizer(Arc<Inner>);

struct Inner {
    verifier: AccessVerifier,
    /// Where sessions are; `None` with `SESSION_CHECK=off`.
    sessions: Option<Store>,
    simple_answers: bool,
    platform: Platform,
}

/// Why a request does not pass.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizerError {
    /// There is no valid token of a live session. A gateway answers 401 to exactly this text.
    #[error("Unauthorized")]
    Unauthorized,
    /// The table gives no answer, so nobody passes: a gateway answers 5xx to any other text. Never 401, on which a client
    /// would sign its user out.
    #[error("the session could not be checked")]
    SessionUnknown(#[source] StoreError),
    /// The event names no API stage.
    #[error("the event has no methodArn or routeArn of an API stage")]
    NoStage,
}

impl From<AuthorizerError> for Diagnostic {
    fn from(error: AuthorizerError) -> Self {
        let error_type = match error {
            AuthorizerError::Unauthorized => "Unauthorized",
            AuthorizerError::SessionUnknown(_) => "SessionUnknown",
            AuthorizerError::NoStage => "NoStage",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

/// Builds the authorizer.
///
/// # Errors
///
/// Every fault of the environment.
pub fn build(lookup: &Lookup<'_>, platform: Platform) -> Result<Authorizer, Faults> {
    config::from_lookup(lookup, |settings| {
        let config = AuthorizerConfig::read(settings);
        let names = TokenNames::read(settings);
        let verifier = AccessVerifier::new(read_verifying_keys(settings)?, names);
        let sessions = config.sessions.as_ref().map(Store::new);
        Some(Authorizer(Arc::new(Inner {
            verifier,
            sessions,
            simple_answers: config.simple_answers,
            platform,
        })))
    })
}

impl Authorizer {
    /// Opens the connection to the table.
    pub async fn warm_up(&self) {
        if let Some(sessions) = &self.0.sessions {
            sessions.connect(WarmUp::GetItem).await;
        }
    }
}

impl Inner {
    async fn authorize(&self, event: &Event) -> Result<Answer, AuthorizerError> {
        let now = self.platform.clock.now();
        let token = event.access_token().ok_or(AuthorizerError::Unauthorized)?;
        let claims = self
            .verifier
            .verify(token, now)
            .map_err(|error| self.refuse(event, None, error.as_str(), now))?;
        self.check_session(event, &claims, now).await?;
        let context = Context {
            user_id: claims.sub.to_string(),
            session_id: claims.sid.to_string(),
            email: claims.email,
            name: claims.name,
        };
        if self.simple_answers && event.takes_simple_answer() {
            return Ok(Answer::authorized(context));
        }
        Ok(Answer::allow(event.stage().ok_or(AuthorizerError::NoStage)?, context))
    }

    async fn check_session(
        &self,
        event: &Event,
        claims: &AccessClaims,
        now: Timestamp,
    ) -> Result<(), AuthorizerError> {
        let Some(store) = &self.sessions else { return Ok(()) };
        let session = store.session(&claims.sub, &claims.sid).await.map_err(|error| {
            tracing::error!(cause = %error, "the session could not be checked");
            self.record(AuditEvent::SessionCheckFailed, event, Some(claims), "table_unavailable", now);
            AuthorizerError::SessionUnknown(error)
        })?;
        let refused = match session {
            None => "unknown_session",
            Some(session) if session.ended(now).is_some() => "session_ended",
            Some(_) => return Ok(()),
        };
        Err(self.refuse(event, Some(claims), refused, now))
    }

    fn refuse(
        &self,
        event: &Event,
        claims: Option<&AccessClaims>,
        reason: &'static str,
        now: Timestamp,
    ) -> AuthorizerError {
        self.record(AuditEvent::AccessTokenRefused, event, claims, reason, now);
        AuthorizerError::Unauthorized
    }

    fn record(
        &self,
        what: AuditEvent,
        event: &Event,
        claims: Option<&AccessClaims>,
        reason: &'static str,
        now: Timestamp,
    ) {
        let entry = Entry::new(what, Outcome::Failure, &event.client(), now).because(reason);
        self.platform.audit.record(match claims {
            Some(claims) => entry.of(&claims.sub).in_session(&claims.sid),
            None => entry,
        });
    }
}

impl Service<LambdaEvent<Event>> for Authorizer {
    type Response = Answer;
    type Error = AuthorizerError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, AuthorizerError>> + Send>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), AuthorizerError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: LambdaEvent<Event>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { inner.authorize(&event.payload).await })
    }
}
