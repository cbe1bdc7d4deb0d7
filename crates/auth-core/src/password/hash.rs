//! argon2id (RFC 9106) as PHC strings.

use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::Semaphore;

use super::Password;
use crate::random::Random;

/// The cost of argon2id (RFC 9106 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingConfig {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// A hashed password: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Not a PHC string of argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an argon2id hash")]
pub struct NotAHash;

impl PasswordHash {
    /// Takes the PHC string.
    ///
    /// # Errors
    ///
    /// [`NotAHash`].
    pub fn parse(text: &str) -> Result<Self, NotAHash> {
        let parsed = phc::PasswordHash::new(text).map_err(|_| NotAHash)?;
        let complete = parsed.salt.is_some() && parsed.hash.is_some();
        let argon2id = Algorithm::try_from(parsed.algorithm.as_str())
            .is_ok_and(|algorithm| algorithm == Algorithm::Argon2id);
        if complete && argon2id { Ok(Self(text.to_owned())) } else { Err(NotAHash) }
    }

    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// A password could not be hashed: no randomness, no memory, or a thread that died.
#[derive(Debug, thiserror::Error)]
#[error("a password could not be hashed: {0}")]
pub struct HashingFailed(#[source] Box<dyn std::error::Error + Send + Sync>);

impl HashingFailed {
    fn because(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

/// What a check of a password found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Right {
        /// The hash was made with other parameters than today's: replace it.
        outdated: bool,
    },
    /// It is not.
    Wrong,
}

/// Hashes and checks passwords, as many at a time as the machine has cores. Clones share their buffers.
///
/// argon2's buffer is kept between two passwords: writing 19 MiB of fresh pages costs about as much as a sixth of the hash.
#[derive(Clone)]
pub struct Hasher {
    params: Params,
    buffers: Arc<Mutex<Vec<Vec<Block>>>>,
    permits: Arc<Semaphore>,
    #[cfg(test)]
    computed: Arc<std::sync::atomic::AtomicUsize>,
}

impl Hasher {
    /// A hasher with one buffer, written to once so that its pages are there when the first password comes.
    ///
    /// # Errors
    ///
    /// [`HashingFailed`] if argon2 refuses the parameters.
    pub fn new(config: HashingConfig) -> Result<Self, HashingFailed> {
        let params = Params::new(config.memory_kib, config.iterations, config.parallelism, None);
        let params = params.map_err(HashingFailed::because)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let buffer = vec![Block::default(); params.block_count()];
        Ok(Self {
            params,
            buffers: Arc::new(Mutex::new(vec![buffer])),
            permits: Arc::new(Semaphore::new(cores)),
            #[cfg(test)]
            computed: Arc::default(),
        })
    }

    /// Hashes a new password with a random salt.
    ///
    /// # Errors
    ///
    /// [`HashingFailed`].
    pub async fn hash(&self, password: Password, random: &Random) -> Result<PasswordHash, HashingFailed> {
        let salt: [u8; 16] = random.bytes().map_err(HashingFailed::because)?;
        let params = self.params.clone();
        self.run(move |hasher| {
            let hash = hasher.compute(&password, &salt, &params, Version::default())?;
            let phc = phc::PasswordHash {
                algorithm: Algorithm::Argon2id.ident(),
                version: Some(Version::default().into()),
                params: ParamsString::try_from(&params).map_err(HashingFailed::because)?,
                salt: Some(Salt::new(&salt).map_err(HashingFailed::because)?),
                hash: Some(hash),
            };
            Ok(PasswordHash(phc.to_string()))
        })
        .await
    }

    /// Checks a password. With no hash to check it against, the answer is [`Verdict::Wrong`] after the same work, so that
    /// time does not tell which addresses are known.
    ///
    /// # Errors
    ///
    /// [`HashingFailed`].
    pub async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verdict, HashingFailed> {
        self.run(move |hasher| {
            if let Some(hash) = hash {
                return hasher.check(&password, &hash);
            }
            hasher.compute(&password, &[0; 16], &hasher.params, Version::default())?;
            Ok(Verdict::Wrong)
        })
        .await
    }

    /// Runs on a thread of its own: 20 ms of arithmetic would hold up every other request of this process.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, HashingFailed> + Send + 'static,
    ) -> Result<T, HashingFailed> {
        let _permit = self.permits.acquire().await.map_err(HashingFailed::because)?;
        let hasher = self.clone();
        tokio::task::spawn_blocking(move || work(&hasher)).await.map_err(HashingFailed::because)?
    }

    fn check(&self, password: &Password, hash: &PasswordHash) -> Result<Verdict, HashingFailed> {
        let stored = phc::PasswordHash::new(hash.as_str()).map_err(HashingFailed::because)?;
        let params = Params::try_from(&stored).map_err(HashingFailed::because)?;
        let version = stored.version.map_or(Ok(Version::default()), Version::try_from);
        let version = version.map_err(HashingFailed::because)?;
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
            return Err(HashingFailed::because(NotAHash));
        };
        // `Output` compares in constant time.
        if self.compute(password, salt, &params, version)? != *expected {
            return Ok(Verdict::Wrong);
        }
        Ok(Verdict::Right { outdated: !same_cost(&params, &self.params) || version != Version::default() })
    }

