//! What can happen, one step at a time.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;
use proptest::sample::Index;

use super::model::Line;

/// How many hold tokens: see [`Step::Refresh`].
pub(crate) const HANDS: usize = 4;

/// A step. The numbers of sessions, tokens and keys grow on the way, so that a step says which share of them it means.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A hand presents its refresh token, each with a user agent of its own. The first two send an `Idempotency-Key`, made for the token when it came; the
    /// others send none. Whose answer is lost keeps what it has.
    Refresh { hand: usize, line: Line, lost: bool },
    /// A hand takes over what another one holds, as a second tab does, or a thief with a copy of the storage.
    Copy { from: usize, to: usize },
    /// A hand gets any refresh token that there has been, and any key, if one at all.
    Steal { hand: usize, token: Index, key: Option<Index> },
    /// The access token of a hand is used.
    Use { hand: usize },
    /// The user signs in once more.
    Login { hand: usize },
    /// A hand ends the session of its refresh token, or of its access token.
    Logout { hand: usize, by: Kind, line: Line },
    /// A hand ends the session of another one.
    End { hand: usize, other: usize },
    /// A hand ends every session.
    RevokeAll { hand: usize },
    /// An operator disables the user, or enables them again.
    Disable(bool),
    /// Time passes, in seconds.
    Pass(u64),
    /// The table deletes what it need not keep any longer.
    Sweep,
}

/// A kind of token.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Refresh,
    Access,
}

pub(crate) fn histories() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..32)
}

fn step() -> impl Strategy<Value = Step> {
    let hand = || 0..HANDS;
    let key = option::weighted(0.5, any::<Index>());
    prop_oneof![
        30 => (hand(), line(), proptest::bool::weighted(0.25))
            .prop_map(|(hand, line, lost)| Step::Refresh { hand, line, lost }),
        10 => (hand(), hand()).prop_map(|(from, to)| Step::Copy { from, to }),
        8 => (hand(), any::<Index>(), key).prop_map(|(hand, token, key)| Step::Steal { hand, token, key }),
        8 => hand().prop_map(|hand| Step::Use { hand }),
        4 => hand().prop_map(|hand| Step::Login { hand }),
        2 => (hand(), prop_oneof![Just(Kind::Refresh), Just(Kind::Access)], line())
            .prop_map(|(hand, by, line)| Step::Logout { hand, by, line }),
        1 => (hand(), hand()).prop_map(|(hand, other)| Step::End { hand, other }),
        1 => hand().prop_map(|hand| Step::RevokeAll { hand }),
        2 => proptest::bool::weighted(0.4).prop_map(Step::Disable),
        18 => seconds().prop_map(Step::Pass),
        3 => Just(Step::Sweep),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    prop_oneof![
        40 => Just(Line::Fine),
        2 => Just(Line::TriedTwice),
        1 => Just(Line::Dead),
        1 => Just(Line::Mute),
        2 => Just(Line::CountTriedTwice),
        1 => Just(Line::CountMute),
    ]
}

/// Around the grace, the end of the retry window, the end of an access token, the idle end and the absolute end of [`super::model::Rules`].
fn seconds() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 1..=4_u64, 3 => 9..=11_u64, 3 => 18..=21_u64, 2 => 38..=41_u64, 1 => 60..=120_u64]
}
