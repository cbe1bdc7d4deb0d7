//! The sliding window: at most so many hits in any span of a given length.
//!
//! A counter stores how many hits fell into each slot of time, and their total. A slot is one second, or for a limit above
//! [`SLOTS`] a part of the window. An expired slot stays in the counter, and in its total, until the total reaches the limit: then
//! one update removes the expired slots and counts the new hit. In between, a hit is one update whose condition compares the total.
//!
//! What is decided here is pure. [`Step`] is an update with its condition; `store/counts.rs` sends it, and
//! `tests/limit_model` searches every order of steps.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;

/// Most slots of a counter. A limit up to this many hits is exact to the second. It also bounds the item (about 2 KB) and the
/// expression of an update ("Quotas in Amazon DynamoDB": 300 operators, 4 KB).
pub const SLOTS: u32 = 100;

/// At most `most` hits in any span of length `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    most: u32,
    window: Duration,
}

/// The hits that a counter stores: by the first second of their slot, and in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tally {
    /// The sum over `slots`.
    pub total: u64,
    /// The hits of each slot, expired slots among them.
    pub slots: BTreeMap<Timestamp, u64>,
}

/// A conditional update that counts one hit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// The slot that gets the hit.
    pub slot: Timestamp,
    /// The expired slots that are removed. Condition: each still has these hits.
    pub expired: Vec<(Timestamp, u64)>,
    /// The hits of the removed slots. The total changes by one minus this.
    pub removed: u64,
    /// Condition: the total is below this.
    pub below: u64,
    /// When this hit has expired, and the whole counter if no other hit follows.
    pub expires_at: Timestamp,
}

/// Whether a hit may be counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It may, by this update.
    Count(Step),
    /// The limit is reached.
    Full {
        /// When a hit may be counted again, if no other hit comes first.
        until: Timestamp,
    },
}

impl RateLimit {
    /// A limit. A window under a second counts as one.
    pub fn new(most: u32, window: Duration) -> Self {
        Self { most, window: window.max(Duration::from_secs(1)) }
    }

    /// The same window with `factor` times as many hits.
    #[must_use]
    pub const fn times(self, factor: u32) -> Self {
        Self { most: self.most.saturating_mul(factor), ..self }
    }

    /// The first update that is tried, before the counter is known.
    pub fn first_step(&self, now: Timestamp) -> Step {
        self.step(now, Vec::new(), u64::from(self.most.min(SLOTS)))
    }

    /// What follows from a counter whose state refused an update.
    pub fn judge(&self, tally: &Tally, now: Timestamp) -> Verdict {
        let (expired, live): (Vec<_>, Vec<_>) = tally
            .slots
            .iter()
            .map(|(slot, hits)| (*slot, *hits))
            .partition(|(slot, _)| self.expiry(*slot) <= now);
        let counted: u64 = live.iter().map(|(_, hits)| hits).sum();
        if counted >= u64::from(self.most) {
            return Verdict::Full { until: self.free_at(&live, counted) };
        }
        let removed = tally.total.saturating_sub(counted);
        let step = self.step(now, expired, u64::from(self.most) + removed);
        Verdict::Count(Step { removed, ..step })
    }

    fn step(&self, now: Timestamp, expired: Vec<(Timestamp, u64)>, below: u64) -> Step {
        let slot = self.slot(now);
        Step { slot, expired, removed: 0, below, expires_at: self.expiry(slot) }
    }

    /// When enough of the oldest hits have expired.
    fn free_at(&self, live: &[(Timestamp, u64)], counted: u64) -> Timestamp {
        let mut left = counted;
        let freeing = live.iter().find(|(_, hits)| {
            left = left.saturating_sub(*hits);
            left < u64::from(self.most)
        });
        freeing.map_or_else(Timestamp::default, |(slot, _)| self.expiry(*slot))
    }

    /// When the last hit of a slot is a whole window ago.
    fn expiry(&self, slot: Timestamp) -> Timestamp {
        slot + Duration::from_secs(self.slot_length() - 1) + self.window
    }

    fn slot(&self, now: Timestamp) -> Timestamp {
        let seconds = now.epoch_seconds();
        Timestamp::from_epoch_seconds(seconds - seconds % self.slot_length())
    }

