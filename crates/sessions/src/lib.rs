//! `GET /auth/sessions`, `DELETE /auth/sessions/{sessionId}`, `POST /auth/revoke-all`: the sessions of a user.
//!
//! The authorizer in front has checked the token and its session; this function reads whom it let through and holds no key.

use std::time::Duration;

use auth_core::Platform;
use auth_core::audit::{Entry, Event, Outcome};
use auth_core::clock::Timestamp;
use auth_core::config::{self, Faults, HttpConfig, Lookup, StoreConfig};
use auth_core::ending::{Ending, Scope};
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming, LONG_DEADLINE, Principal};
use auth_core::session::limit::stale;
use auth_core::session::{Revocation, RevocationReason, Session, SessionId};
use auth_core::store::{Revoked, Store};
use lambda_http::http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

/// Sessions that are listed.
const MOST_LISTED: usize = 100;

/// Stale items of the index that one request deletes.
const MOST_FORGOTTEN: usize = 25;

/// The endpoint.
pub struct Sessions {
    http: HttpConfig,
    store: Store,
    platform: Platform,
}

/// Builds the function.
///
/// # Errors
///
/// Every fault of the environment.
pub fn build(lookup: &Lookup<'_>, platform: Platform) -> Result<HttpFunction<Sessions>, Faults> {
    config::from_lookup(lookup, |settings| {
        let http = HttpConfig::read(settings);
        let store = Store::new(&StoreConfig::read(settings));
        Some(HttpFunction::new(Sessions { http: http.clone(), store, platform }, &http))
    })
}

impl Endpoint for Sessions {
    const DEADLINE: Duration = LONG_DEADLINE;

    async fn answer(&self, request: Incoming) -> Result<Answer, ApiError> {
        let principal = request.principal()?.clone();
        let now = self.platform.clock.now();
        match (&request.method, request.path.as_str()) {
            (&Method::GET, "/auth/sessions") => self.list(&principal, now).await,
            (&Method::POST, "/auth/revoke-all") => self.revoke_all(&request, &principal, now).await,
            (&Method::DELETE, path) if path.starts_with("/auth/sessions/") => {
                self.end(&request, &principal, now).await
            }
            _ => Err(ApiError::NotFound),
        }
    }

    async fn warm_up(&self) {
        self.store.connect_by_query().await;
    }
}

impl Sessions {
    /// The live sessions, the one used last first, and no more of them than a person can look through: an answer of a Lambda
    /// function has at most 6 MB. The caller's own is always among them.
    async fn list(&self, principal: &Principal, now: Timestamp) -> Result<Answer, ApiError> {
        let (mut sessions, indexed) = self.store.sessions(&principal.user).await?;
        let index = indexed.iter().map(|item| (&item.id, item.created_at));
        self.forget(principal, &stale(&sessions, index, now)).await;
        sessions.retain(|session| session.ended(now).is_none());
        sessions.sort_by_key(|session| std::cmp::Reverse(session.last_used_at));
        if let Some(own) =
            sessions.iter().skip(MOST_LISTED).position(|session| session.id == principal.session)
        {
            // It was used less recently than all that are listed, and is listed all the same, at the end.
            sessions.swap(MOST_LISTED - 1, MOST_LISTED + own);
        }
        sessions.truncate(MOST_LISTED);
        let sessions: Vec<Value> = sessions.iter().map(|session| describe(session, principal)).collect();
        Ok(Answer::data(&self.http, json!({ "sessions": sessions })))
    }

    /// Deletes stale items of the index, a bounded number of them; those that are left are met again.
    async fn forget(&self, principal: &Principal, stale: &[SessionId]) {
        for sid in stale.iter().take(MOST_FORGOTTEN) {
            if let Err(error) = self.store.delete_live(&principal.user, sid).await {
                tracing::warn!(%error, "a stale item is left in the index of live sessions");
                return;
            }
        }
    }

    /// An unknown session is as good as ended: 204, as at the logout.
    async fn end(
        &self,
        request: &Incoming,
        principal: &Principal,
        now: Timestamp,
    ) -> Result<Answer, ApiError> {
        let sid = request.path_parameter("sessionId").map(SessionId::parse);
        let Some(Ok(sid)) = sid else {
            return Err(ApiError::field("sessionId", "is not the identifier of a session"));
        };
        let revocation = Revocation { at: now, reason: RevocationReason::EndedByUser };
        let by = &request.client.invocation_id;
        if self.store.revoke(&principal.user, &sid, revocation, by).await? == Revoked::Now {
            let entry = Entry::new(Event::SessionEnded, Outcome::Success, &request.client, now);
            self.platform.audit.record(entry.of(&principal.user).in_session(&sid));
        }
        let answer = Answer::no_content();
        Ok(if sid == principal.session { answer.ending_session(&self.http, request) } else { answer })
    }

    /// If some cannot be ended, the caller is told to come back for the rest.
    async fn revoke_all(
        &self,
        request: &Incoming,
        principal: &Principal,
        now: Timestamp,
    ) -> Result<Answer, ApiError> {
        let begun = Instant::now();
        let ending = Ending {
            store: &self.store,
            platform: &self.platform,
            client: &request.client,
            user: &principal.user,
            own: &principal.session,
            successor: None,
            revocation: Revocation { at: now, reason: RevocationReason::RevokeAll },
        };
        let ended = ending.end(Scope::All, begun).await?;
        let answer = Answer::data(&self.http, json!({ "revokedSessions": ended }));
        Ok(answer.ending_session(&self.http, request))
    }
}

fn describe(session: &Session, principal: &Principal) -> Value {
    json!({
        "sessionId": session.id,
        "createdAt": session.created_at,
        "lastUsedAt": session.last_used_at,
        "expiresAt": session.ends_at(),
        "ip": session.last_used_by.ip,
        "userAgent": session.last_used_by.user_agent,
        "lastReplay": session.last_replay.as_ref().map(|replay| json!({
            "at": replay.at,
            "ip": replay.by.ip,
            "userAgent": replay.by.user_agent,
        })),
        "current": session.id == principal.session,
    })
}
