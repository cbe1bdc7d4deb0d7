//! How long tokens and sessions live.

use std::time::Duration;

/// Whether each refresh hands out a new refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    /// A new one each time (RFC 9700 §4.14.2).
    #[default]
    On,
    /// The same one for the whole session, for front ends that never store a new one.
    Off,
}

/// Which repetitions of a rotation are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The grace period: how long after a rotation every repetition is answered, with a key or without.
    pub grace: Duration,
    /// How long after a rotation a repetition with its `Idempotency-Key` is answered.
    pub window: Duration,
    /// How many repetitions of one rotation are answered after the grace period.
    pub limit: u32,
}

/// The lives of tokens and sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// Life of an access token.
    pub access_lifetime: Duration,
    /// Longest time between two refreshes.
    pub idle_lifetime: Duration,
    /// Longest life of a session, counted from the login.
    pub absolute_lifetime: Duration,
    /// Whether refresh tokens are rotated.
    pub rotation: Rotation,
    /// How long the record of an ended session is kept.
    pub retention: Duration,
}
