//! The rotation protocol, searched exhaustively: every order of steps, losses, repetitions, clocks and endings within a
//! bound, with the production code deciding. See `docs/architecture.md`.
//!
//! # Layout
//!
//! - `world`: what there is, and the bound
//! - `protocol`: what can happen
//! - `service`, `table`: the functions' steps around the real decision, and DynamoDB's conditional updates
//! - `rules`: what must hold
//! - `mutation`: faults that the search must notice
//! - `decision_table`: random sessions and tokens, against a second writing of the decision

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails may panic"
)]

mod decision_table;
mod mutation;
mod protocol;
mod rules;
mod service;
mod table;
mod world;

use auth_core::session::policy::Rotation;
use stateright::{Checker, HasDiscoveries, Model};

use crate::mutation::Mutation;
use crate::protocol::{Protocol, name};
use crate::rules::Rule;
use crate::world::{Bound, Keys, ThiefKey, Version};

/// Two tabs that send the same key for the same token.
const HONEST: Bound = Bound {
    tabs: 2,
    tab_requests: 4,
    thief_requests: 0,
    parallel: 3,
    ticks: 4,
    skew: 1,
    grace: 1,
    window: 9,
    limit: 9,
    rotation: Rotation::On,
    keys: Keys::OfTheToken,
    thief_key: ThiefKey::Own,
    versions: &[Version::Current],
    patient: true,
    ends: false,
    disable: false,
};

const KEYLESS: Bound = Bound { keys: Keys::None, ..HONEST };

const NO_GRACE: Bound = Bound { grace: 0, ..KEYLESS };

const NO_ROTATION: Bound = Bound { rotation: Rotation::Off, ends: true, tab_requests: 3, ..HONEST };

const THIEF: Bound =
    Bound { tab_requests: 2, thief_requests: 2, parallel: 2, ticks: 2, keys: Keys::None, ..HONEST };

const THIEF_AND_KEYS: Bound = Bound { keys: Keys::OfTheToken, ..THIEF };

/// Retries within two seconds, and one of them.
const FEW_RETRIES: Bound = Bound { tab_requests: 3, window: 2, limit: 1, ..HONEST };

/// A thief who copies the storage has the key.
const THIEF_WITH_THE_KEY: Bound = Bound {
    tab_requests: 1,
    thief_requests: 3,
    skew: 0,
    grace: 0,
    window: 1,
    limit: 2,
    thief_key: ThiefKey::Stolen,
    ..THIEF_AND_KEYS
};

const ENDINGS_AND_STOLEN_KEYS: Bound =
    Bound { keys: Keys::OfTheToken, thief_key: ThiefKey::Stolen, grace: 0, disable: false, ..ENDINGS };

/// A deployment: functions that know no count beside functions that do.
const OLD_VERSIONS: Bound = Bound {
    grace: 0,
    limit: 1,
    ticks: 1,
    skew: 0,
    parallel: 2,
    versions: &[Version::Current, Version::BeforeTheCount],
    ..HONEST
};

const ENDINGS: Bound = Bound { thief_requests: 1, ticks: 1, ends: true, disable: true, ..THIEF };

#[test]
fn every_rule_holds_for_an_honest_client() {
    for bound in [HONEST, KEYLESS, NO_GRACE] {
        holds_within(bound, &["a refresh is answered", "a replay is answered", "the item is deleted"]);
    }
}

#[test]
fn every_rule_holds_without_rotation() {
    holds_within(NO_ROTATION, &["the item is deleted"]);
}

#[test]
fn every_rule_holds_against_a_thief() {
    holds_within(THIEF, &["a refresh is answered", "a replay is answered", "a reuse is noticed"]);
}

#[test]
fn every_rule_holds_against_a_thief_of_a_client_with_keys() {
    holds_within(THIEF_AND_KEYS, &["a refresh is answered", "a replay is answered", "a reuse is noticed"]);
}

/// Within the window, so many repetitions are answered to whoever has token and key, and not one more.
#[test]
fn a_thief_with_the_key_gets_no_more_than_the_bounded_number_of_replays() {
    let reached = ["a refresh is answered", "a replay is counted", "a reuse is noticed"];
    holds_within(THIEF_WITH_THE_KEY, &reached);
}

#[test]
fn an_honest_client_may_retry_as_often_and_as_long_as_the_bounds_say() {
    holds_within(FEW_RETRIES, &["a replay is answered", "a replay is counted", "a reuse is noticed"]);
}

#[test]
fn every_rule_holds_while_functions_without_the_count_run_beside_those_with_it() {
    holds_within(OLD_VERSIONS, &["a refresh is answered", "a replay is answered", "a replay is counted"]);
}

#[test]
fn every_rule_holds_whenever_the_session_is_ended() {
    holds_within(ENDINGS, &["a refresh is answered", "a replay is answered"]);
    holds_within(ENDINGS_AND_STOLEN_KEYS, &["a refresh is answered", "a replay is counted"]);
}

/// What the service cannot tell from a theft: the client must not use a token while a request with the one before may still
/// arrive.
#[test]
fn a_successor_that_is_used_before_a_late_duplicate_arrives_signs_the_honest_client_out() {
    breaks(Bound { patient: false, ..HONEST }, None, Rule::HonestStaysSignedIn);
}

