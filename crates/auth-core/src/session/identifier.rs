//! Which session, and which generation of it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::random::{Random, RandomnessUnavailable};

/// What the id of a session begins with that is in the index of live sessions: the highest of base64url, so that all such ids are
/// at one end of the sort key's range. An id of the first edition begins so with a probability of 2^-36.
pub const INDEXED: &str = "zzzzzz";

/// The bits of [`INDEXED`], whole bytes first.
const INDEXED_BYTES: [u8; 4] = [0xcf, 0x3c, 0xf3, 0xcf];
const INDEXED_HALF: u8 = 0x30;

/// Names a session: [`INDEXED`] and 220 random bits, 256 bits in all, in unpadded base64url (`sid`). Those of the first edition
/// are 256 random bits.
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
        let mut bytes = random.bytes::<32>()?;
        for (byte, fixed) in bytes.iter_mut().zip(INDEXED_BYTES) {
            *byte = fixed;
        }
        if let Some(byte) = bytes.get_mut(INDEXED_BYTES.len()) {
            *byte = INDEXED_HALF | (*byte & 0x0f);
        }
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
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

    /// Whether the session is in the index of live sessions, as long as it is live.
    pub fn is_indexed(&self) -> bool {
        self.0.starts_with(INDEXED)
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
        let random = Random::seeded(1);
        let sid = SessionId::generate(&random)?;
        assert!(sid.is_indexed() && sid.as_str() > INDEXED, "{sid}");
        assert_ne!(SessionId::generate(&random)?, sid);
        assert_eq!(SessionId::parse(sid.as_str()), Ok(sid));
        // One of the first edition.
        let first = SessionId::parse("q3Vn0eYk5rT8wZb1XcD6uJm4sLg7hPf2aQi9oRt0yEs");
        assert_eq!(first.map(|sid| sid.is_indexed()), Ok(false));
        for text in ["", "short", "*".repeat(43).as_str(), "A".repeat(44).as_str(), "A".repeat(42).as_str()] {
            assert_eq!(SessionId::parse(text), Err(NotASessionId), "{text}");
        }
        Ok(())
    }
}
