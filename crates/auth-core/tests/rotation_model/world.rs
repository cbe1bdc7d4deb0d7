//! What there is: the stored session, the clients, the requests under way, and how far a search goes.

use std::time::Duration;

use auth_core::clock::Timestamp;
use auth_core::session::policy::Rotation;

use crate::rules::{Past, Rule};

/// A moment: seconds after the login. Grace and lifetimes are a few of them.
pub(crate) type Tick = u8;

/// Where the model's seconds begin, so that a clock which is behind has something before it.
const LOGIN: u64 = 1_000;

/// Longest time between two refreshes.
pub(crate) const IDLE: Tick = 3;

/// Longest life of the session.
pub(crate) const ABSOLUTE: Tick = 4;

/// How long the record outlives the idle end.
pub(crate) const RETENTION: Tick = 1;

/// Generations that a search can tell apart.
pub(crate) const GENERATIONS: usize = 5;

/// What happens in one search, and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// Tabs of the honest client; they share one storage.
    pub(crate) tabs: u8,
    /// Refreshes by all tabs together, repetitions included.
    pub(crate) tab_requests: u8,
    /// Requests with a stolen token.
    pub(crate) thief_requests: u8,
    /// Requests under way at the same time.
    pub(crate) parallel: usize,
    /// The last second.
    pub(crate) ticks: Tick,
    /// How far the clock of an instance is off, in both directions. It may differ from one reading to the next.
    pub(crate) skew: Tick,
    /// `REFRESH_GRACE`; zero is none.
    pub(crate) grace: Tick,
    /// `REFRESH_RETRY_WINDOW`.
    pub(crate) window: Tick,
    /// `REFRESH_RETRY_LIMIT`.
    pub(crate) limit: u32,
    /// `REFRESH_TOKEN_ROTATION`.
    pub(crate) rotation: Rotation,
    pub(crate) keys: Keys,
    /// The key that the thief sends, if any.
    pub(crate) thief_key: ThiefKey,
    /// Which function versions handle the honest client's requests: several during a deployment.
    pub(crate) versions: &'static [Version],
    /// Whether the honest client holds a new token back while a request with an older one is still under way.
    pub(crate) patient: bool,
    /// Whether the user logs out or ends all sessions, at any time.
    pub(crate) ends: bool,
    /// Whether the user is disabled, at any time.
    pub(crate) disable: bool,
}

/// Which `Idempotency-Key` the honest client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    None,
    /// Each tab thinks of its own for each token.
    OfTheTab,
    /// One for each token, stored beside it: every tab sends the same.
    OfTheToken,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) time: Tick,
    /// The session's item; `None` after its deletion.
    pub(crate) item: Option<Item>,
    pub(crate) disabled: bool,
    /// The generation of the token in the honest client's storage; `None` once it is signed out.
    pub(crate) stored: Option<u8>,
    /// The generations of the tokens that the thief has, one bit each.
    pub(crate) loot: u8,
    pub(crate) requests: Vec<Request>,
    pub(crate) sent_by_tabs: u8,
    pub(crate) sent_by_thief: u8,
    pub(crate) revoke_all: RevokeAll,
    pub(crate) past: Past,
    /// The first rule that did not hold. Nothing happens after it.
    pub(crate) broken: Option<Rule>,
}

/// The attributes of a stored session that decide something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Item {
    pub(crate) generation: u8,
    pub(crate) rotated_at: Tick,
    pub(crate) rotated_by: Option<u8>,
    pub(crate) key: Option<u8>,
    /// The requests that repeated the rotation to `retries_of` and were counted, one bit each.
    pub(crate) retries: u8,
    pub(crate) retries_of: Option<u8>,
    pub(crate) idle_ends_at: Tick,
    pub(crate) absolute_ends_at: Tick,
    pub(crate) kept_until: Tick,
    pub(crate) revoked: bool,
}

