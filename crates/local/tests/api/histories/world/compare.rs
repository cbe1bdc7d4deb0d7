//! The comparisons: what was answered, recorded and stored, against the model.

use std::fmt::Debug;

use auth_core::audit::Entry;
use serde_json::Value;

use super::{Failure, World};
use crate::histories::model::{Access, Audit, Outcome, Refresh, Session};
use crate::support::claims;
use crate::support::http::Reply;
use crate::support::table::{Item, number, text};

impl World<'_> {
    pub(super) fn compare_claims(
        &self,
        refresh: &Refresh,
        refresh_jwt: &str,
        access: &Access,
        access_jwt: &str,
    ) -> Result<(), Failure> {
        let sid = self.sids[refresh.session].as_str();
        let (told, pass) = (claims(refresh_jwt), claims(access_jwt));
        let numbers = |claims: &Value, names: [&str; 2]| names.map(|name| claims[name].as_u64());
        let generation = told["gen"].as_u64();
        agree("the refresh token's session", sid, told["sid"].as_str().unwrap_or_default())?;
        agree("the access token's session", sid, pass["sid"].as_str().unwrap_or_default())?;
        agree("the generation", Some(as_number(refresh.generation)), generation)?;
        let times = [Some(refresh.issued), Some(refresh.ends)];
        agree("the refresh token's times", times, numbers(&told, ["iat", "exp"]))?;
        let times = [Some(access.issued), Some(access.ends)];
        agree("the access token's times", times, numbers(&pass, ["iat", "exp"]))
    }

    pub(super) fn compare(
        &self,
        expected: &Outcome,
        reply: &Reply,
        entries: &[Entry],
    ) -> Result<(), Failure> {
        agree("the status", expected.status, reply.status)?;
        agree("the code", expected.code, reply.code())?;
        let audit = entries.iter().map(|entry| self.audited(entry)).collect::<Result<Vec<_>, _>>()?;
        let expected: Vec<_> = expected.audit.iter().map(|line| self.line(*line)).collect();
        agree("the audit lines", expected, audit)
    }

    /// An audit line as the log has it: with the outcome, and with the session's identifier.
    fn line(&self, (event, reason, session): Audit) -> [String; 4] {
        let answered = reason.is_empty() || event == "foreign_replay";
        let outcome = if answered { "success" } else { "failure" };
        let sid = session.map(|session| self.sids[session].clone()).unwrap_or_default();
        [event.to_owned(), outcome.to_owned(), reason.to_owned(), sid]
    }

    fn audited(&self, entry: &Entry) -> Result<[String; 4], Failure> {
        agree("who called", "127.0.0.1", entry.ip.as_str())?;
        agree("the time of an audit line", self.model.now, entry.timestamp.epoch_seconds())?;
        let entry = serde_json::to_value(entry).map_err(|error| error.to_string())?;
        let user = entry["user_id"].as_str();
        agree("the user of an audit line", true, user.is_none_or(|user| user == self.user))?;
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        Ok(["event", "outcome", "reason", "session_id"].map(text))
    }

    /// Each session is stored as the model says, and nothing else is.
    pub(super) async fn compare_table(&self) -> Result<(), Failure> {
        let items = self.items().await;
        let kept = self.model.sessions.iter().filter(|session| !session.deleted).count();
        agree("the number of stored sessions", kept, items.len())?;
        for (at, session) in self.model.sessions.iter().enumerate().filter(|(_, session)| !session.deleted) {
            let sid = self.sids[at].as_str();
            let item = items.iter().find(|item| sid_of(item) == sid).ok_or("a session is gone")?;
            self.compare_item(session, item, self.rotated_by[at].as_deref())
                .map_err(|why| format!("session {at}: {why}"))?;
        }
        Ok(())
    }

    fn compare_item(&self, session: &Session, item: &Item, by: Option<&str>) -> Result<(), Failure> {
        let rules = &self.model.rules;
        let (ended_at, ended_why) = session.ended.unwrap_or_default();
        for (name, expected) in [
            ("generation", as_number(session.generation())),
            ("created_at", session.began),
            ("rotated_at", session.moved()),
            ("last_used_at", session.used),
            ("idle_ends_at", session.idle_end(rules)),
            ("absolute_ends_at", session.absolute_end(rules)),
            ("expires_at", self.model.kept_until(session)),
            ("revoked_at", ended_at),
        ] {
            agree(name, expected, number(item, name))?;
        }
        agree("revoked_reason", ended_why, text(item, "revoked_reason"))?;
        agree("idempotency_digest", session.keyed(), item.contains_key("idempotency_digest"))?;
        let counted = item.get("retries").map_or(0, |marks| marks.as_ss().map_or(0, Vec::len));
        agree("the counted repetitions", session.repeated(), counted)?;
        agree("whether there is a count", counted > 0, item.contains_key("retries_of"))?;
        let (replayed_at, replayed_by) = session.replayed.clone().unwrap_or_default();
        agree("replayed_at", replayed_at, number(item, "replayed_at"))?;
        agree("replay_user_agent", replayed_by.as_str(), text(item, "replay_user_agent"))?;
        agree("last_user_agent", session.agent.as_str(), text(item, "last_user_agent"))?;
        agree("rotated_by", by.unwrap_or(text(item, "rotated_by")), text(item, "rotated_by"))
    }
}

pub(super) fn sid_of(item: &Item) -> &str {
    text(item, "sk").trim_start_matches("SESSION#")
}

pub(super) fn as_number(count: usize) -> u64 {
    u64::try_from(count).expect("a small number")
}

#[expect(clippy::needless_pass_by_value, reason = "what is compared is mostly made for it")]
pub(super) fn agree<T: PartialEq + Debug>(what: &str, expected: T, found: T) -> Result<(), Failure> {
    if expected == found { Ok(()) } else { Err(format!("{what}: expected {expected:?}, found {found:?}")) }
}
