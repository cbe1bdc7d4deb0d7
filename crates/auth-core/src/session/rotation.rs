//! What a presented refresh token is answered with.
//!
//! | presented | stored | decision |
//! |---|---|---|
//! | *n* | *n*, live | [`Decision::Rotate`] |
//! | *n* | *n+1*, within the grace of that rotation | [`Decision::Replay`] |
//! | *n* | *n+1*, by this very invocation: the SDK tried twice | [`Decision::Replay`] |
//! | *n* | *n+1*, same `Idempotency-Key` as that rotation, with an access token issued before it | [`Decision::Replay`] |
//! | *n* | *n+1*, same `Idempotency-Key`, and this invocation is counted already | [`Decision::Replay`] |
//! | *n* | *n+1*, same `Idempotency-Key`, within the retry window, fewer than the retry limit counted | [`Decision::CountedReplay`] |
//! | *n* | anything newer otherwise | [`Decision::Reuse`] |
//! | any | revoked, idle or absolute end passed | [`Decision::Ended`] |
//! | *n* | older: the table was set back to a backup | [`Decision::Unknown`] |
//!
//! The store carries `Rotate` out as one conditional update whose condition says the same; the other rows are decided
//! from the state that the refused update brings back, so every outcome costs one write request (a counted replay and a
//! reuse one more).

use std::time::Duration;

use super::policy::{RetryPolicy, Rotation, SessionConfig};
use super::{Ended, Generation, IdempotencyDigest, RetryMark, Session};
use crate::clock::Timestamp;

/// A presented refresh token whose signature has been checked.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The generation that it stands for.
    pub generation: Generation,
    /// The digest of the request's `Idempotency-Key`, or of the access token that stands for one.
    pub idempotency: Option<IdempotencyDigest>,
    /// When the access token was issued that came with it; `None` unless the access token is valid and of the same session.
    pub access_issued_at: Option<Timestamp>,
    /// The invocation that presents it.
    pub invocation_id: String,
    /// When it is presented.
    pub at: Timestamp,
}

/// What the first row of the table writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The generation that the session moves to; `None` without rotation, where it is only marked as used.
    pub next: Option<Generation>,
    /// The new idle end.
    pub idle_ends_at: Timestamp,
    /// How long the record is kept.
    pub kept_until: Timestamp,
}

impl Presented {
    /// What is written if the session is at this token's generation.
    pub fn step(&self, config: &SessionConfig) -> Step {
        let idle_ends_at = self.at + config.idle_lifetime;
        Step {
            next: (config.rotation == Rotation::On).then(|| self.generation.next()),
            idle_ends_at,
            kept_until: idle_ends_at + config.retention,
        }
    }
}

/// What to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Move the session to its next generation and answer with that one's token.
    Rotate,
    /// The rotation has been done and its answer was lost, or is on its way to another tab: give the same one again.
    Replay,
    /// As [`Decision::Replay`], once the repetition is counted in the session.
    CountedReplay,
    /// Somebody holds a copy of a token that has been used: end the session.
    Reuse(ReuseReason),
    /// The session is over.
    Ended(Ended),
    /// The token is newer than the state. It is refused, but the session is left alone: nobody has used a token twice.
    Unknown,
}

/// Why a superseded refresh token counts as reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReuseReason {
    /// Its successor was used, or the grace period is over and the key is not that of the rotation.
    Superseded,
    /// The key is that of the rotation, but the retry window is over.
    RetryWindow,
    /// The key is that of the rotation, but as many repetitions were counted as the retry limit allows.
    RetryLimit,
}

impl ReuseReason {
    /// The word that audit lines use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::RetryWindow => "retry_window",
            Self::RetryLimit => "retry_limit",
        }
    }
}

