//! Which sessions end when a user has more than the limit.
//!
//! | session | what becomes of it |
//! |---|---|
//! | the one that has just begun | never revoked |
//! | live | revoked if more than the limit were used after it |
//! | revoked | its stale index item is deleted |
//! | idle or absolute end passed | not counted; its index item is deleted once no clock can take it for live |
//! | no record | not counted: its login is under way, or died. Its index item is deleted once no login can be under way |

use std::collections::HashMap;
use std::time::Duration;

use super::{Ended, Session, SessionId};
use crate::clock::Timestamp;

/// Longer than any request, and than clocks differ.
const SETTLED: Duration = Duration::from_secs(3_600);

/// What is to be done about the sessions of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surplus {
    /// Sessions to be revoked, the one used longest ago first.
    pub revoked: Vec<SessionId>,
    /// Sessions whose stale index items are to be deleted.
    pub forgotten: Vec<SessionId>,
}

/// Decides from the records of all sessions, and from the index items: id and begin.
pub fn surplus<'a>(
    records: &'a [Session],
    indexed: impl IntoIterator<Item = (&'a SessionId, Timestamp)>,
    own: &SessionId,
    limit: usize,
    now: Timestamp,
) -> Surplus {
    let mut live: Vec<_> =
        records.iter().filter(|session| session.id != *own && session.ended(now).is_none()).collect();
    live.sort_by(|a, b| {
        (a.last_used_at, a.created_at, a.id.as_str()).cmp(&(b.last_used_at, b.created_at, b.id.as_str()))
    });
    let others = limit.saturating_sub(1);
    let excess = live.len().saturating_sub(others);
    let revoked = live.iter().take(excess).map(|session| session.id.clone()).collect();
    Surplus { revoked, forgotten: stale(records, indexed, now) }
}

/// The sessions whose index items are stale.
pub fn stale<'a>(
    records: &'a [Session],
    indexed: impl IntoIterator<Item = (&'a SessionId, Timestamp)>,
    now: Timestamp,
) -> Vec<SessionId> {
    let records: HashMap<_, _> = records.iter().map(|session| (&session.id, session)).collect();
    let is_stale = |(sid, began): &(&SessionId, Timestamp)| match records.get(sid) {
        None => *began + SETTLED <= now,
        Some(session) => match session.ended(now) {
            None => false,
            Some(Ended::Revoked(_)) => true,
            Some(Ended::Idle | Ended::Absolute) => session.ends_at() + SETTLED <= now,
        },
    };
    indexed.into_iter().filter(is_stale).map(|(sid, _)| sid.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::policy::{Rotation, SessionConfig};
    use super::super::{Revocation, RevocationReason};
    use super::*;
    use crate::client::Client;
    use crate::random::{Random, RandomnessUnavailable};
    use crate::user::UserId;

    const NOW: Timestamp = Timestamp::from_epoch_seconds(1_800_000_000);

    fn before(seconds: u64) -> Timestamp {
        Timestamp::from_epoch_seconds(NOW.epoch_seconds() - seconds)
    }

    /// Sessions that were used so many seconds ago.
    fn sessions(last_uses: &[u64]) -> Result<Vec<Session>, RandomnessUnavailable> {
        let random = Random::seeded(1);
        let user = UserId::generate(&random)?;
        let config = SessionConfig {
            access_lifetime: Duration::from_secs(60),
            idle_lifetime: Duration::from_secs(86_400),
            absolute_lifetime: Duration::from_secs(864_000),
            rotation: Rotation::On,
            retention: Duration::from_secs(60),
        };
        last_uses
            .iter()
            .map(|seconds| {
                let sid = SessionId::generate(&random)?;
                Ok(Session::begin(user.clone(), sid, &Client::default(), before(*seconds), &config))
            })
            .collect()
    }

    fn decide(records: &[Session], own: &Session, limit: usize) -> Surplus {
        let indexed = records.iter().map(|session| (&session.id, session.created_at));
        surplus(records, indexed, &own.id, limit, NOW)
    }

    #[test]
    fn the_sessions_used_longest_ago_end_until_the_limit_holds() -> Result<(), RandomnessUnavailable> {
        let all = sessions(&[0, 50, 400, 10, 300])?;
        let ids = |at: &[usize]| {
            at.iter().filter_map(|at| all.get(*at)).map(|one| one.id.clone()).collect::<Vec<_>>()
        };
        let Some(own) = all.first() else { return Ok(()) };
        assert_eq!(decide(&all, own, 5), Surplus::default());
        assert_eq!(decide(&all, own, 4).revoked, ids(&[2]));
        assert_eq!(decide(&all, own, 2).revoked, ids(&[2, 4, 1]));
        assert_eq!(decide(&all, own, 1).revoked, ids(&[2, 4, 1, 3]), "never its own");
        Ok(())
    }

    #[test]
    fn a_session_of_the_same_second_goes_before_its_own() -> Result<(), RandomnessUnavailable> {
        let all = sessions(&[0, 0])?;
        for own in &all {
            let revoked = decide(&all, own, 1).revoked;
            assert_eq!(revoked.len(), 1);
            assert!(!revoked.contains(&own.id));
        }
        Ok(())
    }

    #[test]
    fn a_session_that_is_over_is_not_counted_and_leaves_the_index() -> Result<(), RandomnessUnavailable> {
        // Live, revoked, idle for an instant, idle for an hour.
        let mut all = sessions(&[0, 50, 86_400, 86_400 + 3_600])?;
        if let Some(revoked) = all.get_mut(1) {
            revoked.revoked = Some(Revocation { at: NOW, reason: RevocationReason::Logout });
        }
        let [own, revoked, _, idle] = all.as_slice() else { return Ok(()) };
        let decided = decide(&all, own, 1);
        assert_eq!(decided.revoked, []);
        assert_eq!(decided.forgotten, [revoked.id.clone(), idle.id.clone()]);
        Ok(())
    }

    #[test]
    fn an_index_item_without_a_record_is_kept_while_its_login_may_be_under_way()
    -> Result<(), RandomnessUnavailable> {
        let all = sessions(&[0, 3_599, 3_600])?;
        let [own, young, old] = all.as_slice() else { return Ok(()) };
        let indexed = all.iter().map(|session| (&session.id, session.created_at));
        let decided = surplus(std::slice::from_ref(own), indexed, &own.id, 1, NOW);
        assert_eq!(decided, Surplus { revoked: Vec::new(), forgotten: vec![old.id.clone()] });
        assert_ne!(young.id, old.id);
        Ok(())
    }
}