    fn compute(
        &self,
        password: &Password,
        salt: &[u8],
        params: &Params,
        version: Version,
    ) -> Result<Output, HashingFailed> {
        #[cfg(test)]
        self.computed.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let mut buffer =
            self.buffers.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        let blocks = params.block_count();
        if buffer.len() < blocks {
            buffer.resize(blocks, Block::default());
        }
        let mut output = [0; Output::MAX_LENGTH];
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let output = output.get_mut(..length).ok_or_else(|| HashingFailed::because(NotAHash))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, version, params.clone());
        let memory = buffer.get_mut(..blocks).unwrap_or_default();
        let result = argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, memory);
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
        result.map_err(HashingFailed::because)?;
        Output::new(output).map_err(HashingFailed::because)
    }
}

fn same_cost(one: &Params, other: &Params) -> bool {
    let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
    cost(one) == cost(other)
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher").field("params", &self.params).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type TestResult = Result<(), Box<dyn std::error::Error>>;

    fn hasher(memory_kib: u32) -> Result<Hasher, HashingFailed> {
        Hasher::new(HashingConfig { memory_kib, iterations: 1, parallelism: 1 })
    }

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_alone() -> TestResult {
        let hasher = hasher(64)?;
        let hash = hasher.hash(Password::new("correct horse"), &Random::seeded(1)).await?;
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{}", hash.as_str());
        let right = hasher.verify(Password::new("correct horse"), Some(hash.clone())).await?;
        assert_eq!(right, Verdict::Right { outdated: false });
        assert_eq!(hasher.verify(Password::new("correct horsf"), Some(hash)).await?, Verdict::Wrong);
        assert_eq!(hasher.verify(Password::new("correct horse"), None).await?, Verdict::Wrong);
        Ok(())
    }

    #[tokio::test]
    async fn an_unknown_address_costs_the_same_hash() -> TestResult {
        let hasher = hasher(64)?;
        let computed = || hasher.computed.load(std::sync::atomic::Ordering::SeqCst);
        let hash = hasher.hash(Password::new("correct horse"), &Random::seeded(1)).await?;
        for hash in [Some(hash), None] {
            let before = computed();
            hasher.verify(Password::new("not the password"), hash).await?;
            assert_eq!(computed() - before, 1);
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_still_verifies_and_is_outdated() -> TestResult {
        let hash = hasher(64)?.hash(Password::new("correct horse"), &Random::seeded(1)).await?;
        for memory_kib in [32, 128] {
            let verdict =
                hasher(memory_kib)?.verify(Password::new("correct horse"), Some(hash.clone())).await?;
            assert_eq!(verdict, Verdict::Right { outdated: true });
        }
        Ok(())
    }

    #[tokio::test]
    async fn the_test_vector_of_another_implementation_verifies() -> TestResult {
        // From the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1
        let phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let verdict = hasher(64)?.verify(Password::new("password"), Some(PasswordHash::parse(phc)?)).await?;
        assert_eq!(verdict, Verdict::Right { outdated: true });
        Ok(())
    }

    #[test]
    fn only_argon2id_is_a_hash() {
        for text in [
            "",
            "plain",
            "$2b$12$abcdefghijklmnopqrstuv",
            "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5Q",
        ] {
            assert_eq!(PasswordHash::parse(text), Err(NotAHash), "{text}");
        }
    }
}
