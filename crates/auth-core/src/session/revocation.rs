//! When and why a session was ended before its time.

use crate::clock::Timestamp;

/// When and why a session was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: RevocationReason,
}

/// Why a session was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationReason {
    /// The user logged out of it.
    Logout,
    /// The user ended it from another one.
    EndedByUser,
    /// The user ended all of them.
    RevokeAll,
    /// The user changed their password from another one.
    PasswordChanged,
    /// A superseded refresh token was presented.
    Reuse,
    /// A login began more sessions than one user may have, and this one was used longest ago.
    SessionLimit,
    /// The user is disabled.
    UserDisabled,
    /// An operator ended it.
    Operator,
    /// A reason that this version does not know: another one wrote it.
    Other,
}

impl RevocationReason {
    /// The word that the table and the audit lines use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::EndedByUser => "ended_by_user",
            Self::RevokeAll => "revoke_all",
            Self::PasswordChanged => "password_changed",
            Self::Reuse => "reuse",
            Self::SessionLimit => "session_limit",
            Self::UserDisabled => "user_disabled",
            Self::Operator => "operator",
            Self::Other => "other",
        }
    }

    /// The reason of that word.
    pub fn parse(word: &str) -> Self {
        [
            Self::Logout,
            Self::EndedByUser,
            Self::RevokeAll,
            Self::PasswordChanged,
            Self::Reuse,
            Self::SessionLimit,
            Self::UserDisabled,
            Self::Operator,
        ]
        .into_iter()
        .find(|reason| reason.as_str() == word)
        .unwrap_or(Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_the_table() {
        for word in [
            "logout",
            "ended_by_user",
            "revoke_all",
            "password_changed",
            "reuse",
            "session_limit",
            "user_disabled",
            "operator",
        ] {
            assert_eq!(RevocationReason::parse(word).as_str(), word);
        }
        assert_eq!(RevocationReason::parse("written by a later version"), RevocationReason::Other);
    }
}
