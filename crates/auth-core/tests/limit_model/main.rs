//! The counters of the rate limits, searched exhaustively: every order of updates, second tries, lost answers, hits that are given
//! back and seconds within a bound, with the production code deciding. See "Rate limits" in `docs/architecture.md`.
//!
//! # Layout
//!
//! - `world`: what there is
//! - `table`: DynamoDB's conditional updates
//! - `protocol`: what can happen, and what must hold
//! - `mutation`: faults that the search must notice

#![expect(clippy::indexing_slicing, reason = "a test that fails may panic")]

mod mutation;
mod protocol;
mod table;
mod world;

use stateright::{Checker, HasDiscoveries, Model};

use crate::mutation::Mutation;
use crate::protocol::Protocol;
use crate::world::Bound;

/// More callers than the limit, long enough for a hit to expire.
const CROWD: Bound =
    Bound { callers: 4, most: 2, window: 2, delay: 0, ticks: 3, second_tries: false, successes: false };

const TWICE: Bound = Bound { callers: 3, second_tries: true, ..CROWD };

const SUCCESSES: Bound = Bound { callers: 3, most: 1, successes: true, ..CROWD };

const PAIRS: Bound = Bound { successes: true, ticks: 0, ..CROWD };

/// A request that takes a second is dated a second before its hit is counted.
const SLOW: Bound = Bound { window: 3, delay: 1, ticks: 4, ..CROWD };

const EVERYTHING: Bound = Bound { callers: 3, most: 1, second_tries: true, successes: true, ..SLOW };

#[test]
fn no_span_of_a_window_has_more_hits_than_the_limit() {
    for bound in [CROWD, SLOW, TWICE, SUCCESSES, EVERYTHING] {
        let checker = Protocol { bound, mutation: None }.checker().spawn_bfs().join();
        checker.assert_properties();
        println!("{bound:?}: {} states", checker.unique_state_count());
    }
}

#[test]
fn the_search_notices_every_mutation() {
    for (mutation, bound, rule) in [
        (Mutation::TotalNotCompared, CROWD, protocol::NEVER_TOO_MANY),
        (Mutation::ExpiredSlotsNotCompared, CROWD, protocol::TOTAL_IS_THE_SUM),
        (Mutation::ExpiredHitsStayInTheTotal, CROWD, protocol::TOTAL_IS_THE_SUM),
        (Mutation::ExpiryASecondEarly, CROWD, protocol::NEVER_TOO_MANY),
        (Mutation::NameNotStored, TWICE, protocol::EACH_COUNTS_ONCE),
        (Mutation::GivenBackTwice, PAIRS, protocol::NEVER_TOO_MANY),
        (Mutation::EveryHitGivenBack, PAIRS, protocol::NEVER_TOO_MANY),
    ] {
        let model = Protocol { bound, mutation: Some(mutation) };
        let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        let found: Vec<_> = checker.discoveries().into_keys().collect();
        assert!(found.contains(&rule), "{mutation:?}: {found:?}");
    }
}
