//! What is said about an act: to people as lines, to programs as one JSON object.

use auth_core::address::Address;
use auth_core::clock::Timestamp;
use auth_core::session::{Ended, Session, SessionId};
use auth_core::store::{Revoked, Streak};
use auth_core::user::{User, UserId, UserStatus};
use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use serde_json::{Value, json};

use crate::address::Unlocked;
use crate::addresses::Addresses;
use crate::deletion::Deleted;
use crate::status::Disabled;

/// The outcome of an act.
#[derive(Clone, Debug)]
pub enum Report {
    /// The sessions of a user at a time.
    Sessions(User, Vec<Session>, Timestamp),
    /// One session was to be ended.
    End(User, SessionId, Revoked),
    /// So many live sessions were ended.
    EndAll(User, usize),
    /// A user was disabled.
    Disable(User, Disabled),
    /// A user was enabled; the status before.
    Enable(User, UserStatus),
    /// An address and the password changes of its user were unlocked.
    Unlock(Address, Unlocked),
    /// A user was deleted.
    Delete(User, Deleted),
    /// All addresses were compared.
    Addresses(Addresses),
}

impl Report {
    /// For people.
    pub fn text(&self) -> String {
        match self {
            Self::Sessions(user, sessions, now) => {
                let head = format!("{} {} {}\n", user.email, user.id, status(user.status));
                head + &table(sessions, *now)
            }
            Self::End(user, sid, Revoked::Now) => format!("session {sid} of {} has been ended\n", user.email),
            Self::End(user, sid, Revoked::NotLive) => {
                format!("session {sid} of {} had been ended before\n", user.email)
            }
            Self::EndAll(user, ended) => format!("{} of {} ended\n", count(*ended), user.email),
            Self::Disable(user, Disabled { before, ended }) => {
                let was = if *before == UserStatus::Disabled { "was disabled before" } else { "is disabled" };
                format!("{} {was}; {} ended\n", user.email, count(*ended))
            }
            Self::Enable(user, UserStatus::Active) => format!("{} was enabled before\n", user.email),
            Self::Enable(user, UserStatus::Disabled) => {
                format!("{} may sign in again; ended sessions stay ended\n", user.email)
            }
            Self::Unlock(address, unlocked) => {
                let address = address.as_str();
                let login = format!("{address} {}\n", row(unlocked.login));
                match unlocked.password_change {
                    Streak::None | Streak::Stale => login,
                    streak => login + &format!("the password change of {address} {}\n", row(streak)),
                }
            }
            Self::Delete(user, Deleted { ended, records }) => {
                let records =
                    if *records == 1 { "1 record".to_owned() } else { format!("{records} records") };
                format!("{} is deleted, with {records} of sessions; {} ended\n", user.email, count(*ended))
            }
            Self::Addresses(addresses) => shared(addresses),
        }
    }

    /// For programs. Times are epoch seconds.
    pub fn json(&self) -> Value {
        match self {
            Self::Sessions(user, sessions, now) => {
                let sessions: Vec<Value> = sessions.iter().map(|session| describe(session, *now)).collect();
                json!({"userId": user.id, "email": user.email, "status": status(user.status), "sessions": sessions})
            }
            Self::End(user, sid, revoked) => {
                json!({"userId": user.id, "sessionId": sid, "endedSessions": usize::from(*revoked == Revoked::Now)})
            }
            Self::EndAll(user, ended) => json!({"userId": user.id, "endedSessions": ended}),
            Self::Disable(user, Disabled { before, ended }) => {
                json!({"userId": user.id, "status": "disabled", "before": status(*before), "endedSessions": ended})
            }
            Self::Enable(user, before) => {
                json!({"userId": user.id, "status": "active", "before": status(*before)})
            }
            Self::Unlock(address, Unlocked { login, password_change }) => {
                json!({
                    "email": address.as_str(),
                    "lockedUntil": locked_until(*login),
                    "passwordChangeLockedUntil": locked_until(*password_change),
                })
            }
            Self::Delete(user, Deleted { ended, records }) => {
                json!({"userId": user.id, "status": "deleted", "endedSessions": ended, "deletedSessions": records})
            }
            Self::Addresses(addresses) => describe_shared(addresses),
        }
    }
}