    /// In seconds, at least one.
    fn slot_length(&self) -> u64 {
        if self.most <= SLOTS { 1 } else { self.window.as_secs().div_ceil(u64::from(SLOTS)).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_epoch_seconds(1_800_000_000 + seconds)
    }

    /// What the table does with an update: the conditions, then the arithmetic.
    fn apply(tally: &mut Tally, step: &Step) -> bool {
        let expired_as_seen = step.expired.iter().all(|(slot, hits)| tally.slots.get(slot) == Some(hits));
        if tally.total >= step.below || !expired_as_seen {
            return false;
        }
        tally.total = tally.total + 1 - step.removed;
        for (slot, _) in &step.expired {
            tally.slots.remove(slot);
        }
        *tally.slots.entry(step.slot).or_default() += 1;
        true
    }

    /// Counts a hit as the store does; the time of a refusal's end if there is none.
    fn hit(limit: &RateLimit, tally: &mut Tally, now: Timestamp) -> Result<(), Timestamp> {
        if apply(tally, &limit.first_step(now)) {
            return Ok(());
        }
        match limit.judge(tally, now) {
            Verdict::Full { until } => Err(until),
            Verdict::Count(step) => {
                assert!(apply(tally, &step), "nobody came in between");
                Ok(())
            }
        }
    }

    proptest! {
        /// Against a list of every hit: one is refused exactly if the limit's number of hits is less than a window ago.
        #[test]
        fn up_to_a_hundred_hits_the_window_is_exact(
            most in 1_u32..=6,
            window in 1_u64..=12,
            pauses in vec(0_u64..=5, 1..60),
        ) {
            let limit = RateLimit::new(most, Duration::from_secs(window));
            let (mut tally, mut hits, mut seconds) = (Tally::default(), Vec::new(), 0_u64);
            for pause in pauses {
                seconds += pause;
                let recent: Vec<u64> = hits.iter().copied().filter(|hit| hit + window > seconds).collect();
                match hit(&limit, &mut tally, at(seconds)) {
                    Ok(()) => {
                        prop_assert!(recent.len() < most as usize);
                        hits.push(seconds);
                    }
                    Err(until) => {
                        prop_assert_eq!(recent.len(), most as usize);
                        prop_assert_eq!(until, at(recent[0] + window), "the oldest leaves the window");
                    }
                }
                prop_assert_eq!(tally.total, tally.slots.values().sum::<u64>());
            }
        }

        /// A larger limit is strict in any span of the window's length, and a refusal lasts a slot longer at the most.
        #[test]
        fn above_a_hundred_hits_no_span_has_more_and_a_slot_is_the_error(
            window in 1_u64..=1_000,
            pauses in vec((0_u64..=300, 1_usize..=200), 1..12),
        ) {
            let most = 101;
            let limit = RateLimit::new(most, Duration::from_secs(window));
            let slot = window.div_ceil(100);
            let (mut tally, mut hits, mut seconds) = (Tally::default(), Vec::<u64>::new(), 0_u64);
            for (pause, tries) in pauses {
                seconds += pause;
                for _ in 0..tries {
                    let within = |span: u64| hits.iter().filter(|hit| **hit + span > seconds).count();
                    match hit(&limit, &mut tally, at(seconds)) {
                        Ok(()) => {
                            prop_assert!(within(window) < most as usize);
                            hits.push(seconds);
                        }
                        Err(until) => {
                            prop_assert!(within(window + slot) >= most as usize, "a refusal without a reason");
                            prop_assert!(until > at(seconds) && until <= at(seconds + window + slot));
                        }
                    }
                    prop_assert!(tally.slots.len() <= 102, "{} slots", tally.slots.len());
                }
            }
        }
    }

    #[test]
    fn at_the_edge_of_a_window_the_limit_is_not_doubled() {
        let limit = RateLimit::new(20, Duration::from_secs(900));
        let mut tally = Tally::default();
        for _ in 0..20 {
            assert_eq!(hit(&limit, &mut tally, at(899)), Ok(()));
        }
        for seconds in [899, 900, 1_350, 1_798] {
            assert_eq!(hit(&limit, &mut tally, at(seconds)), Err(at(1_799)), "{seconds}");
        }
        assert_eq!(hit(&limit, &mut tally, at(1_799)), Ok(()));
        assert_eq!(tally.slots.len(), 1, "what has expired is gone");
    }

    /// A total that is too high, because somebody else wrote it, is corrected and blocks nobody.
    #[test]
    fn a_total_without_hits_is_corrected() {
        let limit = RateLimit::new(3, Duration::from_secs(900));
        let mut tally = Tally { total: 99, slots: BTreeMap::new() };
        assert_eq!(hit(&limit, &mut tally, at(0)), Ok(()));
        assert_eq!(tally.total, 1);
    }

    #[test]
    fn a_window_has_a_second_at_least() {
        assert_eq!(RateLimit::new(1, Duration::ZERO), RateLimit::new(1, Duration::from_secs(1)));
    }

    #[test]
    fn a_factor_does_not_overflow() {
        let limit = RateLimit::new(1_000_000, Duration::from_secs(900));
        assert_eq!(limit.times(16).first_step(at(0)).below, 100);
        assert_eq!(limit.times(u32::MAX).most, u32::MAX);
    }
}
