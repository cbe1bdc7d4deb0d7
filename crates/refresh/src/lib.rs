//! `POST /auth/refresh`: a refresh token becomes the next one.
//!
//! Top to bottom: the token is found ([`auth_core::http::presented`]) and checked without a database call, the user is read,
//! and the token is presented to its session in one conditional write. What the write says decides the answer: see the table
//! in [`auth_core::session::rotation`].
//!
//! The read comes first, not beside the write: if it fails nothing has happened yet, and the same token is as good as before
//! whenever the client comes back.

use std::time::Duration;

use auth_core::Platform;
use auth_core::audit::{Entry, Event, Outcome};
use auth_core::config::{self, Faults, Grants, HttpConfig, Lookup, StoreConfig, read_grace};
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming, origin, presented};
use auth_core::session::rotation::{Decision, Presented, decide};
use auth_core::session::{Ended, IdempotencyDigest, Revocation, RevocationReason};
use auth_core::store::{Rotate, Rotated, Store};
use auth_core::token::refresh::RefreshClaims;
use auth_core::user::{User, UserStatus};
use http::StatusCode;

/// Longest `Idempotency-Key` in bytes: room for any UUID or digest.
const MAXIMUM_IDEMPOTENCY_KEY: usize = 255;

/// The endpoint.
pub struct Refresh {
    http: HttpConfig,
    grace: Duration,
    grants: Grants,
    store: Store,
    platform: Platform,
}

/// Builds the function.
///
/// # Errors
///
/// Every fault of the environment.
pub fn build(lookup: &Lookup<'_>, platform: Platform) -> Result<HttpFunction<Refresh>, Faults> {
    config::from_lookup(lookup, |settings| {
        let http = HttpConfig::read(settings);
        let grace = read_grace(settings);
        let store = StoreConfig::read(settings);
        let grants = Grants::read(settings)?;
        let refresh = Refresh { http: http.clone(), grace, grants, store: Store::new(&store), platform };
        Some(HttpFunction::new(refresh, &http))
    })
}

impl Endpoint for Refresh {
    async fn answer(&self, request: Incoming) -> Result<Answer, ApiError> {
        let now = self.platform.clock.now();
        origin::require_same_site(&request, &self.http, &self.platform.audit, now)?;
        let token = presented::refresh_token(&request, self.http.delivery)?;
        let claims = self.grants.refresh_keys.verify(&token, now).map_err(|error| {
            let entry = Entry::new(Event::RefreshTokenRefused, Outcome::Failure, &request.client, now);
            self.platform.audit.record(entry.because(error.as_str()));
            ApiError::InvalidGrant
        })?;
        let idempotency = idempotency_digest(&request, &claims)?;
        let refresh = Attempt { function: self, request: &request, claims: &claims };
        let user = refresh.user().await?;
        refresh.rotate(user, idempotency).await
    }

    async fn warm_up(&self) {
        self.store.connect().await;
    }
}

/// A refresh token whose signature has been checked, on its way to its session.
struct Attempt<'a> {
    function: &'a Refresh,
    request: &'a Incoming,
    claims: &'a RefreshClaims,
}

impl Attempt<'_> {
    /// The user, if they may sign in. The session of one who may not ends here.
    async fn user(&self) -> Result<User, ApiError> {
        let user = self.function.store.user(&self.claims.sub).await?;
        let (reason, error) = match user {
            Some(user) if user.status == UserStatus::Active => return Ok(user),
            Some(_) => ("user_disabled", ApiError::DISABLED),
            None => ("unknown_user", ApiError::InvalidGrant),
        };
        self.record(Event::RefreshTokenRefused, Outcome::Failure, reason);
        self.revoke(RevocationReason::UserDisabled).await?;
        Err(error)
    }

    async fn rotate(&self, user: User, idempotency: Option<IdempotencyDigest>) -> Result<Answer, ApiError> {
        let (function, client) = (self.function, &self.request.client);
        let sessions = &function.grants.sessions;
        let presented = Presented {
            generation: self.claims.generation,
            idempotency,
            request_id: client.request_id.clone(),
            // Not when the request came: the grace begins with the write.
            at: function.platform.clock.now(),
        };
        let rotate = Rotate {
            user: &self.claims.sub,
            sid: &self.claims.sid,
            presented: &presented,
            client,
            step: presented.step(sessions),
        };
        let (session, event) = match function.store.rotate(&rotate).await? {
            Rotated::Done(session) => (session, Event::RefreshTokenRotated),
            Rotated::Refused(session) => match decide(&session, &presented, function.grace) {
                Decision::Replay => (session, Event::RefreshTokenReplayed),
                refusal => return Err(self.refuse(refusal).await?),
            },
            Rotated::Unknown => return Err(self.refused("unknown_session")),
        };
        let grant = function.grants.granter.grant(user, &session, presented.at, &function.platform.random)?;
        self.record(event, Outcome::Success, "");
        Ok(Answer::tokens(&function.http, StatusCode::OK, self.request, &grant))
    }

    /// Carries a refusal out. A reuse is recorded before the session is ended, and answered after: if that write fails, the
    /// caller is told to come back, and the operator knows all the same.
    async fn refuse(&self, decision: Decision) -> Result<ApiError, ApiError> {
        Ok(match decision {
            Decision::Reuse => {
                self.record(Event::RefreshTokenReused, Outcome::Failure, "superseded");
                self.revoke(RevocationReason::Reuse).await?;
                ApiError::InvalidGrant
            }
            Decision::Ended(Ended::Revoked(_)) => self.refused("revoked"),
            Decision::Ended(Ended::Idle) => self.refused("idle_end"),
            Decision::Ended(Ended::Absolute) => self.refused("absolute_end"),
            Decision::Unknown => self.refused("unknown_generation"),
            // The state that refused a write does not ask for it: the condition and `decide` say the same.
            Decision::Rotate | Decision::Replay => {
                ApiError::Internal("a live session refused its token".into())
            }
        })
    }

    async fn revoke(&self, reason: RevocationReason) -> Result<(), ApiError> {
        let revocation = Revocation { at: self.function.platform.clock.now(), reason };
        let (claims, by) = (self.claims, &self.request.client.request_id);
        self.function.store.revoke(&claims.sub, &claims.sid, revocation, by).await?;
        Ok(())
    }

    fn refused(&self, reason: &'static str) -> ApiError {
        self.record(Event::RefreshTokenRefused, Outcome::Failure, reason);
        ApiError::InvalidGrant
    }

    fn record(&self, event: Event, outcome: Outcome, reason: &'static str) {
        let now = self.function.platform.clock.now();
        let entry = Entry::new(event, outcome, &self.request.client, now);
        let entry = entry.of(&self.claims.sub).in_session(&self.claims.sid);
        self.function.platform.audit.record(if reason.is_empty() { entry } else { entry.because(reason) });
    }
}

/// The digest of the request's `Idempotency-Key`, if it has one.
fn idempotency_digest(
    request: &Incoming,
    claims: &RefreshClaims,
) -> Result<Option<IdempotencyDigest>, ApiError> {
    let Some(key) = request.headers.get("idempotency-key") else {
        return Ok(None);
    };
    if key.is_empty() || key.len() > MAXIMUM_IDEMPOTENCY_KEY {
        let what = format!("is not between 1 and {MAXIMUM_IDEMPOTENCY_KEY} bytes long");
        return Err(ApiError::field("Idempotency-Key", &what));
    }
    Ok(Some(IdempotencyDigest::of(&claims.sid, key.as_bytes())))
}
