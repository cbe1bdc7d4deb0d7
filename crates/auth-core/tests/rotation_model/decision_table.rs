//! The decision, against a second writing of its table in plain numbers.

use auth_core::client::Client;
use auth_core::random::Random;
use auth_core::session::policy::{Rotation, SessionConfig};
use auth_core::session::rotation::{Decision, Presented, decide};
use auth_core::session::{
    Ended, Generation, IdempotencyDigest, Revocation, RevocationReason, Session, SessionId,
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
}

fn cases() -> impl Strategy<Value = Case> {
    let generations = (0..5_u8, 0..5_u8);
    let times = (0..12_u8, 0..12_u8, 0..40_u8, 0..40_u8, 0..6_u8);
    let keys = (option::of(0..2_u8), option::of(0..2_u8), option::of(0..2_u8), option::of(0..2_u8));
    (generations, times, keys, proptest::bool::weighted(0.1)).prop_map(
        |((stored, presented), (rotated_at, at, idle_end, absolute_end, grace), keys, revoked)| {
            let (stored_key, key, rotated_by, request) = keys;
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
            }
        },
    )
}

const REVOCATION: Revocation = Revocation { at: timestamp(0), reason: RevocationReason::Logout };

/// The rows of the table, from the top.
fn expected(case: &Case) -> Decision {
    let age = i16::from(case.at) - i16::from(case.rotated_at);
    let repeated = (case.grace != 0 && age <= i16::from(case.grace))
        || (case.key.is_some() && case.key == case.stored_key)
        || (case.request.is_some() && case.request == case.rotated_by);
    match i16::from(case.stored) - i16::from(case.presented) {
        _ if case.revoked => Decision::Ended(Ended::Revoked(REVOCATION)),
        _ if case.at >= case.absolute_end => Decision::Ended(Ended::Absolute),
        _ if case.at >= case.idle_end => Decision::Ended(Ended::Idle),
        ..0 => Decision::Unknown,
        0 => Decision::Rotate,
        1 if repeated => Decision::Replay,
        1.. => Decision::Reuse,
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
        idle_ends_at: timestamp(case.idle_end),
        absolute_ends_at: timestamp(case.absolute_end),
        revoked: case.revoked.then_some(REVOCATION),
        ..Session::begin(user, sid.clone(), &Client::default(), timestamp(0), &config)
    };
    let presented = Presented {
        generation: Generation::from_number(case.presented.into()),
        idempotency: case.key.and_then(digest),
        invocation_id: request(case.request),
        at: timestamp(case.at),
    };
    decide(&session, &presented, span(case.grace))
}

proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 4_096,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn every_decision_is_the_tables(case in cases()) {
        prop_assert_eq!(decided(&case), expected(&case));
    }
}
