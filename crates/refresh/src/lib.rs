//! `POST /auth/refresh`: a refresh token becomes the next one.
//!
//! Top to bottom: the token is found ([`auth_core::http::presented`]), checked without a database call, and presented
//! to its session in one conditional write, beside which the user is read. What the write says decides the answer:
//! see the table in [`auth_core::session::rotation`].

use auth_core::Platform;
use auth_core::audit::{Entry, Event, Outcome};
use auth_core::clock::Timestamp;
use auth_core::config::{
    self, Faults, HttpConfig, Lookup, SessionConfig, SigningKeys, StoreConfig, TokenNames, read_refresh_keys,
};
use auth_core::grant::Granter;
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming, origin, presented};
use auth_core::session::rotation::{Decision, Presented, decide};
use auth_core::session::{Ended, IdempotencyDigest, Revocation, RevocationReason, Session};
use auth_core::store::{Rotate, Rotated, Store};
use auth_core::token::access::AccessIssuer;
use auth_core::token::refresh::{RefreshClaims, RefreshKeys};
use auth_core::user::{User, UserStatus};
use http::StatusCode;

/// Longest `Idempotency-Key` in bytes: room for any UUID or digest.
const MAXIMUM_IDEMPOTENCY_KEY: usize = 255;

/// The endpoint.
pub struct Refresh {
    http: HttpConfig,
    sessions: SessionConfig,
    keys: RefreshKeys,
    granter: Granter,
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
        let sessions = SessionConfig::read(settings);
        let names = TokenNames::read(settings);
        let store = StoreConfig::read(settings);
        let signing = SigningKeys::read(settings);
        let keys = read_refresh_keys(settings, &names);
        let (signing, keys) = (signing?, keys?);
        let access = AccessIssuer::new(signing.current, names, sessions.access_lifetime);
        let granter = Granter::new(access, keys.clone(), sessions.clone());
        let store = Store::new(&store);
        let refresh = Refresh { http: http.clone(), sessions, keys, granter, store, platform };
        Some(HttpFunction::new(refresh, &http))
    })
}

impl Endpoint for Refresh {
    async fn answer(&self, request: Incoming) -> Result<Answer, ApiError> {
        let now = self.platform.clock.now();
        origin::require_same_site(&request, &self.http, &self.platform.audit, now)?;
        let token = presented::refresh_token(&request)?;
        let claims = self.keys.verify(&token, now).map_err(|error| {
            let reason = presented::reason(error);
            let entry = Entry::new(Event::RefreshTokenRefused, Outcome::Failure, &request.client, now);
            self.platform.audit.record(entry.because(reason));
            ApiError::InvalidGrant
        })?;
        let idempotency = idempotency_digest(&request, &claims)?;
        let presented = Presented { generation: claims.generation, idempotency, at: now };
        self.rotate(&request, &claims, &presented).await
    }

    async fn warm_up(&self) {
        self.store.connect().await;
    }
}

impl Refresh {
    async fn rotate(
        &self,
        request: &Incoming,
        claims: &RefreshClaims,
        presented: &Presented,
    ) -> Result<Answer, ApiError> {
        let rotate = Rotate {
            user: &claims.sub,
            sid: &claims.sid,
            presented,
            client: &request.client,
            config: &self.sessions,
        };
        let (rotated, user) = tokio::join!(self.store.rotate(&rotate), self.store.user(&claims.sub));
        let (session, event) = match rotated? {
            Rotated::Done(session) => (session, Event::RefreshTokenRotated),
            Rotated::Refused(session) => match decide(&session, presented, self.sessions.grace) {
                Decision::Replay => (session, Event::RefreshTokenReplayed),
                refusal => return Err(self.refuse(request, claims, &session, refusal, presented.at).await?),
            },
            Rotated::Unknown => return Err(self.refused(request, claims, "unknown_session", presented.at)),
        };
        let user = self.active(user?, request, claims, presented.at).await?;
        let grant = self.granter.grant(user, &session, presented.at, &self.platform.random)?;
        self.record(request, claims, event, Outcome::Success, None, presented.at);
        Ok(Answer::tokens(&self.http, StatusCode::OK, request, &grant))
    }

    /// A disabled user's session ends with the first refresh that notices.
    async fn active(
        &self,
        user: Option<User>,
        request: &Incoming,
        claims: &RefreshClaims,
        now: Timestamp,
    ) -> Result<User, ApiError> {
        let Some(user) = user else {
            return Err(self.refused(request, claims, "unknown_user", now));
        };
        if user.status == UserStatus::Active {
            return Ok(user);
        }
        let revocation = Revocation { at: now, reason: RevocationReason::UserDisabled };
        self.store.revoke(&claims.sub, &claims.sid, revocation).await?;
        self.refused(request, claims, "user_disabled", now);
        Err(ApiError::Forbidden("The account is disabled."))
    }

    /// Carries a refusal out. A reuse ends the session before it is answered: if that write fails, the caller is told to
    /// come back, and the next try finds the reuse again.
    async fn refuse(
        &self,
        request: &Incoming,
        claims: &RefreshClaims,
        session: &Session,
        decision: Decision,
        now: Timestamp,
    ) -> Result<ApiError, ApiError> {
        let reason = match decision {
            Decision::Reuse => {
                let revocation = Revocation { at: now, reason: RevocationReason::Reuse };
                self.store.revoke(&session.user, &session.id, revocation).await?;
                self.record(
                    request,
                    claims,
                    Event::RefreshTokenReused,
                    Outcome::Failure,
                    Some("superseded"),
                    now,
                );
                return Ok(ApiError::InvalidGrant);
            }
            Decision::Ended(Ended::Revoked(_)) => "revoked",
            Decision::Ended(Ended::Idle) => "idle_end",
            Decision::Ended(Ended::Absolute) => "absolute_end",
            Decision::Unknown => "unknown_generation",
            // The state that refused a write cannot ask for it: only a table that changed between its two answers can.
            Decision::Rotate | Decision::Replay => {
                return Err(ApiError::TemporarilyUnavailable("the session changed while it was read".into()));
            }
        };
        Ok(self.refused(request, claims, reason, now))
    }

    fn refused(
        &self,
        request: &Incoming,
        claims: &RefreshClaims,
        reason: &'static str,
        now: Timestamp,
    ) -> ApiError {
        self.record(request, claims, Event::RefreshTokenRefused, Outcome::Failure, Some(reason), now);
        ApiError::InvalidGrant
    }

    fn record(
        &self,
        request: &Incoming,
        claims: &RefreshClaims,
        event: Event,
        outcome: Outcome,
        reason: Option<&'static str>,
        now: Timestamp,
    ) {
        let entry = Entry::new(event, outcome, &request.client, now).of(&claims.sub).in_session(&claims.sid);
        self.platform.audit.record(match reason {
            Some(reason) => entry.because(reason),
            None => entry,
        });
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
