//! What can happen at any moment, and what must hold, as a model that is searched.

use auth_core::limits::sliding_window::Verdict;
use stateright::{Model, Property};

use crate::mutation::Mutation;
use crate::table;
use crate::world::{Attempt, Bound, World, time};

pub(crate) const NEVER_TOO_MANY: &str = "no span of a window has more than the limit";
pub(crate) const TOTAL_IS_THE_SUM: &str = "the total is the sum of the slots";
pub(crate) const EACH_COUNTS_ONCE: &str = "without a caller in between a second try counts once";
const REASON: &str = "a refusal has a reason";
const FEW_TRIES: &str = "six updates are enough";

/// The protocol within a bound.
pub(crate) struct Protocol {
    pub(crate) bound: Bound,
    pub(crate) mutation: Option<Mutation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Tick,
    Begin(usize),
    Update(usize),
    SdkUpdatesAgain(usize),
    Answered(usize),
    Succeeds(usize),
    GivesBack(usize),
    /// The request is lost, or the function dies: the hit stays.
    GivesNothingBack(usize),
}

impl Protocol {
    /// An update by the store: `Store::count` in one step of its loop.
    fn update(&self, world: &mut World, caller: usize) {
        let (Attempt::Trying { at, step, tries } | Attempt::Landed { at, step, tries, .. }) =
            world.attempts[caller].clone()
        else {
            return;
        };
        let (tries, landed) = (tries + 1, world.time);
        let next = if table::count(&mut world.item, &step, caller, self.mutation) {
            Attempt::Landed { at, landed, step, tries }
        } else if world.item.counted_by == Some(caller) {
            Attempt::Verified { at, landed, slot: step.slot }
        } else {
            let early = u64::from(self.mutation == Some(Mutation::ExpiryASecondEarly));
            match self.bound.limit().judge(&world.item.tally, time(at + early)) {
                Verdict::Count(step) => Attempt::Trying { at, step, tries },
                Verdict::Full { .. } => {
                    world.refused_without_reason |= !self.has_reason(world, at);
                    Attempt::Refused { at, tries }
                }
            }
        };
        world.attempts[caller] = next;
    }

    /// A hit that was counted twice is a reason of its own, and so is one that was not given back.
    fn has_reason(&self, world: &World, at: u64) -> bool {
        let counted = world.counted().filter(|hit| hit + self.bound.window > at).count();
        self.bound.second_tries || self.bound.successes || counted >= self.bound.most as usize
    }

    /// A request that takes longer is cut off.
    fn in_time(&self, world: &World, at: u64) -> bool {
        world.time <= at + self.bound.delay
    }

    fn too_many(&self, world: &World) -> bool {
        world.verified().any(|start| {
            let span = start..start + self.bound.window - self.bound.delay;
            world.verified().filter(|hit| span.contains(hit)).count() > self.bound.most as usize
        })
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.bound)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.time < self.bound.ticks {
            actions.push(Action::Tick);
        }
        // One caller is as good as the next.
        let idle = world.attempts.iter().position(|attempt| *attempt == Attempt::NotBegun);
        actions.extend(idle.map(Action::Begin));
        for (caller, attempt) in world.attempts.iter().enumerate() {
            match attempt {
                Attempt::Trying { at, .. } if self.in_time(world, *at) => {
                    actions.push(Action::Update(caller));
                }
                Attempt::Landed { at, tries, .. } => {
                    actions.push(Action::Answered(caller));
                    if self.bound.second_tries && *tries < 4 && self.in_time(world, *at) {
                        actions.push(Action::SdkUpdatesAgain(caller));
                    }
                }
                Attempt::Verified { .. } if self.bound.successes => actions.push(Action::Succeeds(caller)),
                Attempt::GivingBack { .. } => {
                    actions.extend([Action::GivesBack(caller), Action::GivesNothingBack(caller)]);
                }
                _ => {}
            }
        }
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::Tick => world.time += 1,
            Action::Begin(caller) => {
                let step = self.bound.limit().first_step(time(world.time));
                world.attempts[caller] = Attempt::Trying { at: world.time, step, tries: 0 };
            }
            Action::Update(caller) | Action::SdkUpdatesAgain(caller) => self.update(&mut world, caller),
            Action::Answered(caller) => {
                let Attempt::Landed { at, landed, step, .. } = &before.attempts[caller] else { return None };
                world.attempts[caller] = Attempt::Verified { at: *at, landed: *landed, slot: step.slot };
            }
            Action::Succeeds(caller) => {
                let Attempt::Verified { at, slot, .. } = before.attempts[caller] else { return None };
                world.attempts[caller] = Attempt::GivingBack { at, slot };
            }
            Action::GivesBack(caller) | Action::GivesNothingBack(caller) => {
                let Attempt::GivingBack { slot, .. } = before.attempts[caller] else { return None };
                if matches!(action, Action::GivesBack(_)) {
                    let twice = self.mutation == Some(Mutation::GivenBackTwice);
                    for _ in 0..=u8::from(twice) {
                        table::give_back(&mut world.item, slot, self.mutation);
                    }
                }
                world.attempts[caller] = Attempt::GivenBack;
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(NEVER_TOO_MANY, |model: &Self, world: &World| !model.too_many(world)),
            Property::always(TOTAL_IS_THE_SUM, |_, world: &World| {
                world.item.tally.total == world.item.tally.slots.values().sum::<u64>()
            }),
            Property::always(REASON, |_, world: &World| !world.refused_without_reason),
            Property::always(FEW_TRIES, |_, world: &World| {
                world.attempts.iter().all(
                    |attempt| !matches!(attempt, Attempt::Trying { tries, .. } | Attempt::Refused { tries, .. } if *tries > 6),
                )
            }),
            Property::always(EACH_COUNTS_ONCE, |_, world: &World| {
                let begun = world.attempts.iter().filter(|attempt| **attempt != Attempt::NotBegun).count();
                begun > 1 || world.item.tally.total <= 1
            }),
            Property::sometimes("an attempt is refused", |_, world: &World| {
                world.attempts.iter().any(|attempt| matches!(attempt, Attempt::Refused { .. }))
            }),
            Property::sometimes("expired hits are removed", |model: &Self, world: &World| {
                let seconds: Vec<_> = world.counted().collect();
                seconds.len() > model.bound.most as usize
            }),
        ];
        if self.bound.successes {
            properties.push(Property::sometimes("a hit is given back", |_, world: &World| {
                world.attempts.contains(&Attempt::GivenBack)
            }));
        }
        properties
    }
}
