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
//! - `sessions`: whether its session lives
//! - `renewal`: the next tokens of a request
//! - `record`: the audit lines of requests that do not pass
//! - this file: the decision between the two

pub mod answer;
pub mod event;
mod headers;
mod record;
mod renewal;
mod sessions;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use auth_core::Platform;
use auth_core::config::{self, Faults, Lookup, Settings, read_simple_answers, read_verifying_keys};
use auth_core::forwarding::TrustedProxy;
use auth_core::store::StoreError;
use auth_core::token::TokenNames;
use auth_core::token::access::AccessVerifier;
use lambda_runtime::{Diagnostic, LambdaEvent};
use tower::Service;

use crate::answer::{Answer, Context};
use crate::event::Event;
use crate::record::{complain, refuse};
pub use crate::sessions::{SessionCheck, Sessions, TokenAlone};

/// API Gateway waits 10 s for an authorizer ("Quotas for configuring and running an HTTP API"), and so does Lambda here.
const DEADLINE: Duration = Duration::from_secs(9);

/// The authorizer, as a tower service. Clones share everything.
#[expect(missing_debug_implementations, reason = "it holds keys")]
pub struct Authorizer<S = Option<Sessions>>(Arc<Inner<S>>);

struct Inner<S> {
    verifier: AccessVerifier,
    simple_answers: bool,
    session_check: S,
    proxy: TrustedProxy,
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
        let sessions = Sessions::read(settings, &platform);
        Authorizer::read(settings, sessions, platform)
    })
}

/// Builds an authorizer that looks at the token alone, whatever `SESSION_CHECK` and `RENEWAL` say: it has no table.
///
/// # Errors
///
/// Every fault of the environment.
pub fn build_without_table(
    lookup: &Lookup<'_>,
    platform: Platform,
) -> Result<Authorizer<TokenAlone>, Faults> {
    config::from_lookup(lookup, |settings| Authorizer::read(settings, TokenAlone, platform))
}

impl<S: SessionCheck> Authorizer<S> {
    fn read(settings: &mut Settings<'_>, session_check: S, platform: Platform) -> Option<Self> {
        let simple_answers = read_simple_answers(settings);
        let proxy = TrustedProxy::read(settings);
        let names = TokenNames::read(settings);
        let verifier = AccessVerifier::new(read_verifying_keys(settings)?, names);
        Some(Self(Arc::new(Inner { verifier, simple_answers, session_check, proxy, platform })))
    }

    /// Opens the connection to the table, if there is one.
    pub async fn warm_up(&self) {
        self.0.session_check.connect().await;
    }
}

// Not derived, which would ask it of `S`.
impl<S> Clone for Authorizer<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: SessionCheck> Inner<S> {
    async fn authorize(&self, event: &Event) -> Result<Answer, AuthorizerError> {
        let now = self.platform.clock.now();
        let token = event.access_token().ok_or(AuthorizerError::Unauthorized)?;
        let claims = self
            .verifier
            .verify(token, now)
            .map_err(|error| refuse(&self.platform, event, None, error.as_str(), now))?;
        let renewed = self.session_check.check(event, &claims, now).await?;
        let context = Context::new(claims, renewed);
        if self.simple_answers && event.takes_simple_answer() {
            return Ok(Answer::authorized(context));
        }
        Ok(Answer::allow(event.stage().ok_or(AuthorizerError::NoStage)?, context))
    }
}

impl<S: SessionCheck> Service<LambdaEvent<Event>> for Authorizer<S> {
    type Response = Answer;
    type Error = AuthorizerError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, AuthorizerError>> + Send>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), AuthorizerError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: LambdaEvent<Event>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let event = event.payload.in_invocation(event.context.request_id, inner.proxy.clone());
            let answer = tokio::time::timeout(DEADLINE, inner.authorize(&event)).await;
            let late = || AuthorizerError::SessionUnknown(StoreError::Unavailable("no time left".into()));
            let answer = answer.unwrap_or_else(|_| Err(late()));
            answer.inspect_err(|error| complain(&inner.platform, &event, error))
        })
    }
}
