//! Audit lines: one JSON line for every security event, which is at the same time a metric.
//!
//! The line is in the CloudWatch embedded metric format, so that CloudWatch Logs counts the event without an API call
//! ("Specification: Embedded metric format"). It is written whatever `LOG_LEVEL` says. Tokens, passwords and hashes have no
//! place in it: see [`Entry`] for all that can be said.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::clock::Timestamp;
use crate::session::SessionId;
use crate::user::UserId;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Somebody signed up.
    Signup,
    /// Somebody logged in.
    Login,
    /// A session was rotated.
    RefreshTokenRotated,
    /// A rotation was answered again.
    RefreshTokenReplayed,
    /// A superseded refresh token was presented; the session is over.
    RefreshTokenReused,
    /// A refresh token was refused.
    RefreshTokenRefused,
    /// A session was ended by its holder.
    Logout,
    /// A session was ended by its user from another one.
    SessionEnded,
    /// Every session of a user was ended.
    SessionsRevoked,
    /// A user changed their names.
    ProfileChanged,
    /// A limit was reached.
    LimitReached,
    /// An address was locked after too many failures.
    AddressLocked,
    /// An access token was refused.
    AccessTokenRefused,
    /// A request came from a site that may not send it.
    CrossSiteRefused,
}

impl Event {
    /// The metric's name. It has no dimensions, so that every name is one metric, and an alarm needs no more than the name.
    const fn metric(self, outcome: Outcome) -> &'static str {
        match self {
            Self::Signup if matches!(outcome, Outcome::Failure) => "SignupFailed",
            Self::Signup => "Signup",
            Self::Login if matches!(outcome, Outcome::Failure) => "LoginFailed",
            Self::Login => "Login",
            Self::RefreshTokenRotated => "RefreshTokenRotated",
            Self::RefreshTokenReplayed => "RefreshTokenReplayed",
            Self::RefreshTokenReused => "RefreshTokenReused",
            Self::RefreshTokenRefused => "RefreshTokenRefused",
            Self::Logout => "Logout",
            Self::SessionEnded => "SessionEnded",
            Self::SessionsRevoked => "SessionsRevoked",
            Self::ProfileChanged => "ProfileChanged",
            Self::LimitReached => "LimitReached",
            Self::AddressLocked => "AddressLocked",
            Self::AccessTokenRefused => "AccessTokenRefused",
            Self::CrossSiteRefused => "CrossSiteRefused",
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As the caller wished.
    Success,
    /// Not.
    Failure,
}

/// One audit line.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// When, in epoch seconds.
    pub timestamp: Timestamp,
    /// What.
    pub event: Event,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Who, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// In which session, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// From where.
    pub ip: String,
    /// With what.
    pub user_agent: String,
    /// In which request.
    pub request_id: String,
}

impl Entry {
    /// An event of a caller.
    pub fn new(event: Event, outcome: Outcome, client: &Client, now: Timestamp) -> Self {
        Self {
            timestamp: now,
            event,
            outcome,
            reason: None,
            user_id: None,
            session_id: None,
            ip: client.ip.clone(),
            user_agent: client.user_agent.clone(),
            request_id: client.request_id.clone(),
        }
    }

    /// With the reason.
    #[must_use]
    pub const fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// With the user.
    #[must_use]
    pub fn of(mut self, user: &UserId) -> Self {
        self.user_id = Some(user.clone());
        self
    }

    /// With the user, if known.
    #[must_use]
    pub fn of_known(self, user: Option<&UserId>) -> Self {
        match user {
            Some(user) => self.of(user),
            None => self,
        }
    }

    /// With the session.
    #[must_use]
    pub fn in_session(mut self, sid: &SessionId) -> Self {
        self.session_id = Some(sid.clone());
        self
    }

    /// The line: the entry's members, and what the embedded metric format asks for.
    fn line(&self) -> Value {
        let metric = self.event.metric(self.outcome);
        let mut line = json!({
            "level": "AUDIT",
            "_aws": {
                "Timestamp": self.timestamp.epoch_seconds() * 1_000,
                "CloudWatchMetrics": [{
                    "Namespace": "Latchkey",
                    "Dimensions": [[]],
                    "Metrics": [{"Name": metric, "Unit": "Count"}],
                }],
            },
            (metric): 1,
        });
        if let (Some(line), Ok(Value::Object(entry))) = (line.as_object_mut(), serde_json::to_value(self)) {
            line.extend(entry);
        }
        line
    }
}

/// Where audit lines go. Clones share one destination.
#[derive(Clone, Debug)]
pub struct AuditLog(Destination);

#[derive(Clone, Debug)]
enum Destination {
    Stdout,
    Memory(Arc<Mutex<Vec<Entry>>>),
}

impl AuditLog {
    /// To standard output, which Lambda sends to CloudWatch Logs.
    pub const fn stdout() -> Self {
        Self(Destination::Stdout)
    }

    /// Into memory, to be read by [`AuditLog::entries`].
    pub fn memory() -> Self {
        Self(Destination::Memory(Arc::default()))
    }

    /// Writes one line.
    pub fn record(&self, entry: Entry) {
        match &self.0 {
            Destination::Stdout => {
                // One write for the whole line, so that lines of parallel requests do not mix. A log that cannot be
                // written does not fail the request.
                let line = format!("{}\n", entry.line());
                let _ = std::io::stdout().lock().write_all(line.as_bytes());
            }
            Destination::Memory(entries) => {
                entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
            }
        }
    }

    /// What has been recorded in memory so far.
    pub fn entries(&self) -> Vec<Entry> {
        match &self.0 {
            Destination::Stdout => Vec::new(),
            Destination::Memory(entries) => entries.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// What has been recorded in memory since this was asked last. It is forgotten here: a long run does not keep it all.
    pub fn take(&self) -> Vec<Entry> {
        match &self.0 {
            Destination::Stdout => Vec::new(),
            Destination::Memory(entries) => {
                std::mem::take(&mut *entries.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_entry_and_a_metric() {
        let now = Timestamp::from_epoch_seconds(1_800_000_000);
        let client = Client::new("203.0.113.7", "curl\n/8", "r-1");
        let line = Entry::new(Event::RefreshTokenReused, Outcome::Failure, &client, now)
            .because("superseded")
            .line();
        assert_eq!(line["event"], "refresh_token_reused");
        assert_eq!((&line["outcome"], &line["reason"]), (&json!("failure"), &json!("superseded")));
        assert_eq!((&line["ip"], &line["user_agent"]), (&json!("203.0.113.7"), &json!("curl/8")));
        assert_eq!(line["RefreshTokenReused"], 1);
        assert_eq!(line["_aws"]["Timestamp"], 1_800_000_000_000_u64);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "RefreshTokenReused");
        assert!(!line.to_string().contains('\n'));
    }
}
