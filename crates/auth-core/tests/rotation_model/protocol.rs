//! What can happen at any moment, as a model that is searched.

use stateright::{Model, Property};

use crate::mutation::Mutation;
use crate::rules::{self, Rule};
use crate::service::Service;
use crate::table;
use crate::world::{Action, Bound, Keys, Phase, Request, RevokeAll, ThiefKey, Version, Why, World};

/// The key that the thief sends with whatever token.
const KEY_OF_THE_THIEF: u8 = 100;

/// The protocol within a bound.
pub(crate) struct Protocol {
    bound: Bound,
    service: Service,
}

impl Protocol {
    pub(crate) fn new(bound: Bound, mutation: Option<Mutation>) -> Self {
        Self { bound, service: Service::new(bound.rotation, mutation) }
    }

    fn skews(&self) -> impl Iterator<Item = i8> + use<> {
        let skew = self.bound.skew.cast_signed();
        -skew..=skew
    }

    fn client_actions(&self, world: &World, actions: &mut Vec<Action>) {
        let room = world.requests.len() < self.bound.parallel;
        if let Some(stored) = world.stored {
            let older = world.requests.iter().any(|request| request.honest && request.generation < stored);
            let may = !(self.bound.patient && older);
            if room && may && world.sent_by_tabs < self.bound.tab_requests {
                // Without keys of their own, one tab is as good as the other.
                let tabs = if self.bound.keys == Keys::OfTheTab { self.bound.tabs } else { 1 };
                for tab in 0..tabs {
                    let versions = self.bound.versions.iter();
                    actions.extend(versions.map(|version| Action::TabRefreshes { tab, version: *version }));
                }
            }
            if world.sent_by_thief < self.bound.thief_requests && world.loot & (1 << stored) == 0 {
                actions.push(Action::ThiefCopiesStorage);
            }
        }
        if room && world.sent_by_thief < self.bound.thief_requests {
            for generation in (0..8).filter(|generation| world.loot & (1 << generation) != 0) {
                let keys = [ThiefKey::None, self.bound.thief_key];
                actions.extend(keys.iter().map(|key| Action::ThiefPresents { generation, key: *key }));
            }
        }
    }

    fn operator_actions(&self, world: &World, actions: &mut Vec<Action>) {
        if self.bound.ends && !world.past.ended {
            actions.push(Action::Logout);
        }
        match world.revoke_all {
            RevokeAll::NotSent if self.bound.ends => actions.push(Action::RevokeAllLists),
            RevokeAll::Listed { .. } => actions.push(Action::RevokeAllEnds),
            _ => {}
        }
        if self.bound.disable && !world.disabled {
            actions.push(Action::Disable);
        }
    }

