//! What there is: the counter's item, the callers, and how far a search goes.

use std::time::Duration;

use auth_core::clock::Timestamp;
use auth_core::limits::sliding_window::{RateLimit, Step, Tally};

/// Where the model's seconds begin.
const BEGINNING: u64 = 1_000;

/// What happens in one search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) callers: usize,
    pub(crate) most: u32,
    /// In seconds.
    pub(crate) window: u64,
    /// How long a request may take, in seconds, from its beginning to its last update.
    pub(crate) delay: u64,
    pub(crate) ticks: u64,
    /// Whether the SDK may try an update again that has landed.
    pub(crate) second_tries: bool,
    /// Whether attempts may succeed, and give their hits back.
    pub(crate) successes: bool,
}

impl Bound {
    pub(crate) fn limit(&self) -> RateLimit {
        RateLimit::new(self.most, Duration::from_secs(self.window))
    }
}

/// The counter's item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Item {
    pub(crate) tally: Tally,
    /// The caller that counted last.
    pub(crate) counted_by: Option<usize>,
}

/// How far an attempt has come. Each knows the second in which it began, which is all that an instance knows of time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Attempt {
    NotBegun,
    /// The next update to send.
    Trying {
        at: u64,
        step: Step,
        tries: u8,
    },
    /// The update has landed. The SDK may send it again before the function knows.
    Landed {
        at: u64,
        landed: u64,
        step: Step,
        tries: u8,
    },
    /// The password is looked at: wrong, unless it is a success that follows.
    Verified {
        at: u64,
        landed: u64,
        slot: Timestamp,
    },
    /// The password was right.
    GivingBack {
        at: u64,
        slot: Timestamp,
    },
    GivenBack,
    Refused {
        at: u64,
        tries: u8,
    },
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) time: u64,
    pub(crate) item: Item,
    pub(crate) attempts: Vec<Attempt>,
    /// A refusal while fewer attempts than the limit were under way or in the window.
    pub(crate) refused_without_reason: bool,
}

impl World {
    pub(crate) fn new(bound: &Bound) -> Self {
        Self {
            time: 0,
            item: Item::default(),
            attempts: vec![Attempt::NotBegun; bound.callers],
            refused_without_reason: false,
        }
    }

    /// Attempts whose password was looked at and that were no success, by the second in which they were counted.
    pub(crate) fn verified(&self) -> impl Iterator<Item = u64> {
        self.attempts.iter().filter_map(|attempt| match attempt {
            Attempt::Verified { landed, .. } => Some(*landed),
            _ => None,
        })
    }

    /// Attempts that hold a hit, or may.
    pub(crate) fn counted(&self) -> impl Iterator<Item = u64> {
        self.attempts.iter().filter_map(|attempt| match attempt {
            Attempt::Landed { at, .. } | Attempt::Verified { at, .. } | Attempt::GivingBack { at, .. } => {
                Some(*at)
            }
            _ => None,
        })
    }
}

pub(crate) fn time(seconds: u64) -> Timestamp {
    Timestamp::from_epoch_seconds(BEGINNING + seconds)
}
