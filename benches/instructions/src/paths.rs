//! The paths: what a warm invocation runs between the runtime and the table.

mod events;
mod tokens;

use std::error::Error;
use std::pin::Pin;

use auth_core::clock::Timestamp;
use auth_core::secret::Secret;
use auth_core::token::key::{self, Algorithm, KeyPair};

/// What a path ends with.
pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// A path, run so many times.
pub(crate) enum Path {
    /// One that awaits nothing.
    Plain(fn(u32) -> Outcome),
    /// A service's.
    Service(fn(u32) -> Pin<Box<dyn Future<Output = Outcome>>>),
}

/// When everything happens.
const NOW: Timestamp = Timestamp::from_epoch_seconds(1_800_000_000);

/// Every path by name.
pub(crate) const ALL: &[(&str, Path)] = &[
    ("authorize-hs256", Path::Service(|count| Box::pin(events::authorize(Algorithm::HS256, count)))),
    ("authorize-eddsa", Path::Service(|count| Box::pin(events::authorize(Algorithm::EdDSA, count)))),
    ("authorize-es256", Path::Service(|count| Box::pin(events::authorize(Algorithm::ES256, count)))),
    ("authorize-rs256", Path::Service(|count| Box::pin(events::authorize(Algorithm::RS256, count)))),
    ("issue-access-hs256", Path::Plain(|count| tokens::issue(Algorithm::HS256, count))),
    ("issue-access-eddsa", Path::Plain(|count| tokens::issue(Algorithm::EdDSA, count))),
    ("issue-access-es256", Path::Plain(|count| tokens::issue(Algorithm::ES256, count))),
    ("issue-access-rs256", Path::Plain(|count| tokens::issue(Algorithm::RS256, count))),
    ("issue-refresh", Path::Plain(tokens::mint)),
    ("verify-refresh", Path::Plain(tokens::verify)),
    ("decide-rotation", Path::Plain(tokens::decide)),
    ("read-authorizer-token", Path::Plain(|count| events::read_authorizer(events::TOKEN, count))),
    ("read-authorizer-request", Path::Plain(|count| events::read_authorizer(events::REQUEST, count))),
    ("read-authorizer-http-1", Path::Plain(|count| events::read_authorizer(events::HTTP_1, count))),
    ("read-authorizer-http-2", Path::Plain(|count| events::read_authorizer(events::HTTP_2, count))),
    ("read-authorizer-websocket", Path::Plain(|count| events::read_authorizer(events::WEBSOCKET, count))),
    ("read-request-rest", Path::Plain(|count| events::read_request(events::LOGIN_REST, count))),
    ("read-request-http", Path::Plain(|count| events::read_request(events::LOGIN_HTTP, count))),
    ("answer-jwks", Path::Service(|count| Box::pin(events::answer_jwks(count)))),
];

/// The keys of an algorithm, the same each time.
fn keys(algorithm: Algorithm) -> Result<KeyPair, Box<dyn Error>> {
    match private_pem(algorithm) {
        Some(pem) => Ok(key::from_private_pem(algorithm, &Secret::new(pem))?),
        None => Ok(key::from_secret(algorithm, &Secret::new(secret()))?),
    }
}

fn secret() -> String {
    "s".repeat(86)
}

const fn private_pem(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::ES256 => Some(include_str!("../../../crates/auth-core/benches/keys/es256.pem")),
        Algorithm::RS256 => Some(include_str!("../../../crates/auth-core/benches/keys/rs256.pem")),
        Algorithm::EdDSA => Some(include_str!("../../../crates/auth-core/benches/keys/eddsa.pem")),
        _ => None,
    }
}
