//! The decision, against a second writing of its table in plain numbers.

use auth_core::client::Client;
use auth_core::random::Random;
use auth_core::session::policy::{RetryPolicy, Rotation, SessionConfig};
use auth_core::session::rotation::{Decision, Presented, ReuseReason, decide};
use auth_core::session::{
    Ended, Generation, IdempotencyDigest, RetryMark, Revocation, RevocationReason, Session, SessionId,
};
use auth_core::user::UserId;
use proptest::prelude::{Strategy, proptest};
use proptest::{option, prop_assert_eq};

use crate::world::{span, timestamp};

/// A session and a token, as small numbers: so small that equal ones meet often.
#[derive(Clone, Copy, Debug)]
struct Case {
    stored: u8,
    presented: u8,
    rotated_at: u8,
    at: u8,
    idle_end: u8,
    absolute_end: u8,
    revoked: bool,
    stored_key: Option<u8>,
    key: Option<u8>,
    rotated_by: Option<u8>,
    request: Option<u8>,
    grace: u8,
    /// When the access token was issued that came with it.
    access: Option<u8>,
    window: u8,
    limit: u8,
    /// The requests that were counted, one bit each.
    counted: u8,
}

fn cases() -> impl Strategy<Value = Case> {
    let generations = (0..5_u8, 0..5_u8);
    let times = (0..12_u8, 0..12_u8, 0..40_u8, 0..40_u8, 0..6_u8);
    let keys = (option::of(0..2_u8), option::of(0..2_u8), option::of(0..2_u8), option::of(0..2_u8));
    let retries = (option::of(0..12_u8), 0..8_u8, 0..4_u8, 0..8_u8);
    (generations, times, keys, retries, proptest::bool::weighted(0.1)).prop_map(
        |((stored, presented), (rotated_at, at, idle_end, absolute_end, grace), keys, retries, revoked)| {
            let (stored_key, key, rotated_by, request) = keys;
            let (access, window, limit, counted) = retries;
            Case {
                stored,
                presented,
                rotated_at,
                at,
                idle_end,
                absolute_end,
                revoked,
                stored_key,
                key,
                rotated_by,
                request,
                grace,
                access,
                window,
                limit,
                counted,
            }
        },
    )
}

const REVOCATION: Revocation = Revocation { at: timestamp(0), reason: RevocationReason::Logout };

/// The rows of the table, from the top.
fn expected(case: &Case) -> Decision {
    let age = i16::from(case.at) - i16::from(case.rotated_at);
    let repeated = (case.grace != 0 && age <= i16::from(case.grace))
        || (case.request.is_some() && case.request == case.rotated_by);
    let keyed = case.key.is_some() && case.key == case.stored_key;
    let uncounted = case.access.is_some_and(|issued| issued <= case.rotated_at)
        || case.request.is_some_and(|request| case.counted & (1 << request) != 0);
    let late = case.request.is_some() && age > i16::from(case.window);
    let room = case.request.is_some() && case.counted.count_ones() < u32::from(case.limit);
    match i16::from(case.stored) - i16::from(case.presented) {
        _ if case.revoked => Decision::Ended(Ended::Revoked(REVOCATION)),
        _ if case.at >= case.absolute_end => Decision::Ended(Ended::Absolute),
        _ if case.at >= case.idle_end => Decision::Ended(Ended::Idle),
        ..0 => Decision::Unknown,
        0 => Decision::Rotate,
        1 if repeated || (keyed && uncounted) => Decision::Replay,
        1 if keyed && late => Decision::Reuse(ReuseReason::RetryWindow),
        1 if keyed && room => Decision::CountedReplay,
        1 if keyed => Decision::Reuse(ReuseReason::RetryLimit),
        1.. => Decision::Reuse(ReuseReason::Superseded),
    }
}

fn decided(case: &Case) -> Decision {
    let random = Random::seeded(1);
    let config = SessionConfig {
        access_lifetime: span(1),
        idle_lifetime: span(1),
        absolute_lifetime: span(1),
        rotation: Rotation::On,
        retention: span(1),
    };
    let user = UserId::generate(&random).expect("seeded");
    let sid = SessionId::generate(&random).expect("seeded");
    let digest = |key: u8| IdempotencyDigest::of(&sid, &[b'a' + key]);
    let request = |id: Option<u8>| id.map(|id| id.to_string()).unwrap_or_default();
    let session = Session {
        generation: Generation::from_number(case.stored.into()),
        rotated_at: timestamp(case.rotated_at),
        rotated_by: request(case.rotated_by),
        idempotency: case.stored_key.and_then(digest),
        retries: (0..3)
            .filter(|id| case.counted & (1 << id) != 0)
            .filter_map(|id| RetryMark::of(&request(Some(id))))
            .collect(),
        idle_ends_at: timestamp(case.idle_end),
        absolute_ends_at: timestamp(case.absolute_end),
        revoked: case.revoked.then_some(REVOCATION),
        ..Session::begin(user, sid.clone(), &Client::default(), timestamp(0), &config)
    };
    let presented = Presented {
        generation: Generation::from_number(case.presented.into()),
        idempotency: case.key.and_then(digest),
        access_issued_at: case.access.map(timestamp),
        invocation_id: request(case.request),
        at: timestamp(case.at),
    };
    let policy = RetryPolicy { grace: span(case.grace), window: span(case.window), limit: case.limit.into() };
    decide(&session, &presented, &policy)
}

proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 16_384,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn every_decision_is_the_tables(case in cases()) {
        prop_assert_eq!(decided(&case), expected(&case));
    }
}
