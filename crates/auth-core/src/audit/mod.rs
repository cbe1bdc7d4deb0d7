//! Audit lines: one JSON line for every security event, which is at the same time a metric.
//!
//! The line is in the CloudWatch embedded metric format, so that CloudWatch Logs counts the event without an API call
//! ("Specification: Embedded metric format"). It is written whatever `LOG_LEVEL` says. Tokens, passwords and hashes have no
//! place in it: see [`Entry`] for all that can be said.
//!
//! # Layout
//!
//! - this file: what is said and where it goes
//! - `line`: a line as CloudWatch reads it
//! - `event`: what can happen, and the metric that counts it
//! - `service`: which deployment it happened in

mod event;
mod line;
mod service;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

pub use self::event::{Event, Outcome};
pub use self::service::ServiceName;

use self::line::Line;
use crate::client::Client;
use crate::clock::Timestamp;
use crate::session::SessionId;
use crate::user::UserId;

/// The metrics' namespace.
pub const NAMESPACE: &str = "Latchkey";

/// The metrics' one dimension. With none, two deployments in one account and region would count together; with more, each
/// combination of values would be a metric that is paid for.
pub const DIMENSION: &str = "Service";

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
    fn line(&self, service: &ServiceName) -> String {
        serde_json::to_string(&Line::new(self, service)).unwrap_or_default() + "\n"
    }
}

/// Where audit lines go. Clones share one destination.
#[derive(Clone, Debug)]
pub struct AuditLog(Destination);

#[derive(Clone, Debug)]
enum Destination {
    Stdout(ServiceName),
    Stderr(ServiceName),
    Memory(Arc<Mutex<Vec<Entry>>>),
}

impl AuditLog {
    /// To standard output, which Lambda sends to CloudWatch Logs.
    pub const fn stdout(service: ServiceName) -> Self {
        Self(Destination::Stdout(service))
    }

    /// To standard error, for a program whose standard output is something else.
    pub const fn stderr(service: ServiceName) -> Self {
        Self(Destination::Stderr(service))
    }

    /// Into memory, to be read by [`AuditLog::entries`].
    pub fn memory() -> Self {
        Self(Destination::Memory(Arc::default()))
    }

    /// Writes one line.
    pub fn record(&self, entry: Entry) {
        // One write for the whole line, so that lines of parallel requests do not mix. A log that cannot be written does not
        // fail the request.
        let _ = match &self.0 {
            Destination::Stdout(service) => {
                std::io::stdout().lock().write_all(entry.line(service).as_bytes())
            }
            Destination::Stderr(service) => {
                std::io::stderr().lock().write_all(entry.line(service).as_bytes())
            }
            Destination::Memory(entries) => {
                entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
                Ok(())
            }
        };
    }

    /// What has been recorded in memory so far.
    pub fn entries(&self) -> Vec<Entry> {
        match &self.0 {
            Destination::Stdout(_) | Destination::Stderr(_) => Vec::new(),
            Destination::Memory(entries) => entries.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// What has been recorded in memory since this was asked last. It is forgotten here: a long run does not keep it all.
    pub fn take(&self) -> Vec<Entry> {
        match &self.0 {
            Destination::Stdout(_) | Destination::Stderr(_) => Vec::new(),
            Destination::Memory(entries) => {
                std::mem::take(&mut *entries.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_line_is_an_entry_and_a_metric() -> Result<(), serde_json::Error> {
        let now = Timestamp::from_epoch_seconds(1_800_000_000);
        let client = Client::new("203.0.113.7", "curl\n/8", "r-1");
        let line = Entry::new(Event::RefreshTokenReused, Outcome::Failure, &client, now)
            .because("superseded")
            .line(&ServiceName::default());
        assert_eq!(line.find('\n'), Some(line.len() - 1));
        let line: Value = serde_json::from_str(&line)?;
        assert_eq!(line["event"], "refresh_token_reused");
        assert_eq!((&line["outcome"], &line["reason"]), (&json!("failure"), &json!("superseded")));
        assert_eq!((&line["ip"], &line["user_agent"]), (&json!("203.0.113.7"), &json!("curl/8")));
        assert_eq!((&line["RefreshTokenReused"], &line["Service"]), (&json!(1), &json!("latchkey")));
        assert_eq!(line["_aws"]["Timestamp"], 1_800_000_000_000_u64);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "RefreshTokenReused");
        Ok(())
    }
}