fn shared(Addresses { checked, shared }: &Addresses) -> String {
    let head = format!("{checked} addresses were compared; {} have more than one account\n", shared.len());
    let lines = shared.iter().flat_map(|(address, accounts)| {
        let line = move |(stored, user): &(String, UserId)| format!("{address}  {stored}  {user}\n");
        accounts.iter().map(line)
    });
    head + &lines.collect::<String>()
}

fn describe_shared(Addresses { checked, shared }: &Addresses) -> Value {
    let accounts = |accounts: &[(String, UserId)]| {
        accounts.iter().map(|(stored, user)| json!({"email": stored, "userId": user})).collect::<Vec<_>>()
    };
    let shared: Vec<Value> = shared
        .iter()
        .map(|(address, found)| json!({"address": address, "accounts": accounts(found)}))
        .collect();
    json!({"checked": checked, "shared": shared})
}

const fn status(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Active => "active",
        UserStatus::Disabled => "disabled",
    }
}

fn count(sessions: usize) -> String {
    if sessions == 1 { "1 live session".to_owned() } else { format!("{sessions} live sessions") }
}

const fn locked_until(streak: Streak) -> Option<Timestamp> {
    match streak {
        Streak::Locked { until } => Some(until),
        Streak::Running | Streak::None | Streak::Stale => None,
    }
}

fn row(streak: Streak) -> String {
    match streak {
        Streak::Locked { until } => format!("was locked until {}; it is not any more", time(until)),
        Streak::Running => "had failures, and was not locked; they are forgotten".to_owned(),
        Streak::None | Streak::Stale => "had no failures; its attempts are forgotten".to_owned(),
    }
}

/// Why a session is over, in the words of the audit lines; `live` while it is not.
fn state(session: &Session, now: Timestamp) -> &'static str {
    match session.ended(now) {
        None => "live",
        Some(Ended::Revoked(revocation)) => revocation.reason.as_str(),
        Some(Ended::Idle) => "idle_end",
        Some(Ended::Absolute) => "absolute_end",
    }
}

/// When it ended, or will.
fn end(session: &Session) -> Timestamp {
    session.revoked.map_or_else(|| session.ends_at(), |revocation| revocation.at)
}

fn describe(session: &Session, now: Timestamp) -> Value {
    let state = state(session, now);
    json!({
        "sessionId": session.id,
        "live": state == "live",
        "reason": if state == "live" { None } else { Some(state) },
        "createdAt": session.created_at,
        "lastUsedAt": session.last_used_at,
        "endsAt": end(session),
        "generation": session.generation,
        "ip": session.last_used_by.ip,
        "userAgent": session.last_used_by.user_agent,
        "lastReplay": session.last_replay.as_ref().map(|replay| json!({
            "at": replay.at,
            "ip": replay.by.ip,
            "userAgent": replay.by.user_agent,
        })),
    })
}

fn table(sessions: &[Session], now: Timestamp) -> String {
    let titles = ["SESSION", "STATE", "CREATED", "LAST USED", "ENDS OR ENDED", "IP", "USER AGENT"];
    let mut rows = vec![titles.map(str::to_owned)];
    rows.extend(sessions.iter().map(|session| {
        [
            session.id.to_string(),
            state(session, now).to_owned(),
            time(session.created_at),
            time(session.last_used_at),
            time(end(session)),
            session.last_used_by.ip.clone(),
            session.last_used_by.user_agent.clone(),
        ]
    }));
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; 7]| {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// As RFC 3339 writes it, in UTC.
fn time(timestamp: Timestamp) -> String {
    let seconds = i64::try_from(timestamp.epoch_seconds()).unwrap_or(i64::MAX);
    // What is too far away for a calendar is shown as it is.
    DateTime::from_secs(seconds).fmt(DateTimeFormat::DateTime).unwrap_or_else(|_| timestamp.to_string())
}
