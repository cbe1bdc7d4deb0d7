//! `GET /auth/sessions`, `DELETE /auth/sessions/{sessionId}`, `POST /auth/revoke-all`: the sessions of a user.
//!
//! The authorizer in front has checked the token and its session; this function reads whom it let through and holds no key.

use auth_core::Platform;
use auth_core::audit::{Entry, Event, Outcome};
use auth_core::clock::Timestamp;
use auth_core::config::{self, Faults, HttpConfig, Lookup, StoreConfig};
use auth_core::ending::{ENDING_TIME, Ending, Scope};
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming, Principal};
use auth_core::session::{Revocation, RevocationReason, Session, SessionId};
use auth_core::store::{Revoked, Store};
use lambda_http::http::Method;
use serde_json::{Value, json};

/// Sessions that are listed.
const MOST_LISTED: usize = 100;

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
    /// function has at most 6 MB.
    async fn list(&self, principal: &Principal, now: Timestamp) -> Result<Answer, ApiError> {
        let mut sessions = self.store.sessions(&principal.user).await?;
        sessions.retain(|session| session.ended(now).is_none());
        sessions.sort_by_key(|session| std::cmp::Reverse(session.last_used_at));
        sessions.truncate(MOST_LISTED);
        let sessions: Vec<Value> = sessions.iter().map(|session| describe(session, principal)).collect();
        Ok(Answer::data(&self.http, json!({ "sessions": sessions })))
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
        let ending = Ending {
            store: &self.store,
            platform: &self.platform,
            client: &request.client,
            user: &principal.user,
            own: &principal.session,
            successor: None,
            revocation: Revocation { at: now, reason: RevocationReason::RevokeAll },
        };
        let ended = ending.end(Scope::All, tokio::time::sleep(ENDING_TIME)).await?;
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