/// The key belongs to the token, not to the tab: after the grace, the second tab's own key is not the rotation's.
#[test]
fn two_tabs_with_keys_of_their_own_sign_each_other_out_after_the_grace() {
    breaks(Bound { keys: Keys::OfTheTab, ..HONEST }, None, Rule::HonestStaysSignedIn);
}

/// Disabling a user writes the user alone: the session ends with its next refresh.
#[test]
fn an_access_token_of_a_disabled_user_passes_until_a_refresh_ends_the_session() {
    let passes = "an access token of a disabled user passes";
    let checker = search(ENDINGS, None, HasDiscoveries::AnyOf([passes].into()));
    assert!(checker.discovery(passes).is_some());
}

#[test]
fn every_mutation_is_caught() {
    for (mutation, bound, rule) in [
        (Mutation::GenerationNotCompared, HONEST, Rule::OneSuccessor),
        (Mutation::RevocationNotCompared, ENDINGS, Rule::EndedStaysEnded),
        (Mutation::IdleEndNotCompared, HONEST, Rule::NothingPastTheEnd),
        (Mutation::AbsoluteEndNotCompared, HONEST, Rule::NothingPastTheEnd),
        (Mutation::RequestNotStored, NO_GRACE, Rule::HonestStaysSignedIn),
        (Mutation::KeyNotStored, HONEST, Rule::HonestStaysSignedIn),
        (Mutation::OldKeyNotRemoved, THIEF, Rule::ReuseEndsTheSession),
        (Mutation::IdleEndNotMoved, HONEST, Rule::HonestStaysSignedIn),
        (Mutation::AbsoluteEndMoved, HONEST, Rule::NothingPastTheEnd),
        (Mutation::ReuseTakenForReplay, KEYLESS, Rule::ReuseEndsTheSession),
        (Mutation::GraceWithoutEnd, KEYLESS, Rule::ReuseEndsTheSession),
        (Mutation::GraceIgnored, KEYLESS, Rule::HonestStaysSignedIn),
        (Mutation::KeyIgnored, HONEST, Rule::HonestStaysSignedIn),
        (Mutation::NoKeyEqualsNoKey, KEYLESS, Rule::ReuseEndsTheSession),
        (Mutation::RequestIgnored, NO_GRACE, Rule::HonestStaysSignedIn),
        (Mutation::OlderTokenReplayedInGrace, THIEF, Rule::ReuseEndsTheSession),
        (Mutation::RevocationIgnored, ENDINGS, Rule::EndedStaysEnded),
        (Mutation::EndsIgnored, HONEST, Rule::NothingPastTheEnd),
        (Mutation::RetryWindowIgnored, THIEF_WITH_THE_KEY, Rule::ReuseEndsTheSession),
        (Mutation::RetryLimitIgnored, FEW_RETRIES, Rule::ReuseEndsTheSession),
        (Mutation::OwnRetryNotRecognised, FEW_RETRIES, Rule::HonestStaysSignedIn),
        (Mutation::EarlierRetriesCounted, OLD_VERSIONS, Rule::HonestStaysSignedIn),
        (Mutation::ReplayNotCounted, THIEF_WITH_THE_KEY, Rule::ReuseEndsTheSession),
        (Mutation::CountIgnoresGeneration, THIEF_WITH_THE_KEY, Rule::ReuseEndsTheSession),
        (Mutation::CountIgnoresRevocation, ENDINGS_AND_STOLEN_KEYS, Rule::EndedStaysEnded),
        (Mutation::CountIgnoresLimit, THIEF_WITH_THE_KEY, Rule::ReuseEndsTheSession),
        (Mutation::CountBeginsAgain, FEW_RETRIES, Rule::ReuseEndsTheSession),
        (Mutation::ReplayMintsAnotherToken, HONEST, Rule::OneSuccessor),
        (Mutation::ReuseNotRevoked, KEYLESS, Rule::ReuseEndsTheSession),
        (Mutation::ReplaySuspected, THIEF, Rule::RefusalChangesNothing),
        (Mutation::UserNotRead, ENDINGS, Rule::EndedStaysEnded),
        (Mutation::DisabledNotRevoked, ENDINGS, Rule::EndedStaysEnded),
    ] {
        breaks(bound, Some(mutation), rule);
    }
}

/// Nothing breaks, and the search has come to everything that it is about.
fn holds_within(bound: Bound, reached: &[&'static str]) {
    let checker = search(bound, None, HasDiscoveries::All);
    for rule in Rule::ALL {
        if let Some(path) = checker.discovery(name(rule)) {
            panic!("{rule:?} is broken: {:?}", path.into_actions());
        }
    }
    for name in reached {
        assert!(checker.discovery(name).is_some(), "not reached: {name}");
    }
}

fn breaks(bound: Bound, mutation: Option<Mutation>, rule: Rule) {
    let checker = search(bound, mutation, HasDiscoveries::AnyOf([name(rule)].into()));
    let Some(path) = checker.discovery(name(rule)) else {
        panic!("{mutation:?} has not broken {rule:?}");
    };
    println!("  {rule:?} is broken by {:?}", path.into_actions());
}

fn search(bound: Bound, mutation: Option<Mutation>, until: HasDiscoveries) -> impl Checker<Protocol> {
    // One thread: the same counterexample every time.
    let checker = Protocol::new(bound, mutation).checker().finish_when(until).spawn_bfs().join();
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    println!("{states} states, {depth} steps deep, {mutation:?}, {bound:?}");
    checker
}