    fn request_actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (place, request) in world.requests.iter().enumerate() {
            match request.phase {
                Phase::Sent => self.arrivals(world, request, place, actions),
                Phase::Read => actions.extend(self.skews().map(|skew| Action::Writes(place, skew))),
                Phase::Written { .. } => {
                    actions.extend([Action::SdkWritesAgain(place), Action::Delivered(place)]);
                }
                Phase::Counting { .. } => actions.push(Action::Counts(place)),
                Phase::Counted { .. } => actions.extend([Action::Counts(place), Action::Delivered(place)]),
                Phase::Ending(_) => actions.push(Action::EndsSession(place)),
                Phase::Granted(_) | Phase::Refused(_) => actions.push(Action::Delivered(place)),
            }
            // More in the thief's hands never makes the thief weaker, and a request that was not sent is as good as one that is
            // lost: only a function that dies before it has ended the session is worth a step.
            if request.honest || matches!(request.phase, Phase::Ending(_)) {
                actions.push(Action::Lost(place));
            }
        }
    }

    /// The clocks that make a difference.
    fn arrivals(&self, world: &World, request: &Request, place: usize, actions: &mut Vec<Action>) {
        let mut last = None;
        for skew in self.skews() {
            let phase = self.service.arrives(world, request, world.clock(skew));
            if last.replace(phase) != Some(phase) {
                actions.push(Action::Arrives(place, skew));
            }
        }
    }

    fn send(world: &mut World, honest: bool, generation: u8, key: Option<u8>, version: Version) {
        let id = world.sent_by_tabs + world.sent_by_thief;
        let after_the_end = world.past.ended || world.disabled;
        world.requests.push(Request {
            id,
            honest,
            generation,
            key,
            version,
            after_the_end,
            phase: Phase::Sent,
        });
        let sent = if honest { &mut world.sent_by_tabs } else { &mut world.sent_by_thief };
        *sent += 1;
    }

    fn key(&self, tab: u8, generation: u8) -> Option<u8> {
        match self.bound.keys {
            Keys::None => None,
            Keys::OfTheTab => Some(1 + 10 * tab + generation),
            Keys::OfTheToken => Some(1 + generation),
        }
    }

    /// The next phase of a request that is moved on by `action`; `None` if it is over.
    fn advance(&self, world: &mut World, request: &Request, action: Action) -> Option<Phase> {
        match (action, request.phase) {
            (Action::Arrives(_, skew), _) => Some(self.service.arrives(world, request, world.clock(skew))),
            (Action::Writes(_, skew), _) => {
                let at = world.clock(skew);
                Some(self.service.writes(world, &self.bound, request, at))
            }
            (Action::SdkWritesAgain(_), Phase::Written { at, .. }) => {
                Some(self.service.writes(world, &self.bound, request, at))
            }
            (Action::Counts(_), Phase::Counting { at, count } | Phase::Counted { at, count, .. }) => {
                Some(self.service.counts(world, &self.bound, request, at, count))
            }
            (Action::EndsSession(_), Phase::Ending(why)) => {
                table::revoke(&mut world.item);
                world.past.ended = true;
                Some(Phase::Refused(why))
            }
            (Action::Delivered(_), phase) => {
                deliver(world, request, phase);
                None
            }
            _ => None,
        }
    }

    /// What an answer must not be.
    fn judge(&self, world: &World, request: &Request, phase: Phase) -> Option<Rule> {
        match phase {
            Phase::Written { .. } | Phase::Counted { .. } | Phase::Granted(_) if request.after_the_end => {
                Some(Rule::EndedStaysEnded)
            }
            Phase::Refused(why) => rules::refused(&self.bound, world, request, why),
            _ => None,
        }
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::at_login(self.bound.rotation)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.broken.is_some() {
            return;
        }
        if world.time < self.bound.ticks {
            actions.push(Action::Tick);
        }
        if world.item.is_some_and(|item| item.kept_until <= world.time) {
            actions.push(Action::DeleteExpiredItem);
        }
        self.client_actions(world, actions);
        self.operator_actions(world, actions);
        self.request_actions(world, actions);
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::Tick => world.time += 1,
            Action::DeleteExpiredItem => world.item = None,
            Action::TabRefreshes { tab, version } => {
                let generation = world.stored?;
                Self::send(&mut world, true, generation, self.key(tab, generation), version);
            }
            Action::ThiefCopiesStorage => world.loot |= 1 << world.stored?,
            Action::ThiefPresents { generation, key } => {
                let key = match key {
                    ThiefKey::None => None,
                    ThiefKey::Own => Some(KEY_OF_THE_THIEF),
                    ThiefKey::Stolen => self.key(0, generation),
                };
                Self::send(&mut world, false, generation, key, Version::Current);
            }
            Action::Logout => end(&mut world),
            Action::RevokeAllLists => {
                let seen = world.item.is_some_and(|item| !item.revoked);
                world.revoke_all = RevokeAll::Listed { seen };
            }
            Action::RevokeAllEnds => {
                if world.revoke_all == (RevokeAll::Listed { seen: true }) {
                    table::revoke(&mut world.item);
                }
                world.past.ended = true;
                world.revoke_all = RevokeAll::Done;
            }
            Action::Disable => world.disabled = true,
            Action::Arrives(place, _)
            | Action::Writes(place, _)
            | Action::SdkWritesAgain(place)
            | Action::Counts(place)
            | Action::EndsSession(place)
            | Action::Delivered(place)
            | Action::Lost(place) => {
                let request = world.requests.remove(place);
                if let Some(phase) = self.advance(&mut world, &request, action) {
                    world.broken = world.broken.or_else(|| self.judge(&world, &request, phase));
                    // The thief learns nothing from a refusal.
                    if request.honest || !matches!(phase, Phase::Refused(_)) {
                        world.requests.insert(place, Request { phase, ..request });
                    }
                }
            }
        }
        // The clock that is furthest behind sees the session alive the longest.
        let earliest = world.clock(-self.bound.skew.cast_signed());
        if world.broken.is_none() && world.past.ended && self.service.authorizes(&world, earliest) {
            world.broken = Some(Rule::EndedStaysEnded);
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(name(Rule::OneSuccessor), |_, world: &World| holds(world, Rule::OneSuccessor)),
            Property::always(name(Rule::HonestStaysSignedIn), |_, world: &World| {
                holds(world, Rule::HonestStaysSignedIn)
            }),
            Property::always(name(Rule::ReuseEndsTheSession), |_, world: &World| {
                holds(world, Rule::ReuseEndsTheSession)
            }),
            Property::always(name(Rule::EndedStaysEnded), |_, world: &World| {
                holds(world, Rule::EndedStaysEnded)
            }),
            Property::always(name(Rule::RefusalChangesNothing), |_, world: &World| {
                holds(world, Rule::RefusalChangesNothing)
            }),
            Property::always(name(Rule::NothingPastTheEnd), |_, world: &World| {
                holds(world, Rule::NothingPastTheEnd)
            }),
            Property::sometimes("a refresh is answered", |_, world: &World| {
                world.stored.is_some_and(|token| token > 0)
            }),
            Property::sometimes("a replay is answered", |_, world: &World| {
                world.requests.iter().any(|request| matches!(request.phase, Phase::Granted(_)))
            }),
            Property::sometimes("a replay is counted", |_, world: &World| {
                world.requests.iter().any(|request| matches!(request.phase, Phase::Counted { .. }))
            }),
            Property::sometimes("a reuse is noticed", |_, world: &World| {
                world.requests.iter().any(|request| request.phase == Phase::Ending(Why::Reuse))
            }),
            Property::sometimes("the item is deleted", |_, world: &World| world.item.is_none()),
            Property::sometimes(
                "an access token of a disabled user passes",
                |protocol: &Self, world: &World| {
                    world.disabled && protocol.service.authorizes(world, world.time)
                },
            ),
        ]
    }
}

