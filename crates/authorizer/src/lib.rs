//! The Lambda authorizer in front of every protected route.
//!
//! A token is checked without a database call; then, with `SESSION_CHECK=on`, its session is read once, strongly
//! consistent, so that a logout takes effect on the very next request. With `RENEWAL`, a token that is about to end is
//! renewed on the way.
//!
//! # Layout
//!
//! - [`event`]: what API Gateway asks
//! - [`answer`]: what it is told
//! - `headers`: which of its headers are read
//! - `renewal`: the next tokens of a request
//! - this file: the decision between the two

pub mod answer;
pub mod event;
mod headers;
mod renewal;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use auth_core::Platform;
use auth_core::audit::{Entry, Event as AuditEvent, Outcome};
use auth_core::clock::Timestamp;
use auth_core::config::{self, AuthorizerConfig, Faults, Lookup, read_verifying_keys};
use auth_core::redeem::RedeemError;
use auth_core::session::Session;
use auth_core::store::{Store, StoreError};
use auth_core::token::TokenNames;
use auth_core::token::access::{AccessClaims, AccessVerifier};
use auth_core::user::{User, UserStatus};
use lambda_runtime::{Diagnostic, LambdaEvent};
use tower::Service;

use crate::answer::{Answer, Context, Renewed};
use crate::event::Event;
use crate::renewal::{Due, Renewal};

/// API Gateway waits 10 s for an authorizer ("Quotas for configuring and running an HTTP API"), and so does Lambda here.
const DEADLINE: Duration = Duration::from_secs(9);

/// The authorizer, as a tower service. Clones share everything.
#[derive(Clone)]
pub struct Authorizer(Arc<Inner>);

struct Inner {
    verifier: AccessVerifier,
    /// Where sessions are; `None` if none is ever looked at.
    store: Option<Store>,
    session_check: bool,
    simple_answers: bool,
    renewal: Option<Renewal>,
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
        let keys = read_verifying_keys(settings);
        let store = config.store.as_ref().map(Store::new);
        let renewal = Renewal::read(settings, config.renewal, store.as_ref(), &platform);
        Some(Authorizer(Arc::new(Inner {
            verifier: AccessVerifier::new(keys?, names),
            store,
            session_check: config.session_check,
            simple_answers: config.simple_answers,
            renewal,
            platform,
        })))
    })
}

impl Authorizer {
    /// Opens the connection to the table.
    pub async fn warm_up(&self) {
        if let Some(store) = &self.0.store {
            // Boxed, like what a request asks of the table: `main` moves what is not, also where there is no table.
            Box::pin(store.connect_by_get_user()).await;
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
        let renewed = match &self.store {
            // Boxed, and so are the rarer steps inside it: the SDK's futures are large, and a future is moved whole, also for a
            // request that never reads the table.
            Some(store) => Box::pin(self.check_and_renew(store, event, &claims, now)).await?,
            None => None,
        };
        let context = Context::new(claims, renewed);
        if self.simple_answers && event.takes_simple_answer() {
            return Ok(Answer::authorized(context));
        }
        Ok(Answer::allow(event.stage().ok_or(AuthorizerError::NoStage)?, context))
    }

    /// Looks at the session of a valid token, and renews the token if it is about to end.
    async fn check_and_renew(
        &self,
        store: &Store,
        event: &Event,
        claims: &AccessClaims,
        now: Timestamp,
    ) -> Result<Option<Renewed>, AuthorizerError> {
        let renewal = self.renewal.as_ref().and_then(|renewal| renewal.due(event, claims, now));
        let session = store.session(&claims.sub, &claims.sid);
        // Both reads at once; and before anything is written, so that one that fails leaves the tokens as good as they were.
        let (session, renewal) = match renewal {
            Some(due) => {
                let both = async { tokio::join!(session, store.user(&claims.sub)) };
                let (session, user) = Box::pin(both).await;
                (session, Some((due, user)))
            }
            None if self.session_check => (session.await, None),
            None => return Ok(None),
        };
        let session = match session {
            Ok(Some(session)) if session.ended(now).is_none() => session,
            refused if self.session_check => return Err(self.not_live(event, claims, refused, now)),
            _ => return Ok(None),
        };
        match renewal {
            Some((due, user)) => Box::pin(self.renew(event, due, &session, user, now)).await,
            None => Ok(None),
        }
    }

    async fn renew(
        &self,
        event: &Event,
        due: Due<'_>,
        session: &Session,
        user: Result<Option<User>, StoreError>,
        now: Timestamp,
    ) -> Result<Option<Renewed>, AuthorizerError> {
        let user = match user {
            Ok(Some(user)) if user.status == UserStatus::Active => user,
            Ok(user) => {
                let reason = if user.is_some() { "user_disabled" } else { "unknown_user" };
                return Err(self.refuse(event, Some(due.claims()), reason, now));
            }
            Err(error) => return Ok(not_renewed(&error)),
        };
        match due.renew(session, user, now).await {
            Ok(renewed) => Ok(renewed),
            // Redeeming it has written the audit line, and ended the session.
            Err(RedeemError::Reused) => Err(AuthorizerError::Unauthorized),
            Err(RedeemError::ReuseNotEnded(error)) => Err(AuthorizerError::SessionUnknown(error)),
            Err(error) => Ok(not_renewed(&error)),
        }
    }

    /// What a session is refused with that was not found live.
    fn not_live(
        &self,
        event: &Event,
        claims: &AccessClaims,
        session: Result<Option<Session>, StoreError>,
        now: Timestamp,
    ) -> AuthorizerError {
        match session {
            Ok(None) => self.refuse(event, Some(claims), "unknown_session", now),
            Ok(Some(_)) => self.refuse(event, Some(claims), "session_ended", now),
            Err(error) => AuthorizerError::SessionUnknown(error),
        }
    }

    /// What an operator is told when nobody is let through although nobody was refused.
    fn complain(&self, event: &Event, error: &AuthorizerError) {
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
        self.record(AuditEvent::SessionCheckFailed, event, None, reason, self.platform.clock.now());
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

/// The request goes on with the token that it brought.
fn not_renewed<T>(error: &dyn std::error::Error) -> Option<T> {
    tracing::warn!(cause = %error, "the tokens were not renewed");
    None
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
        Box::pin(async move {
            let event = event.payload.in_invocation(event.context.request_id);
            let answer = tokio::time::timeout(DEADLINE, inner.authorize(&event)).await;
            let late = || AuthorizerError::SessionUnknown(StoreError::Unavailable("no time left".into()));
            let answer = answer.unwrap_or_else(|_| Err(late()));
            answer.inspect_err(|error| inner.complain(&event, error))
        })
    }
}
