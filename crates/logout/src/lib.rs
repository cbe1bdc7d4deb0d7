//! `POST /auth/logout`: ends the session of a refresh token or an access token, in one write for each session.
//!
//! A token that is unknown, expired or of an ended session gets the same 204 (RFC 7009 §2.2): the caller is logged out
//! either way. A token past its end is still good enough to end its session with.

use auth_core::Platform;
use auth_core::audit::{Entry, Event, Outcome};
use auth_core::config::{
    self, Faults, HttpConfig, Lookup, StoreConfig, TokenDelivery, read_refresh_keys, read_verifying_keys,
};
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming, origin, presented};
use auth_core::selection::{self, NamedSession};
use auth_core::session::{Revocation, RevocationReason, SessionId};
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
    store: Store,
    platform: Platform,
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
        let (refresh, access) = (refresh?, AccessVerifier::new(access?, names));
        let logout = Logout { http: http.clone(), refresh, access, store: Store::new(&store), platform };
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
        // A stale token in one place does not hide a good one in another.
        let mut sessions = Vec::new();
        for session in tokens.iter().filter_map(|token| self.session_of(token)) {
            if !sessions.contains(&session) {
                sessions.push(session);
            }
        }
        for (user, sid) in sessions {
            let revocation = Revocation { at: now, reason: RevocationReason::Logout };
            let by = &request.client.invocation_id;
            if self.store.revoke(&user, &sid, revocation, by).await? == Revoked::Now {
                let entry = Entry::new(Event::Logout, Outcome::Success, &request.client, now);
                self.platform.audit.record(entry.of(&user).in_session(&sid));
            }
        }
        Ok(Answer::no_content().ending_session(&self.http, &request))
    }

    async fn warm_up(&self) {
        self.store.connect_by_update_item().await;
    }
}

impl Logout {
    /// The session that a token belongs to, whichever kind of token it is.
    fn session_of(&self, token: &str) -> Option<(UserId, SessionId)> {
        let by_refresh = self.refresh.verify_expired(token).map(|claims| (claims.sub, claims.sid));
        by_refresh.or_else(|_| self.access.verify_expired(token).map(|claims| (claims.sub, claims.sid))).ok()
    }
}
