//! What a presented refresh token is answered with.
//!
//! | presented | stored | decision |
//! |---|---|---|
//! | *n* | *n*, live | [`Decision::Rotate`] |
//! | *n* | *n+1*, within the grace of that rotation | [`Decision::Replay`] |
//! | *n* | *n+1*, same `Idempotency-Key` as that rotation | [`Decision::Replay`] |
//! | *n* | *n+1*, by this very invocation: the SDK tried twice | [`Decision::Replay`] |
//! | *n* | anything newer otherwise | [`Decision::Reuse`] |
//! | any | revoked, idle or absolute end passed | [`Decision::Ended`] |
//! | *n* | older: the table was set back to a backup | [`Decision::Unknown`] |
//!
//! The store carries `Rotate` out as one conditional update whose condition says the same; the other rows are decided
//! from the state that the refused update brings back, so every outcome costs one write request (reuse one more).

use std::time::Duration;

use super::policy::{Rotation, SessionConfig};
use super::{Ended, Generation, IdempotencyDigest, Session};
use crate::clock::Timestamp;

/// A presented refresh token whose signature has been checked.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The generation that it stands for.
    pub generation: Generation,
    /// The digest of the request's `Idempotency-Key`.
    pub idempotency: Option<IdempotencyDigest>,
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
    /// Somebody holds a copy of a token that has been used: end the session.
    Reuse,
    /// The session is over.
    Ended(Ended),
    /// The token is newer than the state. It is refused, but the session is left alone: nobody has used a token twice.
    Unknown,
}

/// Decides, from the session's stored state alone.
pub fn decide(session: &Session, presented: &Presented, grace: Duration) -> Decision {
    if let Some(ended) = session.ended(presented.at) {
        return Decision::Ended(ended);
    }
    if session.generation == presented.generation {
        return Decision::Rotate;
    }
    if session.generation < presented.generation {
        return Decision::Unknown;
    }
    let immediate = session.generation == presented.generation.next();
    if immediate
        && (in_grace(session, presented, grace)
            || same_key(session, presented)
            || same_invocation(session, presented))
    {
        Decision::Replay
    } else {
        Decision::Reuse
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
    use super::super::policy::{Rotation, SessionConfig};
    use super::super::{Revocation, RevocationReason, SessionId};
    use super::*;
    use crate::client::Client;
    use crate::random::{Random, RandomnessUnavailable};
    use crate::user::UserId;

    const NOW: Timestamp = Timestamp::from_epoch_seconds(1_800_000_000);
    const GRACE: Duration = Duration::from_secs(10);

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
            invocation_id: String::new(),
            at,
        }
    }

    #[test]
    fn the_current_token_rotates() -> Result<(), RandomnessUnavailable> {
        assert_eq!(decide(&session(4)?, &presented(4, 60), GRACE), Decision::Rotate);
        Ok(())
    }

    #[test]
    fn the_previous_token_is_a_replay_in_the_grace_and_a_reuse_after_it() -> Result<(), RandomnessUnavailable>
    {
        for (seconds, decision) in
            [(0, Decision::Replay), (10, Decision::Replay), (11, Decision::Reuse), (3_600, Decision::Reuse)]
        {
            assert_eq!(decide(&session(5)?, &presented(4, seconds), GRACE), decision, "{seconds} s");
        }
        Ok(())
    }

    #[test]
    fn a_grace_of_zero_is_no_grace() -> Result<(), RandomnessUnavailable> {
        assert_eq!(decide(&session(5)?, &presented(4, 0), Duration::ZERO), Decision::Reuse);
        Ok(())
    }

    #[test]
    fn a_request_that_the_sdk_tried_twice_is_its_own_replay() -> Result<(), RandomnessUnavailable> {
        let session = Session { rotated_by: "r-1".to_owned(), ..session(5)? };
        let by = |id: &str| Presented { invocation_id: id.to_owned(), ..presented(4, 4) };
        assert_eq!(decide(&session, &by("r-1"), Duration::ZERO), Decision::Replay);
        assert_eq!(decide(&session, &by("r-2"), Duration::ZERO), Decision::Reuse);
        assert_eq!(
            decide(&Session { rotated_by: String::new(), ..session }, &by(""), Duration::ZERO),
            Decision::Reuse
        );
        Ok(())
    }

    #[test]
    fn an_instance_whose_clock_is_behind_is_in_the_grace() -> Result<(), RandomnessUnavailable> {
        let mut session = session(5)?;
        session.rotated_at = NOW + Duration::from_secs(30);
        assert_eq!(decide(&session, &presented(4, 0), GRACE), Decision::Replay);
        Ok(())
    }

    #[test]
    fn the_idempotency_key_of_the_rotation_replays_it_at_any_time() -> Result<(), RandomnessUnavailable> {
        let mut session = session(5)?;
        let digest = |key: &[u8]| IdempotencyDigest::of(&session.id, key);
        let (mine, other) = (digest(b"mine"), digest(b"other"));
        session.idempotency.clone_from(&mine);
        let present = |generation, idempotency: &Option<_>| Presented {
            idempotency: idempotency.clone(),
            ..presented(generation, 3_600)
        };
        assert_eq!(decide(&session, &present(4, &mine), GRACE), Decision::Replay);
        assert_eq!(decide(&session, &present(4, &other), GRACE), Decision::Reuse);
        assert_eq!(decide(&session, &present(4, &None), GRACE), Decision::Reuse);
        assert_eq!(decide(&session, &present(3, &mine), GRACE), Decision::Reuse);
        session.idempotency = None;
        assert_eq!(decide(&session, &present(4, &None), GRACE), Decision::Reuse, "no key equals no key");
        Ok(())
    }

    #[test]
    fn an_older_token_is_a_reuse_even_in_the_grace() -> Result<(), RandomnessUnavailable> {
        assert_eq!(decide(&session(6)?, &presented(4, 0), GRACE), Decision::Reuse);
        Ok(())
    }

    #[test]
    fn a_token_newer_than_the_state_ends_nothing() -> Result<(), RandomnessUnavailable> {
        assert_eq!(decide(&session(4)?, &presented(5, 0), GRACE), Decision::Unknown);
        Ok(())
    }

    #[test]
    fn an_ended_session_answers_no_token() -> Result<(), RandomnessUnavailable> {
        let revocation = Revocation { at: NOW, reason: RevocationReason::Logout };
        let revoked = Session { revoked: Some(revocation), ..session(5)? };
        for generation in 3..=6 {
            let decision = decide(&revoked, &presented(generation, 0), GRACE);
            assert_eq!(decision, Decision::Ended(Ended::Revoked(revocation)));
            assert_eq!(
                decide(&session(5)?, &presented(generation, 86_400), GRACE),
                Decision::Ended(Ended::Idle)
            );
            assert_eq!(
                decide(&session(5)?, &presented(generation, 172_800), GRACE),
                Decision::Ended(Ended::Absolute)
            );
        }
        Ok(())
    }
}
