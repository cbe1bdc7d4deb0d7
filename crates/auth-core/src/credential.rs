//! What an address signs in with, and whether a session that was begun with it may be answered with tokens.
//!
//! A login reads the credential and the user, verifies the password, writes the session, and reads both again with strong
//! consistency. [`decide`] compares the two readings. A password change moves the credential's serial before it lists the sessions
//! that it revokes; disabling a user and revoke-all move the user's. A session that was written before such a listing is in it.
//! A session that was written later finds a serial that has moved, and is never answered.
//!
//! | second reading | answer |
//! |---|---|
//! | credential or user is gone, or the address belongs to another user | [`Refusal::UserDeleted`] |
//! | user is not active | [`Refusal::UserDisabled`] |
//! | the password has another version | [`Refusal::PasswordChanged`] |
//! | the user's serial has moved | [`Refusal::SessionsRevoked`] |
//! | the same as the first | tokens |

use crate::clock::Timestamp;
use crate::password::hash::PasswordHash;
use crate::session::{RevocationReason, SessionId};
use crate::user::{User, UserId, UserStatus};

/// What an address signs in with.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The user.
    pub user: UserId,
    /// The password's hash.
    pub hash: PasswordHash,
    /// The password that the hash is of.
    pub version: PasswordVersion,
}

/// Names one password of a credential: a password change makes another version, a new hash of the same password does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PasswordVersion {
    /// The number of password changes.
    pub serial: u64,
    /// The time of the last password change. Functions of the first edition do not move the serial, but write this.
    pub changed_at: Option<Timestamp>,
    /// The session that the password was last changed from; `None` if it is the one of the signup.
    pub changed_by: Option<SessionId>,
    /// The session that the last password change began, for whoever repeats the change.
    pub changed_to: Option<SessionId>,
}

/// What the password verification of a session relied on.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// The user.
    pub user: &'a UserId,
    /// The password that was verified.
    pub password: &'a PasswordVersion,
    /// [`User::sessions_serial`] when the verification began.
    pub sessions_serial: u64,
}

/// Why a session that was begun is not answered with tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The password was changed.
    PasswordChanged,
    /// Every session of the user was revoked.
    SessionsRevoked,
    /// The user is disabled.
    UserDisabled,
    /// The user or the credential was deleted.
    UserDeleted,
}

impl Refusal {
    /// The word of the audit lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordChanged => "password_changed",
            Self::SessionsRevoked => "sessions_revoked",
            Self::UserDisabled => "user_disabled",
            Self::UserDeleted => "user_deleted",
        }
    }

    /// The reason that the session is revoked for.
    pub const fn revocation(self) -> RevocationReason {
        match self {
            Self::PasswordChanged => RevocationReason::PasswordChanged,
            Self::SessionsRevoked => RevocationReason::RevokeAll,
            Self::UserDisabled | Self::UserDeleted => RevocationReason::UserDisabled,
        }
    }
}

