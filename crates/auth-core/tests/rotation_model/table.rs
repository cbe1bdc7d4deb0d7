//! The table: what its conditional updates do, by hand. The conditions are those of `store/rotation.rs`,
//! `store/replay.rs` and `store/sessions.rs`.

use auth_core::session::rotation::Step;

use crate::mutation::Mutation;
use crate::world::{ABSOLUTE, Count, Item, Request, Tick, Version, tick};

/// Moves the session on if the condition holds; no condition on an attribute holds for an item that is not there.
pub(crate) fn rotate(
    item: &mut Option<Item>,
    request: &Request,
    at: Tick,
    step: Step,
    mutation: Option<Mutation>,
) -> bool {
    let holds = |condition: bool, unless: Mutation| condition || mutation == Some(unless);
    let Some(item) = item else { return false };
    let applies = holds(item.generation == request.generation, Mutation::GenerationNotCompared)
        && holds(!item.revoked, Mutation::RevocationNotCompared)
        && holds(item.idle_ends_at > at, Mutation::IdleEndNotCompared)
        && holds(item.absolute_ends_at > at, Mutation::AbsoluteEndNotCompared);
    if !applies {
        return false;
    }
    if mutation != Some(Mutation::IdleEndNotMoved) {
        item.idle_ends_at = tick(step.idle_ends_at);
    }
    item.kept_until = tick(step.kept_until);
    if mutation == Some(Mutation::AbsoluteEndMoved) {
        item.absolute_ends_at = at + ABSOLUTE;
    }
    if let Some(next) = step.next {
        item.generation = u8::try_from(next.number()).expect("generations are few");
        item.rotated_at = at;
        item.rotated_by = (mutation != Some(Mutation::RequestNotStored)).then_some(request.id);
        item.key = match mutation {
            Some(Mutation::KeyNotStored) => None,
            Some(Mutation::OldKeyNotRemoved) => request.key.or(item.key),
            _ => request.key,
        };
        if request.version == Version::Current {
            (item.retries, item.retries_of) = (0, None);
        }
    }
    true
}

/// A repetition is counted if the condition holds: as the first one of its generation, or beside others.
pub(crate) fn count_replay(
    item: &mut Option<Item>,
    request: &Request,
    count: Count,
    limit: u32,
    mutation: Option<Mutation>,
) -> bool {
    let holds = |condition: bool, unless: Mutation| condition || mutation == Some(unless);
    let Some(item) = item else { return false };
    let applies = holds(item.generation == request.generation + 1, Mutation::CountIgnoresGeneration)
        && holds(!item.revoked, Mutation::CountIgnoresRevocation)
        && match count {
            Count::First => holds(item.retries_of != Some(item.generation), Mutation::CountBeginsAgain),
            Count::Another => {
                item.retries != 0
                    && (holds(item.retries.count_ones() < limit, Mutation::CountIgnoresLimit)
                        || mutation == Some(Mutation::RetryLimitIgnored))
            }
        };
    if !applies {
        return false;
    }
    if count == Count::First {
        (item.retries, item.retries_of) = (0, Some(item.generation));
    }
    item.retries |= 1 << request.id;
    true
}

/// Ends the session if it is there and has not been ended.
pub(crate) fn revoke(item: &mut Option<Item>) {
    if let Some(item) = item {
        item.revoked = true;
    }
}

/// The model cannot see a change of the store: this test does.
#[test]
fn the_conditions_are_the_stores() {
    let rotation = include_str!("../../src/store/rotation.rs").replace('\\', "");
    let rotation: Vec<_> = rotation.split_whitespace().collect();
    let condition = "\"generation = :presented AND attribute_not_exists(revoked_at) \
                     AND idle_ends_at > :now AND absolute_ends_at > :now\";";
    assert!(rotation.join(" ").contains(condition), "the condition of the rotation has changed");
    let replay = include_str!("../../src/store/replay.rs");
    for condition in [
        "\"generation = :generation AND attribute_not_exists(revoked_at)\"",
        "\"(attribute_not_exists(retries_of) OR retries_of <> :generation)\"",
        "\"size(retries) < :limit\"",
    ] {
        assert!(replay.contains(condition), "the condition of the count has changed");
    }
    let sessions = include_str!("../../src/store/sessions.rs");
    let condition = "\"attribute_exists(generation) AND attribute_not_exists(revoked_at)\"";
    assert!(sessions.contains(condition), "the condition of the revocation has changed");
}
