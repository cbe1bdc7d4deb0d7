//! Sessions: chains of refresh tokens, one for each login.
//!
//! # Layout
//!
//! - this file: what a session is and when it has ended
//! - [`policy`]: how long it lives
//! - `identifier`, `revocation`, `idempotency`, `retry`: its parts
//! - [`limit`]: which sessions end when a user has too many, as a pure decision
//! - [`rotation`]: what a presented refresh token is answered with, as a pure decision

mod idempotency;
mod identifier;
pub mod limit;
pub mod policy;
mod retry;
mod revocation;
pub mod rotation;

pub use self::idempotency::{IdempotencyDigest, MAXIMUM_IDEMPOTENCY_KEY};
pub use self::identifier::{Generation, INDEXED, NotASessionId, SessionId};
pub use self::retry::{Foreign, Replay, Retries, RetryMark};
pub use self::revocation::{Revocation, RevocationReason};

use self::policy::{Rotation, SessionConfig};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::user::UserId;

/// A session as the table holds one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub user: UserId,
    /// Which it is.
    pub id: SessionId,
    /// How often it has been rotated.
    pub generation: Generation,
    /// When the current generation began.
    pub rotated_at: Timestamp,
    /// The invocation that rotated it to the current generation; empty before the first rotation.
    pub rotated_by: String,
    /// The digest of the `Idempotency-Key` that came with the rotation to the current generation.
    pub idempotency: Option<IdempotencyDigest>,
    /// The repetitions of the rotation to the current generation that were counted.
    pub retries: Retries,
    /// The last repetition of any rotation that was counted.
    pub last_replay: Option<Replay>,
    /// When the login was.
    pub created_at: Timestamp,
    /// It ends here unless it is refreshed before.
    pub idle_ends_at: Timestamp,
    /// It ends here, whatever happens. Set at the login and never moved.
    pub absolute_ends_at: Timestamp,
    /// If it was ended.
    pub revoked: Option<Revocation>,
    /// Who logged in.
    pub created_by: Client,
    /// When it was last refreshed, or began.
    pub last_used_at: Timestamp,
    /// Who refreshed it last.
    pub last_used_by: Client,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was ended.
    Revoked(Revocation),
    /// It was not refreshed for too long.
    Idle,
    /// Its longest life is over.
    Absolute,
}

impl Session {
    /// A session that begins now.
    pub fn begin(
        user: UserId,
        id: SessionId,
        client: &Client,
        now: Timestamp,
        config: &SessionConfig,
    ) -> Self {
        Self {
            user,
            id,
            generation: Generation::FIRST,
            rotated_at: now,
            rotated_by: String::new(),
            idempotency: None,
            retries: Retries::new(),
            last_replay: None,
            created_at: now,
            idle_ends_at: now + config.idle_lifetime,
            absolute_ends_at: now + config.absolute_lifetime,
            revoked: None,
            created_by: client.clone(),
            last_used_at: now,
            last_used_by: client.clone(),
        }
    }

    /// Why it is over at `now`; `None` while it lives. Every end is checked here, as the table's deletion of expired items
    /// may come days late ("Using time to live in DynamoDB").
    pub fn ended(&self, now: Timestamp) -> Option<Ended> {
        if let Some(revocation) = self.revoked {
            return Some(Ended::Revoked(revocation));
        }
        if self.absolute_ends_at <= now {
            return Some(Ended::Absolute);
        }
        (self.idle_ends_at <= now).then_some(Ended::Idle)
    }

    /// The second at which it ends if nothing happens.
    pub fn ends_at(&self) -> Timestamp {
        self.idle_ends_at.min(self.absolute_ends_at)
    }

    /// How long its record is kept: reused tokens are recognised against it.
    pub fn kept_until(&self, config: &SessionConfig) -> Timestamp {
        self.idle_ends_at + config.retention
    }

    /// `exp` of its current refresh token. Without rotation the one token lasts as long as the session can.
    pub fn refresh_token_ends_at(&self, rotation: Rotation) -> Timestamp {
        match rotation {
            Rotation::On => self.ends_at(),
            Rotation::Off => self.absolute_ends_at,
        }
    }
}
