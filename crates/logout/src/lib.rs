//! `POST /auth/logout`: ends the session of a refresh token or an access token, in one write for each session, and one read
//! before it where a refresh token names the session.
//!
//! A token that is unknown, expired or of an ended session gets the same 204 (RFC 7009 §2.2) and changes nothing: an old
//! token in a log or a bug report signs nobody out. The current refresh token expires no sooner than its session, so that
//! every live session can be ended with it. A superseded refresh token is a reuse where a refresh would call it one
//! ([`auth_core::session::rotation`]): the session ends either way, and the audit log says why.

use auth_core::Platform;
use auth_core::audit::{Entry, Event, Outcome};
use auth_core::clock::Timestamp;
use auth_core::config::{
    self, Faults, HttpConfig, Lookup, StoreConfig, TokenDelivery, read_refresh_keys, read_verifying_keys,
};
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming, origin, presented};
use auth_core::selection::{self, NamedSession};
use auth_core::session::policy::RetryPolicy;
use auth_core::session::rotation::{Decision, Presented, ReuseReason, decide};
use auth_core::session::{Generation, IdempotencyDigest, Revocation, RevocationReason, SessionId};
use auth_core::store::{Revoked, Store};
use auth_core::token::TokenNames;
use auth_core::token::access::AccessVerifier;
use auth_core::token::refresh::RefreshKeys;
use auth_core::user::UserId;

/// The endpoint.
pub struct Logout {
    http: HttpConfig,
    refresh: RefreshKeys,
    access: AccessVerifier,
    retries: RetryPolicy,
    store: Store,
    platform: Platform,
}

/// A valid token, as far as a logout is concerned.
struct Valid {
    user: UserId,
    sid: SessionId,
    /// The generation of a refresh token; `None` for an access token.
    generation: Option<Generation>,
}

/// What a logout does to the session of a token.
enum Effect {
    /// The session ends.
    Logout,
    /// The session ends, and the superseded refresh token is recorded as reused.
    Reuse(ReuseReason),
    /// The session is over or unknown.
    Nothing,
}

/// Builds the function.
///
/// # Errors
///
/// Every fault of the environment.
pub fn build(lookup: &Lookup<'_>, platform: Platform) -> Result<HttpFunction<Logout>, Faults> {
    config::from_lookup(lookup, |settings| {
        let http = HttpConfig::read(settings);
        let names = TokenNames::read(settings);
        let store = StoreConfig::read(settings);
        let refresh = read_refresh_keys(settings, &names);
        let access = read_verifying_keys(settings);
        let retries = RetryPolicy::read(settings);
        let (refresh, access) = (refresh?, AccessVerifier::new(access?, names));
        let store = Store::new(&store);
        let logout = Logout { http: http.clone(), refresh, access, retries, store, platform };
        Some(HttpFunction::new(logout, &http))
    })
}

impl Endpoint for Logout {
    async fn answer(&self, request: Incoming) -> Result<Answer, ApiError> {
        let now = self.platform.clock.now();
        origin::require_same_site(&request, &self.http, &self.platform.audit, now)?;
        let mut tokens = presented::tokens(&request, &self.http)?;
        let named = || NamedSession::of(request.bearer(), &self.access);
        let verify = |token: &str| self.refresh.verify(token, now).ok();
        // With cookies of several sessions the access token says which one ends.
        tokens.cookies = selection::of_named_session(tokens.cookies, named, verify);
        let tokens = tokens.all();
        // With cookie delivery a browser that has no cookie any more is logged out already.
        if tokens.is_empty() && self.http.delivery == TokenDelivery::Body {
            return Err(ApiError::field("refreshToken", "is missing"));
        }
        for token in self.newest_of_each_session(&tokens, now) {
            self.end(&request, &token, now).await?;
        }
        Ok(Answer::no_content().ending_session(&self.http, &request))
    }

    async fn warm_up(&self) {
        self.store.connect_by_update_item().await;
    }
}

impl Logout {
    /// The valid tokens, one for each session: a stale one in one place does not hide a good one in another.
    fn newest_of_each_session(&self, tokens: &[String], now: Timestamp) -> Vec<Valid> {
        let mut newest: Vec<Valid> = Vec::new();
        for token in tokens.iter().filter_map(|token| self.verify(token, now)) {
            let same = |other: &&mut Valid| (&other.user, &other.sid) == (&token.user, &token.sid);
            match newest.iter_mut().find(same) {
                Some(other) => other.generation = other.generation.max(token.generation),
                None => newest.push(token),
            }
        }
        newest
    }

    /// A valid token of either kind.
    fn verify(&self, token: &str, now: Timestamp) -> Option<Valid> {
        if let Ok(claims) = self.refresh.verify(token, now) {
            return Some(Valid { user: claims.sub, sid: claims.sid, generation: Some(claims.generation) });
        }
        let claims = self.access.verify(token, now).ok()?;
        Some(Valid { user: claims.sub, sid: claims.sid, generation: None })
    }

    /// Ends the session of a token. A reuse is recorded before: if the write fails, the operator knows all the same.
    async fn end(&self, request: &Incoming, token: &Valid, now: Timestamp) -> Result<(), ApiError> {
        let record = |event, outcome, reason| {
            let mut entry = Entry::new(event, outcome, &request.client, now);
            entry.reason = reason;
            self.platform.audit.record(entry.of(&token.user).in_session(&token.sid));
        };
        let effect = self.effect(request, token, now).await?;
        let reason = match effect {
            Effect::Logout => RevocationReason::Logout,
            Effect::Reuse(reason) => {
                record(Event::RefreshTokenReused, Outcome::Failure, Some(at_logout(reason)));
                RevocationReason::Reuse
            }
            Effect::Nothing => return Ok(()),
        };
        let by = &request.client.invocation_id;
        let revoked = self.store.revoke(&token.user, &token.sid, Revocation { at: now, reason }, by).await?;
        if revoked == Revoked::Now && matches!(effect, Effect::Logout) {
            record(Event::Logout, Outcome::Success, None);
        }
        Ok(())
    }

    /// What the session says of a refresh token, by the decision of a refresh. An access token is valid or not, and no session is
    /// read.
    async fn effect(&self, request: &Incoming, token: &Valid, now: Timestamp) -> Result<Effect, ApiError> {
        let Some(generation) = token.generation else { return Ok(Effect::Logout) };
        let Some(session) = self.store.session(&token.user, &token.sid).await? else {
            return Ok(Effect::Nothing);
        };
        let key = request.headers.get("idempotency-key");
        let presented = Presented {
            generation,
            idempotency: key.and_then(|key| IdempotencyDigest::of(&token.sid, key.as_bytes())),
            access_issued_at: None,
            invocation_id: request.client.invocation_id.clone(),
            at: now,
        };
        Ok(match decide(&session, &presented, &self.retries) {
            // The session ends and no token is issued: there is nothing to count. After a restored backup, a token newer than its
            // session is still its holder's.
            Decision::Rotate | Decision::Replay | Decision::CountedReplay | Decision::Unknown => {
                Effect::Logout
            }
            Decision::Reuse(reason) => Effect::Reuse(reason),
            Decision::Ended(_) => Effect::Nothing,
        })
    }
}

/// The word that audit lines use for a reuse at a logout.
const fn at_logout(reason: ReuseReason) -> &'static str {
    match reason {
        ReuseReason::Superseded => "superseded_at_logout",
        ReuseReason::RetryWindow => "retry_window_at_logout",
        ReuseReason::RetryLimit => "retry_limit_at_logout",
    }
}