/// A refresh under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    /// The gateway's id.
    pub(crate) id: u8,
    pub(crate) honest: bool,
    pub(crate) generation: u8,
    pub(crate) key: Option<u8>,
    /// Which function version handles it.
    pub(crate) version: Version,
    /// It was sent after the session had been ended, or the user disabled.
    pub(crate) after_the_end: bool,
    pub(crate) phase: Phase,
}

/// How far a refresh has come. Without a step of its own: a function that dies before its write (the request is lost) or
/// after it (the answer is lost), a write that comes late (the same as a clock that is behind).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// On its way to the function.
    Sent,
    /// The token is verified, the user is read and active.
    Read,
    /// The session has moved; the function may not know it yet, and its SDK may try again with the same values.
    Written { at: Tick, grant: u8 },
    /// The repetition is judged, and is to be counted before the answer is given.
    Counting { at: Tick, count: Count },
    /// It is counted; the function may not know it yet, and its SDK may try again with the same values.
    Counted { at: Tick, count: Count, grant: u8 },
    /// The session is to be ended before the answer is given.
    Ending(Why),
    /// 200 with the token of this generation, on its way back.
    Granted(u8),
    /// 401 or 403, on its way back.
    Refused(Why),
}

/// How a repetition is counted, as the state says from which it was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Count {
    /// As the first one of the rotation.
    First,
    /// Beside others.
    Another,
}

/// A version of the functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Version {
    Current,
    /// It counts no repetitions, and leaves the count as it is.
    BeforeTheCount,
}

/// Which key the thief sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThiefKey {
    None,
    /// One that the honest client does not know.
    Own,
    /// The one that was stored beside the token.
    Stolen,
}

/// Why a refresh is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Why {
    Expired,
    Disabled,
    Ended,
    Reuse,
    Unknown,
}

/// How far a revoke-all has come: it lists the sessions, then ends those that it saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RevokeAll {
    NotSent,
    Listed { seen: bool },
    Done,
}

/// What can happen next. `usize` is a place in [`World::requests`], `i8` what a clock is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Tick,
    DeleteExpiredItem,
    TabRefreshes { tab: u8, version: Version },
    ThiefCopiesStorage,
    ThiefPresents { generation: u8, key: ThiefKey },
    Arrives(usize, i8),
    Writes(usize, i8),
    SdkWritesAgain(usize),
    Counts(usize),
    EndsSession(usize),
    Delivered(usize),
    Lost(usize),
    Logout,
    RevokeAllLists,
    RevokeAllEnds,
    Disable,
}

impl World {
    /// Just after the login.
    pub(crate) fn at_login(rotation: Rotation) -> Self {
        Self {
            time: 0,
            item: Some(Item {
                generation: 0,
                rotated_at: 0,
                rotated_by: None,
                key: None,
                retries: 0,
                retries_of: None,
                idle_ends_at: IDLE,
                absolute_ends_at: ABSOLUTE,
                kept_until: IDLE + RETENTION,
                revoked: false,
            }),
            disabled: false,
            stored: Some(0),
            loot: 0,
            requests: Vec::new(),
            sent_by_tabs: 0,
            sent_by_thief: 0,
            revoke_all: RevokeAll::NotSent,
            past: Past::at_login(match rotation {
                Rotation::On => IDLE,
                Rotation::Off => ABSOLUTE,
            }),
            broken: None,
        }
    }

    /// What a clock shows that is `skew` off.
    pub(crate) fn clock(&self, skew: i8) -> Tick {
        self.time.saturating_add_signed(skew)
    }
}

pub(crate) const fn timestamp(tick: Tick) -> Timestamp {
    Timestamp::from_epoch_seconds(LOGIN + tick as u64)
}

pub(crate) fn tick(time: Timestamp) -> Tick {
    Tick::try_from(time.epoch_seconds() - LOGIN).expect("the model's times are few")
}

pub(crate) fn span(ticks: Tick) -> Duration {
    Duration::from_secs(u64::from(ticks))
}
