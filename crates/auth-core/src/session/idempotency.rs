//! What is kept of an `Idempotency-Key`.

use super::SessionId;

/// Longest `Idempotency-Key` in characters: room for any UUID or digest.
pub const MAXIMUM_IDEMPOTENCY_KEY: usize = 255;

/// The digest of an `Idempotency-Key`, bound to its session: the key of one session says nothing about another's, and
/// the table never holds the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyDigest(String);

impl IdempotencyDigest {
    /// The digest of `key` in the session `sid`; `None` if it is not of 1 to [`MAXIMUM_IDEMPOTENCY_KEY`] visible characters
    /// of ASCII. A gateway may put one replacement in the place of any other byte, and keys that differ would be the same.
    pub fn of(sid: &SessionId, key: &[u8]) -> Option<Self> {
        let digest = || Self(crate::digest::of(&[b"idempotency-key", sid.as_str().as_bytes(), key]));
        let fits = (1..=MAXIMUM_IDEMPOTENCY_KEY).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
        fits.then(digest)
    }

    /// The digest of an access token that a refresh token came with, by its `jti`. It is of another kind than those of keys: no
    /// key of a request equals it.
    pub fn of_access_token(sid: &SessionId, jti: &str) -> Self {
        Self(crate::digest::of(&[b"access-token", sid.as_str().as_bytes(), jti.as_bytes()]))
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
    use crate::random::{Random, RandomnessUnavailable};

    #[test]
    fn an_idempotency_key_counts_in_its_own_session_alone() -> Result<(), RandomnessUnavailable> {
        let random = Random::seeded(1);
        let (one, two) = (SessionId::generate(&random)?, SessionId::generate(&random)?);
        assert_eq!(IdempotencyDigest::of(&one, b"k"), IdempotencyDigest::of(&one, b"k"));
        assert_ne!(IdempotencyDigest::of(&one, b"k"), IdempotencyDigest::of(&two, b"k"));
        assert_ne!(IdempotencyDigest::of(&one, b"k"), Some(IdempotencyDigest::of_access_token(&one, "k")));
        Ok(())
    }

    #[test]
    fn a_key_that_a_gateway_could_change_is_none() -> Result<(), RandomnessUnavailable> {
        let sid = SessionId::generate(&Random::seeded(1))?;
        let visible: Vec<u8> = (b'!'..=b'~').collect();
        assert!(IdempotencyDigest::of(&sid, &visible).is_some());
        for key in ["", "a b", " a", "a\t", "a\u{7f}", "\u{e9}", "\u{fffd}"] {
            assert_eq!(IdempotencyDigest::of(&sid, key.as_bytes()), None, "{key:?}");
        }
        Ok(())
    }
}
