//! Tokens, and the decision on one that is presented.

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use auth_core::client::Client;
use auth_core::random::Random;
use auth_core::secret::Secret;
use auth_core::session::policy::{RetryPolicy, Rotation, SessionConfig};
use auth_core::session::rotation::{self, Decision, Presented};
use auth_core::session::{Generation, Session, SessionId};
use auth_core::token::TokenNames;
use auth_core::token::access::AccessIssuer;
use auth_core::token::key::Algorithm;
use auth_core::token::refresh::{RefreshKey, RefreshKeys};
use auth_core::user::{Names, User, UserId, UserStatus};

use super::{NOW, Outcome, keys, secret};

const HOUR: Duration = Duration::from_secs(3_600);
const MONTH: Duration = Duration::from_secs(2_592_000);
const RETRIES: RetryPolicy =
    RetryPolicy { grace: Duration::from_secs(10), window: Duration::from_secs(86_400), limit: 10 };

pub(super) fn issue(algorithm: Algorithm, count: u32) -> Outcome {
    let random = Random::seeded(1);
    let (issuer, user, sid) =
        (AccessIssuer::new(keys(algorithm)?.0, names(), HOUR), user(&random)?, SessionId::generate(&random)?);
    for _ in 0..count {
        black_box(issuer.issue(black_box(&user), &sid, NOW + MONTH, NOW, &random)?);
    }
    Ok(())
}

/// An access token that is valid for an hour.
pub(super) fn access_token(algorithm: Algorithm) -> Result<String, Box<dyn Error>> {
    let random = Random::seeded(1);
    let issuer = AccessIssuer::new(keys(algorithm)?.0, names(), HOUR);
    let (user, sid) = (user(&random)?, SessionId::generate(&random)?);
    Ok(issuer.issue(&user, &sid, NOW + MONTH, NOW, &random)?.token)
}

pub(super) fn mint(count: u32) -> Outcome {
    let (keys, session) = (refresh_keys()?, session()?);
    for _ in 0..count {
        black_box(keys.mint(&session.user, black_box(&session.id), session.generation, NOW, NOW + MONTH)?);
    }
    Ok(())
}

pub(super) fn verify(count: u32) -> Outcome {
    let (keys, session) = (refresh_keys()?, session()?);
    let token = keys.mint(&session.user, &session.id, session.generation, NOW, NOW + MONTH)?;
    for _ in 0..count {
        black_box(keys.verify(black_box(&token), NOW)?);
    }
    Ok(())
}

/// A token of the generation before, in the grace: what a second tab or a retry presents.
pub(super) fn decide(count: u32) -> Outcome {
    let session = Session { generation: Generation::FIRST.next(), ..session()? };
    let presented = Presented {
        generation: Generation::FIRST,
        idempotency: None,
        access_issued_at: None,
        invocation_id: "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned(),
        at: NOW + RETRIES.grace,
    };
    for _ in 0..count {
        let decision = rotation::decide(black_box(&session), black_box(&presented), &RETRIES);
        if black_box(decision) != Decision::Replay {
            return Err("a token in the grace was not answered again".into());
        }
    }
    Ok(())
}

fn names() -> TokenNames {
    TokenNames { issuer: "urn:latchkey".into(), audience: "urn:latchkey:api".into() }
}

fn user(random: &Random) -> Result<User, Box<dyn Error>> {
    Ok(User {
        id: UserId::generate(random)?,
        email: "ada@example.com".into(),
        names: Names { display_name: Some("Ada Lovelace".into()), ..Names::default() },
        email_verified: false,
        status: UserStatus::Active,
        sessions_serial: 0,
        created_at: NOW,
    })
}

fn refresh_keys() -> Result<RefreshKeys, Box<dyn Error>> {
    Ok(RefreshKeys::new(&names(), RefreshKey::derive(&Secret::new(secret()))?, Vec::new()))
}

fn session() -> Result<Session, Box<dyn Error>> {
    let random = Random::seeded(1);
    let config = SessionConfig {
        access_lifetime: HOUR,
        idle_lifetime: MONTH,
        absolute_lifetime: 3 * MONTH,
        rotation: Rotation::On,
        retention: MONTH,
    };
    let client = Client::new("203.0.113.24", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)", "r-1");
    let (user, id) = (UserId::generate(&random)?, SessionId::generate(&random)?);
    Ok(Session::begin(user, id, &client, NOW, &config))
}