/// The name of a rule's property.
pub(crate) fn name(rule: Rule) -> &'static str {
    match rule {
        Rule::OneSuccessor => "one successor",
        Rule::HonestStaysSignedIn => "the honest client stays signed in",
        Rule::ReuseEndsTheSession => "a reuse ends the session",
        Rule::EndedStaysEnded => "an ended session stays ended",
        Rule::RefusalChangesNothing => "a refusal changes nothing else",
        Rule::NothingPastTheEnd => "nothing succeeds past an end",
    }
}

fn holds(world: &World, rule: Rule) -> bool {
    world.broken != Some(rule)
}

fn end(world: &mut World) {
    table::revoke(&mut world.item);
    world.past.ended = true;
}

/// An answer reaches its client. The storage keeps the newest token; a refusal signs out unless the storage has moved on.
fn deliver(world: &mut World, request: &Request, phase: Phase) {
    let granted = match phase {
        Phase::Written { grant, .. } | Phase::Counted { grant, .. } | Phase::Granted(grant) => Some(grant),
        _ => None,
    };
    match granted {
        Some(token) if request.honest => world.stored = world.stored.map(|stored| stored.max(token)),
        Some(token) => world.loot |= 1 << token,
        None if world.stored == Some(request.generation) && request.honest => world.stored = None,
        None => {}
    }
}
