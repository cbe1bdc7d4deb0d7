//! The service: the functions' steps around the production code's decisions.

use auth_core::client::Client;
use auth_core::random::Random;
use auth_core::session::policy::{Rotation, SessionConfig};
use auth_core::session::rotation::{Decision, Presented, decide};
use auth_core::session::{Generation, IdempotencyDigest, Revocation, RevocationReason, Session, SessionId};
use auth_core::user::UserId;

use crate::mutation::Mutation;
use crate::rules::{self, Standing};
use crate::table;
use crate::world::{
    ABSOLUTE, Bound, IDLE, Item, Phase, RETENTION, Request, Tick, Why, World, span, tick, timestamp,
};

/// The refresh function, with one fault or none.
pub(crate) struct Service {
    config: SessionConfig,
    /// What the model leaves out of a session.
    template: Session,
    mutation: Option<Mutation>,
}

impl Service {
    pub(crate) fn new(rotation: Rotation, mutation: Option<Mutation>) -> Self {
        let random = Random::seeded(1);
        let config = SessionConfig {
            access_lifetime: span(1),
            idle_lifetime: span(IDLE),
            absolute_lifetime: span(ABSOLUTE),
            rotation,
            retention: span(RETENTION),
        };
        let user = UserId::generate(&random).expect("seeded");
        let sid = SessionId::generate(&random).expect("seeded");
        let template = Session::begin(user, sid, &Client::default(), timestamp(0), &config);
        Self { config, template, mutation }
    }

    /// The token is verified, then the user is read.
    pub(crate) fn arrives(&self, world: &World, request: &Request, now: Tick) -> Phase {
        if world.past.token_end(request.generation) <= now {
            Phase::Refused(Why::Expired)
        } else if !world.disabled || self.mutation == Some(Mutation::UserNotRead) {
            Phase::Read
        } else if self.mutation == Some(Mutation::DisabledNotRevoked) {
            Phase::Refused(Why::Disabled)
        } else {
            Phase::Ending(Why::Disabled)
        }
    }

    /// The conditional write, and the decision if it is refused.
    pub(crate) fn writes(&self, world: &mut World, bound: &Bound, request: &Request, at: Tick) -> Phase {
        let presented = presented(request, at);
        let step = presented.step(&self.config);
        let standing = world.past.standing(request, at, bound.grace);
        if table::rotate(&mut world.item, request, at, step, self.mutation) {
            let item = world.item.expect("it has just been written");
            let token_end = self.token_end(&item);
            world.broken = world.past.written(request, at, item.generation, token_end);
            return Phase::Written { at, grant: item.generation };
        }
        let Some(item) = world.item else { return Phase::Refused(Why::Unknown) };
        match self.decide(&item, &presented, bound.grace) {
            Decision::Replay => self.replays(world, request, standing, at, &item),
            Decision::Reuse => {
                world.broken = rules::suspected(bound, request, standing);
                let revoked = self.mutation != Some(Mutation::ReuseNotRevoked);
                if revoked { Phase::Ending(Why::Reuse) } else { Phase::Refused(Why::Reuse) }
            }
            Decision::Ended(_) => {
                world.broken = world.past.called_ended(at);
                Phase::Refused(Why::Ended)
            }
            Decision::Rotate | Decision::Unknown => Phase::Refused(Why::Unknown),
        }
    }

    /// Whether the authorizer lets an access token of the session pass.
    pub(crate) fn authorizes(&self, world: &World, now: Tick) -> bool {
        world.item.is_some_and(|item| self.session(&item).ended(timestamp(now)).is_none())
    }

    fn replays(
        &self,
        world: &mut World,
        request: &Request,
        standing: Standing,
        at: Tick,
        item: &Item,
    ) -> Phase {
        let mut token_end = self.token_end(item);
        if self.mutation == Some(Mutation::ReplayMintsAnotherToken) {
            token_end = at + IDLE;
        }
        world.broken = world.past.replayed(request, standing, at, item.generation, token_end);
        Phase::Granted(item.generation)
    }

    /// The production code's decision, unless a fault comes in between.
    fn decide(&self, item: &Item, presented: &Presented, grace: Tick) -> Decision {
        let mut session = self.session(item);
        let mut presented = presented.clone();
        let mut grace = span(grace);
        match self.mutation {
            Some(Mutation::GraceWithoutEnd) => grace = span(Tick::MAX),
            Some(Mutation::GraceIgnored) => grace = span(0),
            Some(Mutation::KeyIgnored) => presented.idempotency = None,
            Some(Mutation::NoKeyEqualsNoKey) => {
                session.idempotency = session.idempotency.or_else(|| Some(digest(0)));
                presented.idempotency = presented.idempotency.or_else(|| Some(digest(0)));
            }
            Some(Mutation::RequestIgnored) => presented.invocation_id.clear(),
            Some(Mutation::OlderTokenReplayedInGrace) if session.generation > presented.generation => {
                session.generation = presented.generation.next();
            }
            Some(Mutation::RevocationIgnored) => session.revoked = None,
            Some(Mutation::EndsIgnored) => {
                (session.idle_ends_at, session.absolute_ends_at) =
                    (timestamp(Tick::MAX), timestamp(Tick::MAX));
            }
            _ => {}
        }
        match decide(&session, &presented, grace) {
            Decision::Reuse if self.mutation == Some(Mutation::ReuseTakenForReplay) => Decision::Replay,
            Decision::Replay if self.mutation == Some(Mutation::ReplaySuspected) => Decision::Reuse,
            decision => decision,
        }
    }

    fn session(&self, item: &Item) -> Session {
        let revocation = Revocation { at: timestamp(0), reason: RevocationReason::Logout };
        Session {
            generation: Generation::from_number(item.generation.into()),
            rotated_at: timestamp(item.rotated_at),
            rotated_by: item.rotated_by.map(request_id).unwrap_or_default(),
            idempotency: item.key.map(digest),
            idle_ends_at: timestamp(item.idle_ends_at),
            absolute_ends_at: timestamp(item.absolute_ends_at),
            revoked: item.revoked.then_some(revocation),
            ..self.template.clone()
        }
    }

    fn token_end(&self, item: &Item) -> Tick {
        tick(self.session(item).refresh_token_ends_at(self.config.rotation))
    }
}

fn presented(request: &Request, at: Tick) -> Presented {
    Presented {
        generation: Generation::from_number(request.generation.into()),
        idempotency: request.key.map(digest),
        invocation_id: request_id(request.id),
        at: timestamp(at),
    }
}

fn request_id(id: u8) -> String {
    format!("request-{id}")
}

/// Key 0 is nobody's.
fn digest(key: u8) -> IdempotencyDigest {
    IdempotencyDigest::from_stored(&format!("key-{key}"))
}