/// Decides whether a session may be answered with tokens, from what is stored after the session was written.
///
/// # Errors
///
/// The [`Refusal`] that ends the session.
pub fn decide(basis: Basis<'_>, credential: Option<&Credential>, user: Option<&User>) -> Result<(), Refusal> {
    let (Some(credential), Some(user)) = (credential, user) else { return Err(Refusal::UserDeleted) };
    if credential.user != *basis.user || user.id != *basis.user {
        Err(Refusal::UserDeleted)
    } else if user.status != UserStatus::Active {
        Err(Refusal::UserDisabled)
    } else if credential.version != *basis.password {
        Err(Refusal::PasswordChanged)
    } else if user.sessions_serial != basis.sessions_serial {
        Err(Refusal::SessionsRevoked)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use crate::user::Names;

    const CHANGED_AT: Timestamp = Timestamp::from_epoch_seconds(1_800_000_000);

    fn stored(random: &Random) -> Result<(Credential, User), Box<dyn std::error::Error>> {
        let id = UserId::generate(random)?;
        let version = PasswordVersion {
            serial: 2,
            changed_at: Some(CHANGED_AT),
            changed_by: Some(SessionId::generate(random)?),
            changed_to: Some(SessionId::generate(random)?),
        };
        let hash =
            PasswordHash::parse("$argon2id$v=19$m=7168,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA")?;
        let user = User {
            id: id.clone(),
            email: "ada@example.com".to_owned(),
            names: Names::default(),
            email_verified: false,
            status: UserStatus::Active,
            sessions_serial: 5,
            created_at: CHANGED_AT,
        };
        Ok((Credential { user: id, hash, version }, user))
    }

    #[test]
    fn an_unchanged_second_reading_is_answered() -> Result<(), Box<dyn std::error::Error>> {
        let (credential, user) = stored(&Random::seeded(1))?;
        let version = credential.version.clone();
        let basis = Basis { user: &user.id, password: &version, sessions_serial: 5 };
        assert_eq!(decide(basis, Some(&credential), Some(&user)), Ok(()));
        let rehashed =
            PasswordHash::parse("$argon2id$v=19$m=7168,t=2,p=1$c2FsdHNhbHRzYWx0$b3RoZXJvdGhlcm90aGVy")?;
        let rehashed = Credential { hash: rehashed, ..credential };
        assert_eq!(decide(basis, Some(&rehashed), Some(&user)), Ok(()), "a rehash is no password change");
        Ok(())
    }

    #[test]
    fn every_part_of_the_password_version_is_compared() -> Result<(), Box<dyn std::error::Error>> {
        let random = Random::seeded(1);
        let (credential, user) = stored(&random)?;
        let version = credential.version.clone();
        let basis = Basis { user: &user.id, password: &version, sessions_serial: 5 };
        let later = CHANGED_AT + std::time::Duration::from_secs(1);
        for changed in [
            PasswordVersion { serial: 3, ..version.clone() },
            PasswordVersion { serial: 1, ..version.clone() },
            PasswordVersion { changed_at: Some(later), ..version.clone() },
            PasswordVersion { changed_at: None, ..version.clone() },
            PasswordVersion { changed_by: Some(SessionId::generate(&random)?), ..version.clone() },
        ] {
            let changed = Credential { version: changed, ..credential.clone() };
            assert_eq!(
                decide(basis, Some(&changed), Some(&user)),
                Err(Refusal::PasswordChanged),
                "{changed:?}"
            );
        }
        Ok(())
    }

    #[test]
    fn a_user_who_moved_is_refused_with_the_reason() -> Result<(), Box<dyn std::error::Error>> {
        let random = Random::seeded(1);
        let (credential, user) = stored(&random)?;
        let version = credential.version.clone();
        let basis = Basis { user: &user.id, password: &version, sessions_serial: 5 };
        let revoked = User { sessions_serial: 6, ..user.clone() };
        assert_eq!(decide(basis, Some(&credential), Some(&revoked)), Err(Refusal::SessionsRevoked));
        let disabled = User { status: UserStatus::Disabled, ..revoked };
        assert_eq!(decide(basis, Some(&credential), Some(&disabled)), Err(Refusal::UserDisabled));
        assert_eq!(decide(basis, Some(&credential), None), Err(Refusal::UserDeleted));
        assert_eq!(decide(basis, None, Some(&user)), Err(Refusal::UserDeleted));
        // The address was deleted and has signed up again.
        let again = Credential { user: UserId::generate(&random)?, ..credential.clone() };
        assert_eq!(decide(basis, Some(&again), Some(&user)), Err(Refusal::UserDeleted));
        let again = User { id: UserId::generate(&random)?, ..user.clone() };
        assert_eq!(decide(basis, Some(&credential), Some(&again)), Err(Refusal::UserDeleted));
        Ok(())
    }
}
