//! Time as an argument: a [`Timestamp`] is a whole second, a [`Clock`] is where a function reads it.

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point in time in whole seconds since the Unix epoch: the unit of JWT dates (RFC 7519 §2, `NumericDate`) and of
/// DynamoDB's time to live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The instant `seconds` after the Unix epoch.
    pub const fn from_epoch_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since the Unix epoch.
    pub const fn epoch_seconds(self) -> u64 {
        self.0
    }

    /// The time that has passed since `earlier`, or zero if `earlier` lies ahead: two Lambda instances never agree on
    /// the time to the last second.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.as_secs()))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span.as_secs()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a function reads the time. Clones share one clock.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The clock of the machine.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until it is moved by [`Clock::advance`].
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicU64::new(start.epoch_seconds()))))
    }

    /// The present second.
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's time is read")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => {
                // A machine whose clock stands before 1970 has no valid token: everything is in the future.
                Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
            }
            Source::Manual(seconds) => Timestamp(seconds.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock forward by the whole seconds of `span`. The clock of the machine stays as it is.
    pub fn advance(&self, span: Duration) {
        if let Source::Manual(seconds) = &self.0 {
            seconds.fetch_add(span.as_secs(), Ordering::SeqCst);
        }
    }

    /// Whether this is the clock of the machine.
    pub const fn is_system(&self) -> bool {
        matches!(self.0, Source::System)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_for_every_clone() {
        let clock = Clock::manual(Timestamp::from_epoch_seconds(100));
        let other = clock.clone();
        clock.advance(Duration::from_secs(5));
        assert_eq!(other.now().epoch_seconds(), 105);
    }

    #[test]
    fn a_moment_that_lies_ahead_is_no_time_ago() {
        let now = Timestamp::from_epoch_seconds(10);
        assert_eq!(now.since(now + Duration::from_secs(3)), Duration::ZERO);
    }
}
