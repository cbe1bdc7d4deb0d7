//! What a request costs besides the table: tokens and passwords.
//!
//! `make tokens` prints it. Absolute times are the machine's; compare lines of one run.

use std::hint::black_box;
use std::time::Duration;

use auth_core::clock::Timestamp;
use auth_core::password::Password;
use auth_core::password::hash::{Hasher, HashingConfig};
use auth_core::random::Random;
use auth_core::secret::Secret;
use auth_core::session::{Generation, SessionId};
use auth_core::token::TokenNames;
use auth_core::token::access::{AccessIssuer, AccessVerifier};
use auth_core::token::key::{self, Algorithm, KeyPair};
use auth_core::token::refresh::{RefreshKey, RefreshKeys};
use auth_core::user::{Names, User, UserId, UserStatus};
use criterion::{Criterion, criterion_group, criterion_main};

type Failure = Box<dyn std::error::Error>;

const NOW: Timestamp = Timestamp::from_epoch_seconds(1_800_000_000);
const HOUR: Duration = Duration::from_secs(3_600);

fn names() -> TokenNames {
    TokenNames { issuer: "https://id.example.com".into(), audience: "https://api.example.com".into() }
}

fn user(random: &Random) -> Result<User, Failure> {
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

fn pair(algorithm: Algorithm) -> Result<KeyPair, Failure> {
    let pem = match algorithm {
        Algorithm::HS256 => return Ok(key::from_secret(algorithm, &Secret::new("s".repeat(86)))?),
        Algorithm::ES256 => include_str!("keys/es256.pem"),
        Algorithm::RS256 => include_str!("keys/rs256.pem"),
        _ => include_str!("keys/eddsa.pem"),
    };
    Ok(key::from_private_pem(algorithm, &Secret::new(pem))?)
}

fn access_tokens(criterion: &mut Criterion) -> Result<(), Failure> {
    let random = Random::system();
    let (user, sid) = (user(&random)?, SessionId::generate(&random)?);
    for algorithm in [Algorithm::HS256, Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256] {
        let (signing, verifying) = pair(algorithm)?;
        let issuer = AccessIssuer::new(signing, names(), HOUR);
        let verifier = AccessVerifier::new(vec![verifying], names());
        let token = issuer.issue(&user, &sid, NOW + HOUR, NOW, &random)?.token;
        criterion.bench_function(&format!("access token, {algorithm:?}: issue"), |bencher| {
            bencher.iter(|| issuer.issue(black_box(&user), &sid, NOW + HOUR, NOW, &random));
        });
        criterion.bench_function(&format!("access token, {algorithm:?}: verify"), |bencher| {
            bencher.iter(|| verifier.verify(black_box(&token), NOW));
        });
    }
    Ok(())
}

fn refresh_tokens(criterion: &mut Criterion) -> Result<(), Failure> {
    let random = Random::system();
    let keys = RefreshKeys::new(&names(), RefreshKey::derive(&Secret::new("s".repeat(86)))?, Vec::new());
    let (user, sid) = (UserId::generate(&random)?, SessionId::generate(&random)?);
    let token = keys.mint(&user, &sid, Generation::FIRST, NOW, NOW + HOUR)?;
    criterion.bench_function("refresh token: mint", |bencher| {
        bencher.iter(|| keys.mint(black_box(&user), &sid, Generation::FIRST, NOW, NOW + HOUR));
    });
    criterion.bench_function("refresh token: verify", |bencher| {
        bencher.iter(|| keys.verify(black_box(&token), NOW));
    });
    Ok(())
}

fn passwords(criterion: &mut Criterion) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let hasher = Hasher::new(HashingConfig { memory_kib: 19_456, iterations: 2, parallelism: 1 })?;
    let hash = runtime.block_on(hasher.hash(Password::new("plum-kettle-orbit"), &Random::system()))?;
    criterion.bench_function("password, 19 MiB, t=2: verify", |bencher| {
        bencher.iter(|| {
            runtime.block_on(hasher.verify(Password::new(black_box("plum-kettle-orbit")), Some(hash.clone())))
        });
    });
    Ok(())
}

fn all(criterion: &mut Criterion) {
    for bench in [access_tokens, refresh_tokens, passwords] {
        if let Err(failure) = bench(criterion) {
            eprintln!("{failure}");
            std::process::exit(1);
        }
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
