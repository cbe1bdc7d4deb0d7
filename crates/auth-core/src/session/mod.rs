//! Sessions: chains of refresh tokens, one for each login.
//!
//! # Layout
//!
//! - this file: what a session is and when it has ended
//! - [`policy`]: how long it lives
//! - [`rotation`]: what a presented refresh token is answered with, as a pure decision

pub mod policy;
pub mod rotation;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use self::policy::{Rotation, SessionConfig};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::random::{Random, RandomnessUnavailable};
use crate::user::UserId;

/// Names a session: 256 random bits in unpadded base64url (`sid`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct SessionId(String);

/// Not the identifier of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a session identifier")]
pub struct NotASessionId;

impl SessionId {
    /// A new one.
    ///
    /// # Errors
    ///
    /// If there is no randomness.
    pub fn generate(random: &Random) -> Result<Self, RandomnessUnavailable> {
        random.text::<32>().map(Self)
    }

    /// Takes the text form.
    ///
    /// # Errors
    ///
    /// [`NotASessionId`] for anything that is not 256 bits in base64url.
    pub fn parse(text: &str) -> Result<Self, NotASessionId> {
        match URL_SAFE_NO_PAD.decode(text) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            _ => Err(NotASessionId),
        }
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Counts the rotations of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(u64);

impl Generation {
    /// The generation of a session that has just begun.
    pub const FIRST: Self = Self(0);

    /// The one with this number.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The one after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

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
    /// The request that rotated it to the current generation; empty before the first rotation.
    pub rotated_by: String,
    /// The digest of the `Idempotency-Key` that came with the rotation to the current generation.
    pub idempotency: Option<IdempotencyDigest>,
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

/// When and why a session was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: RevocationReason,
}

/// Why a session was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationReason {
    /// The user logged out of it.
    Logout,
    /// The user ended it from another one.
    EndedByUser,
    /// The user ended all of them.
    RevokeAll,
    /// A superseded refresh token was presented.
    Reuse,
    /// The user is disabled.
    UserDisabled,
    /// A reason that this version does not know: another one wrote it.
    Other,
}

impl RevocationReason {
    /// The word that the table and the audit lines use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::EndedByUser => "ended_by_user",
            Self::RevokeAll => "revoke_all",
            Self::Reuse => "reuse",
            Self::UserDisabled => "user_disabled",
            Self::Other => "other",
        }
    }

    /// The reason of that word.
    pub fn parse(word: &str) -> Self {
        [Self::Logout, Self::EndedByUser, Self::RevokeAll, Self::Reuse, Self::UserDisabled]
            .into_iter()
            .find(|reason| reason.as_str() == word)
            .unwrap_or(Self::Other)
    }
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

/// The digest of an `Idempotency-Key`, bound to its session: the key of one session says nothing about another's, and
/// the table never holds the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyDigest(String);

impl IdempotencyDigest {
    /// The digest of `key` in the session `sid`.
    pub fn of(sid: &SessionId, key: &[u8]) -> Self {
        Self(crate::digest::of(&[b"idempotency-key", sid.as_str().as_bytes(), key]))
    }

    /// As the table holds it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From the table.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_is_256_bits_in_base64url() -> Result<(), RandomnessUnavailable> {
        let sid = SessionId::generate(&Random::seeded(1))?;
        assert_eq!(SessionId::parse(sid.as_str()), Ok(sid));
        for text in ["", "short", "*".repeat(43).as_str(), "A".repeat(44).as_str(), "A".repeat(42).as_str()] {
            assert_eq!(SessionId::parse(text), Err(NotASessionId), "{text}");
        }
        Ok(())
    }

    #[test]
    fn an_idempotency_key_counts_in_its_own_session_alone() -> Result<(), RandomnessUnavailable> {
        let random = Random::seeded(1);
        let (one, two) = (SessionId::generate(&random)?, SessionId::generate(&random)?);
        assert_eq!(IdempotencyDigest::of(&one, b"k"), IdempotencyDigest::of(&one, b"k"));
        assert_ne!(IdempotencyDigest::of(&one, b"k"), IdempotencyDigest::of(&two, b"k"));
        Ok(())
    }

    #[test]
    fn every_reason_survives_the_table() {
        for word in ["logout", "ended_by_user", "revoke_all", "reuse", "user_disabled"] {
            assert_eq!(RevocationReason::parse(word).as_str(), word);
        }
        assert_eq!(RevocationReason::parse("written by a later version"), RevocationReason::Other);
    }
}
