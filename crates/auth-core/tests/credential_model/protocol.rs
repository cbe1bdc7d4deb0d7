//! What can happen at any moment, as a model that is searched.

use stateright::{Model, Property};

use crate::mutation::Mutation;
use crate::world::{Bound, Phase, Record, Stage, World};
use crate::{ending, login};

/// The promise: once an ending was answered, no token of a session that had begun before it is accepted.
pub(crate) const NOTHING_SURVIVES: &str = "nothing that was under way survives the answer";

/// An honest login is refused by what overtakes it, and by nothing else.
pub(crate) const NO_FALSE_REFUSAL: &str =
    "a login that nothing overtook is not refused, and keeps its session";

const ANSWERED: &str = "a login is answered";
const REFUSED: &str = "a login that was verified is refused";
const ENDED: &str = "an ending is answered";

/// What a search must have come to.
pub(crate) const EACH_IS_REACHED: [&str; 3] = [ANSWERED, REFUSED, ENDED];

/// The protocol within a bound.
pub(crate) struct Protocol {
    pub(crate) bound: Bound,
    pub(crate) mutation: Option<Mutation>,
}

/// What can happen next; the number is that of a login or an ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Verifies(usize),
    WritesRecord(usize),
    WritesIndex(usize),
    /// A first try of both writes lands after the second.
    LateTryLands(usize),
    ReadsAgain(usize),
    RevokesItsOwn(usize),
    Answers(usize),
    LoginDies(usize),
    Rehash,
    Ends(usize),
    EndingDies(usize),
}

impl Protocol {
    fn login_actions(&self, world: &World, at: usize, actions: &mut Vec<Action>) {
        let login = &world.logins[at];
        match login.phase {
            Phase::Sent => actions.push(Action::Verifies(at)),
            Phase::Verified(_) => {
                if !login.writes.record {
                    actions.push(Action::WritesRecord(at));
                }
                if !login.writes.index {
                    actions.push(Action::WritesIndex(at));
                }
                let early = self.mutation == Some(Mutation::AnsweredBeforeTheIndex);
                if login.writes.record && (login.writes.index || early) {
                    actions.push(Action::ReadsAgain(at));
                }
                actions.push(Action::LoginDies(at));
            }
            Phase::Revoking => actions.extend([Action::RevokesItsOwn(at), Action::LoginDies(at)]),
            Phase::Allowed { .. } => actions.extend([Action::Answers(at), Action::LoginDies(at)]),
            Phase::Answered | Phase::Refused | Phase::Dead => {}
        }
        // A deletion waits longer than a late try takes.
        if login.writes.late && login.writes.record && login.writes.index && !world.records_deleted {
            actions.push(Action::LateTryLands(at));
        }
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::begin(&self.bound)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for at in 0..world.logins.len() {
            self.login_actions(world, at, actions);
        }
        for (at, ending) in world.endings.iter().enumerate() {
            if !matches!(ending.stage, Stage::Answered | Stage::Dead) {
                actions.push(Action::Ends(at));
                if ending.stage != Stage::Sent {
                    actions.push(Action::EndingDies(at));
                }
            }
        }
        if self.bound.rehash && !world.rehashed {
            actions.push(Action::Rehash);
        }
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::Verifies(at) => world.logins[at].phase = login::verifies(&world),
            Action::WritesRecord(at) => {
                world.logins[at].writes.record = true;
                world.sessions[at].record = Record::Live;
            }
            Action::WritesIndex(at) => {
                world.logins[at].writes.index = true;
                world.sessions[at].indexed = true;
            }
            Action::LateTryLands(at) => {
                world.logins[at].writes.late = false;
                // The condition of the record: there is none.
                if world.sessions[at].record == Record::None {
                    world.sessions[at].record = Record::Live;
                }
                world.sessions[at].indexed = true;
            }
            Action::ReadsAgain(at) => world.logins[at].phase = login::reads_again(&world, at, self.mutation),
            Action::RevokesItsOwn(at) => {
                if world.sessions[at].record == Record::Live {
                    world.sessions[at].record = Record::Revoked;
                }
                world.sessions[at].indexed = false;
                world.logins[at].phase = Phase::Refused;
            }
            Action::Answers(at) => {
                let Phase::Allowed { listed } = world.logins[at].phase else { return None };
                login::answers(&mut world, at, listed, self.bound.limit, self.mutation);
            }
            Action::LoginDies(at) => world.logins[at].phase = Phase::Dead,
            Action::Rehash => {
                world.rehashed = true;
                if let Some(credential) = &mut world.credential {
                    credential.rehashed = true;
                }
            }
            Action::Ends(at) => ending::step(&mut world, at, self.mutation),
            Action::EndingDies(at) => world.endings[at].stage = Stage::Dead,
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NOTHING_SURVIVES, |_, world: &World| {
                let mut each = world.logins.iter().zip(&world.sessions);
                !each.any(|(login, session)| {
                    login.doomed && login.phase == Phase::Answered && session.record == Record::Live
                })
            }),
            Property::always(NO_FALSE_REFUSAL, |protocol: &Self, world: &World| {
                let mut each = world.logins.iter().zip(&world.sessions);
                let limited = protocol.bound.limit.is_some() && world.logins.len() > 1;
                !each.any(|(login, session)| match login.phase {
                    Phase::Revoking => !login.overtaken,
                    Phase::Answered => !limited && !login.overtaken && session.record != Record::Live,
                    _ => false,
                })
            }),
            Property::sometimes(ANSWERED, |_, world: &World| {
                world.logins.iter().any(|login| login.phase == Phase::Answered)
            }),
            Property::sometimes(REFUSED, |_, world: &World| {
                world.logins.iter().any(|login| login.phase == Phase::Revoking)
            }),
            Property::sometimes(ENDED, |_, world: &World| {
                world.endings.iter().any(|ending| ending.stage == Stage::Answered)
            }),
        ]
    }
}
