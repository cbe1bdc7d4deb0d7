//! What is kept of an `Idempotency-Key`.

use super::SessionId;

/// Longest `Idempotency-Key` in bytes: room for any UUID or digest.
pub const MAXIMUM_IDEMPOTENCY_KEY: usize = 255;

/// The digest of an `Idempotency-Key`, bound to its session: the key of one session says nothing about another's, and
/// the table never holds the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyDigest(String);

impl IdempotencyDigest {
    /// The digest of `key` in the session `sid`; `None` if it has no byte, or more than [`MAXIMUM_IDEMPOTENCY_KEY`].
    pub fn of(sid: &SessionId, key: &[u8]) -> Option<Self> {
        let digest = || Self(crate::digest::of(&[b"idempotency-key", sid.as_str().as_bytes(), key]));
        (1..=MAXIMUM_IDEMPOTENCY_KEY).contains(&key.len()).then(digest)
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
}
