//! Randomness as an argument: [`Random`] is the one source of identifiers, salts and keys.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A source of random bytes. Clones share one source.
#[derive(Clone)]
pub struct Random(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<Seeded>>),
}

struct Seeded {
    seed: [u8; 32],
    drawn: u64,
}

/// The operating system had no random bytes to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no random bytes from the system")]
pub struct RandomnessUnavailable;

impl Random {
    /// AWS-LC's generator, seeded by the kernel.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// The same bytes in the same order for the same seed. For tests alone: whoever knows the seed knows every token.
    pub fn seeded(seed: u64) -> Self {
        let mut state = [0; 32];
        for (to, from) in state.iter_mut().zip(seed.to_le_bytes()) {
            *to = from;
        }
        Self(Source::Seeded(Arc::new(Mutex::new(Seeded { seed: state, drawn: 0 }))))
    }

    /// `N` random bytes.
    ///
    /// # Errors
    ///
    /// [`RandomnessUnavailable`] if the system has none; the request then fails, rather than go on with a guessable
    /// token.
    #[expect(clippy::disallowed_methods, reason = "the one place where the system's randomness is read")]
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], RandomnessUnavailable> {
        let mut bytes = [0; N];
        match &self.0 {
            Source::System => aws_lc_rs::rand::fill(&mut bytes).map_err(|_| RandomnessUnavailable)?,
            Source::Seeded(state) => state.lock().unwrap_or_else(PoisonError::into_inner).fill(&mut bytes),
        }
        Ok(bytes)
    }

    /// `N` random bytes in unpadded base64url.
    ///
    /// # Errors
    ///
    /// As [`Random::bytes`].
    pub fn text<const N: usize>(&self) -> Result<String, RandomnessUnavailable> {
        Ok(URL_SAFE_NO_PAD.encode(self.bytes::<N>()?))
    }
}

impl Seeded {
    /// SHA-256 in counter mode over the seed.
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let mut block = self.seed.to_vec();
            block.extend_from_slice(&self.drawn.to_le_bytes());
            self.drawn = self.drawn.wrapping_add(1);
            for (to, from) in chunk.iter_mut().zip(digest(&SHA256, &block).as_ref()) {
                *to = *from;
            }
        }
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Random(system)",
            Source::Seeded(_) => "Random(seeded)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_never_the_same_twice() -> Result<(), RandomnessUnavailable> {
        let (one, two) = (Random::seeded(7), Random::seeded(7));
        let first: [u8; 40] = one.bytes()?;
        assert_eq!(first, two.bytes()?);
        assert_ne!(first, one.bytes()?);
        Ok(())
    }

    #[test]
    fn the_system_never_repeats_itself() -> Result<(), RandomnessUnavailable> {
        assert_ne!(Random::system().text::<32>()?, Random::system().text::<32>()?);
        Ok(())
    }
}
