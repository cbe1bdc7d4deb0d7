//! Time, randomness and the audit log, as one argument.

use crate::audit::{AuditLog, ServiceName};
use crate::clock::Clock;
use crate::random::Random;

/// What a function takes from the world around it, other than the table.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
    /// Where audit lines go.
    pub audit: AuditLog,
}

impl Platform {
    /// The machine's time and randomness, and standard output.
    pub const fn system(service: ServiceName) -> Self {
        Self { clock: Clock::system(), random: Random::system(), audit: AuditLog::stdout(service) }
    }
}
