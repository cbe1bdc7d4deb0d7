//! Logins beside what ends all sessions, searched exhaustively within a bound, with the production code deciding: password
//! changes, revoke-all, disabling, deletion, replaced hashes, the session limit, second tries of the SDK, and functions that die
//! after each write. See `docs/refresh-protocol.md`.
//!
//! # Layout
//!
//! - `world`: what is stored, and the operations under way
//! - `protocol`: what can happen next
//! - `login`, `ending`: the steps of the functions, around the real decisions
//! - `mutation`: faults that the search must notice

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test that fails may panic")]

mod ending;
mod login;
mod mutation;
mod protocol;
mod world;

use stateright::{Checker, HasDiscoveries, Model};

use crate::mutation::Mutation;
use crate::protocol::{EACH_IS_REACHED, NO_FALSE_REFUSAL, NOTHING_SURVIVES, Protocol};
use crate::world::{Bound, Kind};

const CHANGE: Bound = Bound { logins: 2, changes: 1, revoke_alls: 0, rehash: true, others: &[], limit: None };

const OLD_CHANGE: Bound = Bound { changes: 0, others: &[Kind::OldChange], ..CHANGE };

const REVOKE_ALL: Bound = Bound { changes: 0, revoke_alls: 1, rehash: false, ..CHANGE };

const DISABLE: Bound = Bound { revoke_alls: 0, others: &[Kind::Disable], ..REVOKE_ALL };

const DELETE: Bound = Bound { revoke_alls: 0, others: &[Kind::Delete], ..REVOKE_ALL };

const LIMIT: Bound = Bound { limit: Some(1), ..REVOKE_ALL };

/// A revoke-all that died and is repeated.
const TWICE: Bound = Bound { logins: 1, revoke_alls: 2, ..REVOKE_ALL };

/// A limit that a login alone does not reach.
const LIMIT_ALONE: Bound = Bound { logins: 1, limit: Some(0), ..REVOKE_ALL };

const ALL: Bound =
    Bound { logins: 1, changes: 1, revoke_alls: 1, others: &[Kind::Disable, Kind::Delete], ..CHANGE };

#[test]
fn nothing_that_was_under_way_survives_the_answer() {
    for bound in [CHANGE, OLD_CHANGE, REVOKE_ALL, TWICE, DISABLE, DELETE, LIMIT, ALL] {
        let checker = search(bound, None, HasDiscoveries::All);
        for rule in [NOTHING_SURVIVES, NO_FALSE_REFUSAL] {
            if let Some(path) = checker.discovery(rule) {
                panic!("{rule}, {bound:?}: {:?}", path.into_actions());
            }
        }
        for name in EACH_IS_REACHED {
            assert!(checker.discovery(name).is_some(), "{bound:?} has not reached: {name}");
        }
    }
}

#[test]
fn every_mutation_is_caught() {
    for (mutation, bound, rule) in [
        (Mutation::NotReadAgain, CHANGE, NOTHING_SURVIVES),
        (Mutation::NotReadAgain, REVOKE_ALL, NOTHING_SURVIVES),
        (Mutation::CredentialAloneReadAgain, REVOKE_ALL, NOTHING_SURVIVES),
        (Mutation::CredentialAloneReadAgain, DISABLE, NOTHING_SURVIVES),
        (Mutation::UserAloneReadAgain, CHANGE, NOTHING_SURVIVES),
        (Mutation::ReadAgainBeforeTheWrite, CHANGE, NOTHING_SURVIVES),
        (Mutation::ReadAgainBeforeTheWrite, DELETE, NOTHING_SURVIVES),
        (Mutation::AnsweredBeforeTheIndex, REVOKE_ALL, NOTHING_SURVIVES),
        (Mutation::OvertakenAnswered, CHANGE, NOTHING_SURVIVES),
        (Mutation::PasswordSerialNotCompared, CHANGE, NOTHING_SURVIVES),
        (Mutation::ChangedAtNotCompared, OLD_CHANGE, NOTHING_SURVIVES),
        (Mutation::SessionsSerialNotCompared, REVOKE_ALL, NOTHING_SURVIVES),
        (Mutation::StatusNotCompared, DISABLE, NOTHING_SURVIVES),
        (Mutation::HashCompared, CHANGE, NO_FALSE_REFUSAL),
        (Mutation::SerialAfterListing, REVOKE_ALL, NOTHING_SURVIVES),
        (Mutation::PasswordAfterListing, CHANGE, NOTHING_SURVIVES),
        (Mutation::IndexBeforeRecordAtTheEnd, TWICE, NOTHING_SURVIVES),
        (Mutation::UnknownForgotten, LIMIT, NOTHING_SURVIVES),
        (Mutation::OwnSessionRevoked, LIMIT_ALONE, NO_FALSE_REFUSAL),
    ] {
        let checker = search(bound, Some(mutation), HasDiscoveries::AnyOf([rule].into()));
        let path = checker.discovery(rule);
        println!(
            "  broken by {:?}",
            path.unwrap_or_else(|| panic!("{mutation:?} is not caught")).into_actions()
        );
    }
}

fn search(bound: Bound, mutation: Option<Mutation>, until: HasDiscoveries) -> impl Checker<Protocol> {
    let checker = Protocol { bound, mutation }.checker().finish_when(until).spawn_bfs().join();
    println!("{} states, {mutation:?}, {bound:?}", checker.unique_state_count());
    checker
}
