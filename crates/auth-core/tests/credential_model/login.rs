//! A login, around the production code's decisions.

use auth_core::client::Client;
use auth_core::clock::Timestamp;
use auth_core::credential::{Basis, Credential, PasswordVersion, decide};
use auth_core::password::hash::PasswordHash;
use auth_core::random::Random;
use auth_core::session::limit::surplus;
use auth_core::session::policy::{Rotation, SessionConfig};
use auth_core::session::{Session, SessionId};
use auth_core::user::{Names, User, UserId, UserStatus};

use crate::mutation::Mutation;
use crate::world::{Phase, Reading, Record, StoredCredential, StoredUser, World};

const HASHES: [&str; 2] = [
    "$argon2id$v=19$m=7168,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
    "$argon2id$v=19$m=7168,t=2,p=1$c2FsdHNhbHRzYWx0$b3RoZXJvdGhlcm90aGVy",
];

/// The credential and the user are read, and the password, which is the current one, is verified.
pub(crate) fn verifies(world: &World) -> Phase {
    match world.reading() {
        reading @ Reading { credential: Some(_), user: Some(user) } if !user.disabled => {
            Phase::Verified(reading)
        }
        _ => Phase::Refused,
    }
}

/// Both are read again.
pub(crate) fn reads_again(world: &World, at: usize, mutation: Option<Mutation>) -> Phase {
    let Phase::Verified(before) = world.logins[at].phase else { return world.logins[at].phase };
    let allowed = Phase::Allowed { listed: world.which(|session| session.indexed) };
    let mut now = match mutation {
        Some(Mutation::NotReadAgain | Mutation::ReadAgainBeforeTheWrite) => before,
        Some(Mutation::CredentialAloneReadAgain) => Reading { user: before.user, ..world.reading() },
        Some(Mutation::UserAloneReadAgain) => Reading { credential: before.credential, ..world.reading() },
        _ => world.reading(),
    };
    forget(&mut now, before, mutation);
    let first = before.credential.expect("a verified password has a credential");
    let id = UserId::generate(&Random::seeded(1)).expect("seeded");
    let version = version(first);
    let basis = Basis {
        user: &id,
        password: &version,
        sessions_serial: before.user.expect("a verified password has a user").sessions_serial.into(),
    };
    let credential = now.credential.map(|stored| credential(&id, stored));
    let user = now.user.map(|stored| user(&id, stored));
    let rehashed = mutation == Some(Mutation::HashCompared)
        && now.credential.is_some_and(|credential| credential.rehashed != first.rehashed);
    match decide(basis, credential.as_ref(), user.as_ref()) {
        Ok(()) if !rehashed => allowed,
        Err(_) if mutation == Some(Mutation::OvertakenAnswered) => allowed,
        _ => Phase::Revoking,
    }
}

/// What a mutation does not compare is as it was.
fn forget(now: &mut Reading, before: Reading, mutation: Option<Mutation>) {
    let (Some(first), Some(user)) = (before.credential, before.user) else { return };
    if let Some(credential) = &mut now.credential {
        match mutation {
            // The time of two changes can be the same.
            Some(Mutation::PasswordSerialNotCompared) => {
                credential.serial = first.serial;
                credential.changed_at = first.changed_at;
            }
            Some(Mutation::ChangedAtNotCompared) => credential.changed_at = first.changed_at,
            _ => {}
        }
    }
    if let Some(now) = &mut now.user {
        match mutation {
            Some(Mutation::SessionsSerialNotCompared) => now.sessions_serial = user.sessions_serial,
            Some(Mutation::StatusNotCompared) => *now = user,
            _ => {}
        }
    }
}

/// The session limit is held, and the answer given.
pub(crate) fn answers(
    world: &mut World,
    at: usize,
    listed: u8,
    limit: Option<usize>,
    mutation: Option<Mutation>,
) {
    if let Some(limit) = limit.filter(|limit| listed.count_ones() > u32::try_from(*limit).expect("few")) {
        hold(world, at, listed, limit, mutation);
    }
    world.logins[at].phase = Phase::Answered;
}

fn hold(world: &mut World, at: usize, listed: u8, limit: usize, mutation: Option<Mutation>) {
    let random = Random::seeded(1);
    let user = UserId::generate(&random).expect("seeded");
    let sids: Vec<_> = world.sessions.iter().map(|_| SessionId::generate(&random).expect("seeded")).collect();
    let records: Vec<_> = (0..sids.len())
        .filter(|place| listed & (1 << place) != 0 && world.sessions[*place].record == Record::Live)
        .map(|place| session(&user, &sids[place]))
        .collect();
    let indexed = sids.iter().enumerate().filter(|(place, _)| listed & (1 << place) != 0);
    let indexed = indexed.map(|(_, sid)| (sid, NOW));
    let nobody = SessionId::parse(&"A".repeat(43)).expect("an id");
    let own = if mutation == Some(Mutation::OwnSessionRevoked) { &nobody } else { &sids[at] };
    let surplus = surplus(&records, indexed, own, limit, NOW);
    for (place, sid) in sids.iter().enumerate() {
        let session = &mut world.sessions[place];
        let unknown = mutation == Some(Mutation::UnknownForgotten) && session.record == Record::None;
        if surplus.revoked.contains(sid) {
            session.record = Record::Revoked;
        }
        if surplus.revoked.contains(sid) || surplus.forgotten.contains(sid) || unknown {
            session.indexed = false;
        }
    }
}

const NOW: Timestamp = Timestamp::from_epoch_seconds(1_800_000_000);

fn session(user: &UserId, sid: &SessionId) -> Session {
    let day = std::time::Duration::from_secs(86_400);
    let config = SessionConfig {
        access_lifetime: day,
        idle_lifetime: day,
        absolute_lifetime: day,
        rotation: Rotation::On,
        retention: day,
    };
    Session::begin(user.clone(), sid.clone(), &Client::default(), NOW, &config)
}

fn version(stored: StoredCredential) -> PasswordVersion {
    let changed_at = Timestamp::from_epoch_seconds(stored.changed_at.into());
    PasswordVersion {
        serial: stored.serial.into(),
        changed_at: Some(changed_at),
        ..PasswordVersion::default()
    }
}

fn credential(id: &UserId, stored: StoredCredential) -> Credential {
    let hash = PasswordHash::parse(HASHES[usize::from(stored.rehashed)]).expect("a hash");
    Credential { user: id.clone(), hash, version: version(stored) }
}

fn user(id: &UserId, stored: StoredUser) -> User {
    User {
        id: id.clone(),
        email: "ada@example.com".to_owned(),
        names: Names::default(),
        email_verified: false,
        status: if stored.disabled { UserStatus::Disabled } else { UserStatus::Active },
        sessions_serial: stored.sessions_serial.into(),
        created_at: NOW,
    }
}
