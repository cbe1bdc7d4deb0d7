//! The table: what its conditional updates do, by hand. The conditions are those of `store/counts.rs`.

use auth_core::clock::Timestamp;
use auth_core::limits::sliding_window::Step;

use crate::mutation::Mutation;
use crate::world::Item;

/// Counts a hit if the condition holds.
pub(crate) fn count(item: &mut Item, step: &Step, by: usize, mutation: Option<Mutation>) -> bool {
    let holds = |condition: bool, unless: Mutation| condition || mutation == Some(unless);
    let tally = &mut item.tally;
    let as_seen = step.expired.iter().all(|(slot, hits)| tally.slots.get(slot) == Some(hits));
    let applies = holds(tally.total < step.below, Mutation::TotalNotCompared)
        && holds(as_seen, Mutation::ExpiredSlotsNotCompared)
        && item.counted_by != Some(by);
    if !applies {
        return false;
    }
    let removed = if mutation == Some(Mutation::ExpiredHitsStayInTheTotal) { 0 } else { step.removed };
    tally.total = (tally.total + 1).saturating_sub(removed);
    for (slot, _) in &step.expired {
        tally.slots.remove(slot);
    }
    *tally.slots.entry(step.slot).or_default() += 1;
    item.counted_by = (mutation != Some(Mutation::NameNotStored)).then_some(by);
    true
}

/// Takes a hit out, if its slot is still there.
pub(crate) fn give_back(item: &mut Item, slot: Timestamp, mutation: Option<Mutation>) {
    let Some(hits) = item.tally.slots.get_mut(&slot) else { return };
    let given = if mutation == Some(Mutation::EveryHitGivenBack) { *hits } else { 1 };
    *hits -= given;
    if *hits == 0 {
        item.tally.slots.remove(&slot);
    }
    item.tally.total -= given;
}

/// The model cannot see a change of the store: this test does.
#[test]
fn the_conditions_are_the_stores() {
    let store = include_str!("../../src/store/counts.rs");
    for condition in [
        r#""(attribute_not_exists(hits) OR hits < :below)""#,
        r#"" AND (attribute_not_exists(counted_by) OR counted_by <> :by)""#,
        r#"condition.extend([" AND ", &name, " = ", &value]);"#,
        r##"("ADD hits :minus REMOVE #slot", "#slot = :one")"##,
        r##"("ADD hits :minus, #slot :minus", "#slot > :one")"##,
    ] {
        assert!(store.contains(condition), "{condition} has changed");
    }
}