/// Decides, from the session's stored state alone.
pub fn decide(session: &Session, presented: &Presented, policy: &RetryPolicy) -> Decision {
    if let Some(ended) = session.ended(presented.at) {
        return Decision::Ended(ended);
    }
    if session.generation == presented.generation {
        return Decision::Rotate;
    }
    if session.generation < presented.generation {
        return Decision::Unknown;
    }
    if session.generation != presented.generation.next() {
        return Decision::Reuse(ReuseReason::Superseded);
    }
    if in_grace(session, presented, policy.grace) || same_invocation(session, presented) {
        return Decision::Replay;
    }
    if same_key(session, presented) {
        return with_key(session, presented, policy);
    }
    Decision::Reuse(ReuseReason::Superseded)
}

/// Decides about a repetition after the grace period with the key of the rotation. Whoever copied the client's storage has that
/// key too, so that such repetitions are bounded.
fn with_key(session: &Session, presented: &Presented, policy: &RetryPolicy) -> Decision {
    // The life of that access token is the bound: the answer brings a newer one, with which this is not repeated.
    if presented.access_issued_at.is_some_and(|issued_at| issued_at <= session.rotated_at) {
        return Decision::Replay;
    }
    let Some(mark) = RetryMark::of(&presented.invocation_id) else {
        return Decision::Reuse(ReuseReason::RetryLimit);
    };
    if session.retries.contains(&mark) {
        return Decision::Replay;
    }
    if presented.at.since(session.rotated_at) > policy.window {
        return Decision::Reuse(ReuseReason::RetryWindow);
    }
    if u32::try_from(session.retries.len()).is_ok_and(|counted| counted < policy.limit) {
        Decision::CountedReplay
    } else {
        Decision::Reuse(ReuseReason::RetryLimit)
    }
}

/// Whole seconds: a replay is in the grace up to the end of its last second.
fn in_grace(session: &Session, presented: &Presented, grace: Duration) -> bool {
    !grace.is_zero() && presented.at.since(session.rotated_at) <= grace
}

/// A write that landed and whose answer was lost is tried again by the SDK, within one invocation.
fn same_invocation(session: &Session, presented: &Presented) -> bool {
    !presented.invocation_id.is_empty() && session.rotated_by == presented.invocation_id
}

