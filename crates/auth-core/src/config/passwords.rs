//! What a password must be like and how it is hashed.

use super::{Settings, setting};
use crate::password::hash::{Hasher, HashingConfig};
use crate::password::rules::PasswordRules;

impl PasswordRules {
    /// Reads `PASSWORD_MIN_LENGTH`. Less than 8 is refused (NIST SP 800-63B §5.1.1.1).
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self { min_length: settings.number(&setting::PASSWORD_MIN_LENGTH, 8, 128) as usize }
    }
}

impl HashingConfig {
    /// Reads `ARGON2_MEMORY_KIB`, `ARGON2_ITERATIONS` and `ARGON2_PARALLELISM`. The lower bounds are the weakest
    /// of the settings that the OWASP Password Storage Cheat Sheet calls equal in strength; the upper ones keep a typing
    /// error from taking the service down.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            memory_kib: settings.number(&setting::ARGON2_MEMORY_KIB, 7_168, 1_048_576),
            iterations: settings.number(&setting::ARGON2_ITERATIONS, 1, 64),
            parallelism: settings.number(&setting::ARGON2_PARALLELISM, 1, 16),
        }
    }

    /// The hasher of this cost.
    pub fn hasher(self, settings: &mut Settings<'_>) -> Option<Hasher> {
        Hasher::new(self)
            .map_err(|error| settings.fault(&setting::ARGON2_MEMORY_KIB, &error.to_string()))
            .ok()
    }
}
