//! Issuers and verifiers of every algorithm, and what stands in for a request.

use std::time::Duration;

use auth_core::Platform;
use auth_core::audit::{AuditLog, ServiceName};
use auth_core::clock::{Clock, Timestamp};
use auth_core::random::Random;
use auth_core::secret::Secret;
use auth_core::session::{Generation, SessionId};
use auth_core::token::TokenNames;
use auth_core::token::access::{AccessIssuer, AccessVerifier};
use auth_core::token::key::{self, Algorithm};
use auth_core::token::refresh::{RefreshKey, RefreshKeys};
use auth_core::user::{Names, User, UserId, UserStatus};

/// The present.
pub const NOW: Timestamp = Timestamp::from_epoch_seconds(1_767_225_600);

/// The secret of every key that has one.
pub const SECRET: &str = "a-secret-of-sixty-four-bytes-which-is-enough-for-HS512-as-well...";

/// `iss` and `aud`.
pub fn names() -> TokenNames {
    TokenNames { issuer: "urn:latchkey".to_owned(), audience: "urn:latchkey:api".to_owned() }
}

/// Every algorithm that a deployment can choose.
pub const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
    Algorithm::RS256,
    Algorithm::ES256,
    Algorithm::EdDSA,
];

/// The issuer and the verifier of access tokens.
pub fn access(algorithm: Algorithm) -> (AccessIssuer, AccessVerifier) {
    let pem = |text: &str| key::from_private_pem(algorithm, &Secret::new(text));
    let pair = match algorithm {
        Algorithm::RS256 => pem(include_str!("../../crates/auth-core/benches/keys/rs256.pem")),
        Algorithm::ES256 => pem(include_str!("../../crates/auth-core/benches/keys/es256.pem")),
        Algorithm::EdDSA => pem(include_str!("../../crates/auth-core/benches/keys/eddsa.pem")),
        _ => key::from_secret(algorithm, &Secret::new(SECRET)),
    };
    let (signing, verifying) = pair.expect("a key");
    let lifetime = Duration::from_secs(3_600);
    (AccessIssuer::new(signing, names(), lifetime), AccessVerifier::new(vec![verifying], names()))
}

/// The keys of refresh tokens.
pub fn refresh() -> RefreshKeys {
    let key = RefreshKey::derive(&Secret::new(SECRET)).expect("a key");
    RefreshKeys::new(&names(), key, Vec::new())
}

/// Somebody.
pub fn user() -> User {
    User {
        id: UserId::generate(&Random::seeded(1)).expect("randomness"),
        email: "ada@example.com".to_owned(),
        names: Names { display_name: Some("Ada".to_owned()), ..Names::default() },
        email_verified: false,
        status: UserStatus::Active,
        sessions_serial: 0,
        created_at: NOW,
    }
}

/// A session of theirs.
pub fn session() -> SessionId {
    SessionId::generate(&Random::seeded(2)).expect("randomness")
}

/// A valid access token.
pub fn access_token(algorithm: Algorithm) -> String {
    let end = NOW + Duration::from_secs(86_400);
    let issued = access(algorithm).0.issue(&user(), &session(), end, NOW, &Random::seeded(3));
    issued.expect("a token").token
}

/// A valid refresh token.
pub fn refresh_token() -> String {
    let end = NOW + Duration::from_secs(86_400);
    refresh().mint(&user().id, &session(), Generation::FIRST, NOW, end).expect("a token")
}

/// A standing clock. A long search writes its audit lines to where they can be thrown away: memory would only grow.
pub fn platform() -> Platform {
    let audit = if cfg!(fuzzing) { AuditLog::stdout(ServiceName::default()) } else { AuditLog::memory() };
    Platform { clock: Clock::manual(NOW), random: Random::system(), audit }
}
