//! Users: who somebody is.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::characters::is_deceptive;
use crate::clock::Timestamp;
use crate::random::{Random, RandomnessUnavailable};

/// Names a user for good: a random UUID (RFC 9562 §5.4).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct UserId(String);

/// Not the identifier of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a user identifier")]
pub struct NotAUserId;

impl UserId {
    /// A new one.
    ///
    /// # Errors
    ///
    /// If there is no randomness.
    pub fn generate(random: &Random) -> Result<Self, RandomnessUnavailable> {
        Ok(Self(uuid::Builder::from_random_bytes(random.bytes()?).into_uuid().hyphenated().to_string()))
    }

    /// Takes the text form: a lower-case hyphenated UUID.
    ///
    /// # Errors
    ///
    /// [`NotAUserId`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NotAUserId> {
        let uuid = uuid::Uuid::try_parse(text).map_err(|_| NotAUserId)?.hyphenated().to_string();
        if uuid == text { Ok(Self(uuid)) } else { Err(NotAUserId) }
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A user as the table holds one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// The address as it was given at the signup, trimmed.
    pub email: String,
    /// What they call themselves.
    pub names: Names,
    /// Whether somebody has shown that the address is theirs.
    pub email_verified: bool,
    /// Whether they may sign in.
    pub status: UserStatus,
    /// The number of times that all sessions of the user were to end: by revoke-all, or by disabling the user.
    pub sessions_serial: u64,
    /// When they signed up.
    pub created_at: Timestamp,
}

/// The names of a user. Every one of them may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// How they are shown.
    pub display_name: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
}

/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStatus {
    /// May.
    Active,
    /// May not: an operator has set the item's `status` to anything but `active`.
    Disabled,
}

/// Longest name in Unicode code points.
pub const MAXIMUM_NAME: usize = 128;

/// A name as somebody typed it: trimmed, in NFC, and none at all if nothing is left.
///
/// # Errors
///
/// What is wrong with it: too long, or [characters](crate::characters) that break or turn a line.
pub fn name(typed: &str) -> Result<Option<String>, String> {
    // Before it is trimmed: some of them count as space.
    if typed.chars().any(is_deceptive) {
        return Err("has characters that break or turn a line".to_owned());
    }
    let name: String = typed.trim().nfc().take(MAXIMUM_NAME + 1).collect();
    if name.chars().count() > MAXIMUM_NAME {
        return Err(format!("has more than {MAXIMUM_NAME} characters"));
    }
    Ok(Some(name).filter(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_id_is_a_lower_case_uuid() -> Result<(), RandomnessUnavailable> {
        let id = UserId::generate(&Random::seeded(1))?;
        assert_eq!(UserId::parse(id.as_str()), Ok(id.clone()));
        for text in
            ["", "me", &id.as_str().to_uppercase(), &id.as_str().replace('-', ""), &format!("{{{id}}}")]
        {
            assert_eq!(UserId::parse(text), Err(NotAUserId), "{text}");
        }
        Ok(())
    }

    #[test]
    fn a_name_is_trimmed_and_short() {
        assert_eq!(name("  Ada "), Ok(Some("Ada".to_owned())));
        assert_eq!(name("  "), Ok(None));
        assert!(name("a\r\nSet-Cookie: b").is_err());
        assert!(name("Ada\u{202e}nimda").is_err(), "shown as Adaadmin");
        assert!(name("Ada\n").is_err());
        assert!(name(&"a".repeat(129)).is_err());
        assert!(name(&"\u{1F600}".repeat(128)).is_ok());
    }
}
