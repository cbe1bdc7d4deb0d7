//! The service: the functions' steps around the production code's decisions.

use auth_core::client::Client;
use auth_core::random::Random;
use auth_core::session::policy::{RetryPolicy, Rotation, SessionConfig};
use auth_core::session::rotation::{Decision, Presented, ReuseReason, decide};
use auth_core::session::{
    Generation, IdempotencyDigest, Retries, RetryMark, Revocation, RevocationReason, Session, SessionId,
};
use auth_core::user::UserId;

use crate::mutation::Mutation;
use crate::rules;
use crate::table;
use crate::world::{
    ABSOLUTE, Bound, Count, IDLE, Item, Phase, RETENTION, Request, Tick, Version, Why, World, span, tick,
    timestamp,
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
        if table::rotate(&mut world.item, request, at, step, self.mutation) {
            let item = world.item.expect("it has just been written");
            let token_end = self.token_end(&item);
            world.broken = world.past.written(request, at, item.generation, token_end);
            return Phase::Written { at, grant: item.generation };
        }
        self.answers(world, bound, request, &presented, at)
    }

    /// The conditional count of a repetition, and the decision if it is refused.
    pub(crate) fn counts(
        &self,
        world: &mut World,
        bound: &Bound,
        request: &Request,
        at: Tick,
        count: Count,
    ) -> Phase {
        if table::count_replay(&mut world.item, request, count, bound.limit, self.mutation) {
            let item = world.item.expect("it has just been written");
            let grant = self.replays(world, bound, request, at, &item);
            return Phase::Counted { at, count, grant };
        }
        self.answers(world, bound, request, &presented(request, at), at)
    }

    /// What the state says that refused a write.
    fn answers(
        &self,
        world: &mut World,
        bound: &Bound,
        request: &Request,
        presented: &Presented,
        at: Tick,
    ) -> Phase {
        let Some(item) = world.item else { return Phase::Refused(Why::Unknown) };
        match self.decide(&item, presented, bound, request.version) {
            Decision::Replay => Phase::Granted(self.replays(world, bound, request, at, &item)),
            Decision::CountedReplay => {
                let first = item.retries == 0 || item.retries_of != Some(item.generation);
                Phase::Counting { at, count: if first { Count::First } else { Count::Another } }
            }
            Decision::Reuse(_) => {
                let standing = world.past.standing(request, at, bound);
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

    /// The token that a repetition is answered with.
    fn replays(&self, world: &mut World, bound: &Bound, request: &Request, at: Tick, item: &Item) -> u8 {
        let standing = world.past.standing(request, at, bound);
        let mut token_end = self.token_end(item);
        if self.mutation == Some(Mutation::ReplayMintsAnotherToken) {
            token_end = at + IDLE;
        }
        world.broken = world.past.replayed(request, standing, at, item.generation, token_end);
        item.generation
    }

    /// The production code's decision, unless a fault comes in between.
    fn decide(&self, item: &Item, presented: &Presented, bound: &Bound, version: Version) -> Decision {
        let mut session = self.session(item);
        let mut presented = presented.clone();
        let mut policy =
            RetryPolicy { grace: span(bound.grace), window: span(bound.window), limit: bound.limit };
        match self.mutation {
            Some(Mutation::GraceWithoutEnd) => policy.grace = span(Tick::MAX),
            Some(Mutation::GraceIgnored) => policy.grace = span(0),
            Some(Mutation::KeyIgnored) => presented.idempotency = None,
            Some(Mutation::NoKeyEqualsNoKey) => {
                session.idempotency = session.idempotency.or_else(|| Some(digest(0)));
                presented.idempotency = presented.idempotency.or_else(|| Some(digest(0)));
            }
            Some(Mutation::RequestIgnored) => session.rotated_by.clear(),
            Some(Mutation::OlderTokenReplayedInGrace) if session.generation > presented.generation => {
                session.generation = presented.generation.next();
            }
            Some(Mutation::RevocationIgnored) => session.revoked = None,
            Some(Mutation::EndsIgnored) => {
                (session.idle_ends_at, session.absolute_ends_at) =
                    (timestamp(Tick::MAX), timestamp(Tick::MAX));
            }
            Some(Mutation::RetryWindowIgnored) => policy.window = span(Tick::MAX),
            Some(Mutation::RetryLimitIgnored) => policy.limit = u32::MAX,
            Some(Mutation::OwnRetryNotRecognised) => {
                let own = RetryMark::of(&presented.invocation_id).expect("requests have ids");
                if session.retries.remove(&own) {
                    session.retries.extend(RetryMark::of("another request"));
                }
            }
            _ => {}
        }
        match decide(&session, &presented, &policy) {
            Decision::Reuse(_) if self.mutation == Some(Mutation::ReuseTakenForReplay) => Decision::Replay,
            Decision::Replay if self.mutation == Some(Mutation::ReplaySuspected) => {
                Decision::Reuse(ReuseReason::Superseded)
            }
            Decision::CountedReplay | Decision::Reuse(ReuseReason::RetryWindow | ReuseReason::RetryLimit)
                if version == Version::BeforeTheCount =>
            {
                Decision::Replay
            }
            Decision::CountedReplay if self.mutation == Some(Mutation::ReplayNotCounted) => Decision::Replay,
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
            retries: self.retries(item),
            idle_ends_at: timestamp(item.idle_ends_at),
            absolute_ends_at: timestamp(item.absolute_ends_at),
            revoked: item.revoked.then_some(revocation),
            ..self.template.clone()
        }
    }

    /// As the store reads them.
    fn retries(&self, item: &Item) -> Retries {
        let earlier = self.mutation == Some(Mutation::EarlierRetriesCounted);
        let of_this = item.retries_of == Some(item.generation) || earlier;
        let ids = (0..8).filter(|id| of_this && item.retries & (1 << id) != 0);
        ids.filter_map(|id| RetryMark::of(&request_id(id))).collect()
    }

    fn token_end(&self, item: &Item) -> Tick {
        tick(self.session(item).refresh_token_ends_at(self.config.rotation))
    }
}

fn presented(request: &Request, at: Tick) -> Presented {
    Presented {
        generation: Generation::from_number(request.generation.into()),
        idempotency: request.key.map(digest),
        access_issued_at: None,
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