fn same_key(session: &Session, presented: &Presented) -> bool {
    match (&session.idempotency, &presented.idempotency) {
        (Some(stored), Some(presented)) => stored == presented,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::policy::{RetryPolicy, Rotation, SessionConfig};
    use super::super::{Revocation, RevocationReason, SessionId};
    use super::*;
    use crate::client::Client;
    use crate::random::{Random, RandomnessUnavailable};
    use crate::user::UserId;

    const NOW: Timestamp = Timestamp::from_epoch_seconds(1_800_000_000);
    const POLICY: RetryPolicy =
        RetryPolicy { grace: Duration::from_secs(10), window: Duration::from_secs(7_200), limit: 3 };
    const NO_GRACE: RetryPolicy = RetryPolicy { grace: Duration::ZERO, ..POLICY };
    const REUSE: Decision = Decision::Reuse(ReuseReason::Superseded);

    fn session(generation: u64) -> Result<Session, RandomnessUnavailable> {
        let random = Random::seeded(1);
        let config = SessionConfig {
            access_lifetime: Duration::from_secs(3_600),
            idle_lifetime: Duration::from_secs(86_400),
            absolute_lifetime: Duration::from_secs(172_800),
            rotation: Rotation::On,
            retention: Duration::from_secs(86_400),
        };
        let user = UserId::generate(&random)?;
        let mut session =
            Session::begin(user, SessionId::generate(&random)?, &Client::default(), NOW, &config);
        session.generation = Generation::from_number(generation);
        Ok(session)
    }

    fn presented(generation: u64, seconds_later: u64) -> Presented {
        let at = NOW + Duration::from_secs(seconds_later);
        Presented {
            generation: Generation::from_number(generation),
            idempotency: None,
            access_issued_at: None,
            invocation_id: "r-9".to_owned(),
            at,
        }
    }

    #[test]
    fn the_current_token_rotates() -> Result<(), RandomnessUnavailable> {
        assert_eq!(decide(&session(4)?, &presented(4, 60), &POLICY), Decision::Rotate);
        Ok(())
    }

    #[test]
    fn the_previous_token_is_a_replay_in_the_grace_and_a_reuse_after_it() -> Result<(), RandomnessUnavailable>
    {
        for (seconds, decision) in
            [(0, Decision::Replay), (10, Decision::Replay), (11, REUSE), (3_600, REUSE)]
        {
            assert_eq!(decide(&session(5)?, &presented(4, seconds), &POLICY), decision, "{seconds} s");
        }
        Ok(())
    }

    #[test]
    fn a_grace_of_zero_is_no_grace() -> Result<(), RandomnessUnavailable> {
        assert_eq!(decide(&session(5)?, &presented(4, 0), &NO_GRACE), REUSE);
        Ok(())
    }

    #[test]
    fn a_request_that_the_sdk_tried_twice_is_its_own_replay() -> Result<(), RandomnessUnavailable> {
        let session = Session { rotated_by: "r-1".to_owned(), ..session(5)? };
        let by = |id: &str| Presented { invocation_id: id.to_owned(), ..presented(4, 4) };
        assert_eq!(decide(&session, &by("r-1"), &NO_GRACE), Decision::Replay);
        assert_eq!(decide(&session, &by("r-2"), &NO_GRACE), REUSE);
        assert_eq!(decide(&Session { rotated_by: String::new(), ..session }, &by(""), &NO_GRACE), REUSE);
        Ok(())
    }

    #[test]
    fn an_instance_whose_clock_is_behind_is_in_the_grace() -> Result<(), RandomnessUnavailable> {
        let mut session = session(5)?;
        session.rotated_at = NOW + Duration::from_secs(30);
        assert_eq!(decide(&session, &presented(4, 0), &POLICY), Decision::Replay);
        Ok(())
    }

    /// A session whose last rotation had the key `mine`, and what presents a token with that key.
    fn keyed() -> Result<(Session, impl Fn(u64, u64) -> Presented), RandomnessUnavailable> {
        let mut session = session(5)?;
        session.idempotency = IdempotencyDigest::of(&session.id, b"mine");
        let mine = session.idempotency.clone();
        let present = move |generation, seconds| Presented {
            idempotency: mine.clone(),
            ..presented(generation, seconds)
        };
        Ok((session, present))
    }

    #[test]
    fn the_idempotency_key_of_the_rotation_replays_it_after_the_grace() -> Result<(), RandomnessUnavailable> {
        let (session, present) = keyed()?;
        assert_eq!(decide(&session, &present(4, 3_600), &POLICY), Decision::CountedReplay);
        assert_eq!(decide(&session, &present(4, 10), &POLICY), Decision::Replay, "not counted in the grace");
        assert_eq!(decide(&session, &present(4, 0), &NO_GRACE), Decision::CountedReplay);
        assert_eq!(decide(&session, &present(3, 3_600), &POLICY), REUSE);
        let other = IdempotencyDigest::of(&session.id, b"other");
        assert_eq!(decide(&session, &Presented { idempotency: other, ..present(4, 3_600) }, &POLICY), REUSE);
        assert_eq!(decide(&session, &presented(4, 3_600), &POLICY), REUSE);
        let keyless = Session { idempotency: None, ..session };
        assert_eq!(decide(&keyless, &presented(4, 3_600), &POLICY), REUSE, "no key equals no key");
        Ok(())
    }

    #[test]
    fn a_keyed_replay_after_the_retry_window_is_a_reuse() -> Result<(), RandomnessUnavailable> {
        let (session, present) = keyed()?;
        let late = Decision::Reuse(ReuseReason::RetryWindow);
        for (seconds, decision) in [(7_200, Decision::CountedReplay), (7_201, late), (80_000, late)] {
            assert_eq!(decide(&session, &present(4, seconds), &POLICY), decision, "{seconds} s");
        }
        let none = RetryPolicy { window: Duration::ZERO, ..POLICY };
        assert_eq!(decide(&session, &present(4, 10), &none), Decision::Replay, "the grace stays");
        assert_eq!(decide(&session, &present(4, 11), &none), late);
        Ok(())
    }

    #[test]
    fn a_keyed_replay_beyond_the_retry_limit_is_a_reuse() -> Result<(), RandomnessUnavailable> {
        let (mut session, present) = keyed()?;
        for invocation in ["r-1", "r-2", "r-3"] {
            assert_eq!(decide(&session, &present(4, 60), &POLICY), Decision::CountedReplay, "{invocation}");
            session.retries.extend(RetryMark::of(invocation));
        }
        let full = Decision::Reuse(ReuseReason::RetryLimit);
        assert_eq!(decide(&session, &present(4, 60), &POLICY), full);
        assert_eq!(decide(&session, &present(4, 10), &POLICY), Decision::Replay, "the grace stays");
        let counted = Presented { invocation_id: "r-2".to_owned(), ..present(4, 60) };
        assert_eq!(decide(&session, &counted, &POLICY), Decision::Replay, "the SDK tried twice");
        session.retries.clear();
        assert_eq!(decide(&session, &present(4, 60), &RetryPolicy { limit: 0, ..POLICY }), full);
        let nameless = Presented { invocation_id: String::new(), ..present(4, 60) };
        assert_eq!(decide(&session, &nameless, &POLICY), full, "nothing to count it by");
        Ok(())
    }

    #[test]
    fn a_replay_with_an_access_token_from_before_the_rotation_is_not_counted()
    -> Result<(), RandomnessUnavailable> {
        let (mut session, present) = keyed()?;
        session.retries.extend(["r-1", "r-2", "r-3"].into_iter().filter_map(RetryMark::of));
        session.rotated_at = NOW + Duration::from_secs(60);
        let issued = |seconds| Presented {
            access_issued_at: Some(NOW + Duration::from_secs(seconds)),
            ..present(4, 10_000)
        };
        for (seconds, decision) in
            [(0, Decision::Replay), (60, Decision::Replay), (61, Decision::Reuse(ReuseReason::RetryWindow))]
        {
            assert_eq!(decide(&session, &issued(seconds), &POLICY), decision, "{seconds} s");
        }
        let keyless = Presented { idempotency: None, ..issued(0) };
        assert_eq!(decide(&session, &keyless, &POLICY), REUSE, "an access token alone is no key");
        Ok(())
    }

    #[test]
    fn an_older_token_is_a_reuse_even_in_the_grace() -> Result<(), RandomnessUnavailable> {
        assert_eq!(decide(&session(6)?, &presented(4, 0), &POLICY), REUSE);
        Ok(())
    }

    #[test]
    fn a_token_newer_than_the_state_ends_nothing() -> Result<(), RandomnessUnavailable> {
        assert_eq!(decide(&session(4)?, &presented(5, 0), &POLICY), Decision::Unknown);
        Ok(())
    }

    #[test]
    fn an_ended_session_answers_no_token() -> Result<(), RandomnessUnavailable> {
        let revocation = Revocation { at: NOW, reason: RevocationReason::Logout };
        let revoked = Session { revoked: Some(revocation), ..session(5)? };
        for generation in 3..=6 {
            let decision = decide(&revoked, &presented(generation, 0), &POLICY);
            assert_eq!(decision, Decision::Ended(Ended::Revoked(revocation)));
            assert_eq!(
                decide(&session(5)?, &presented(generation, 86_400), &POLICY),
                Decision::Ended(Ended::Idle)
            );
            assert_eq!(
                decide(&session(5)?, &presented(generation, 172_800), &POLICY),
                Decision::Ended(Ended::Absolute)
            );
        }
        Ok(())
    }
}
