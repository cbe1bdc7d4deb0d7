//! Which session, and which generation of it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::random::{Random, RandomnessUnavailable};

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
}
