//! What can happen, and the metric that counts it.

use serde::Serialize;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As the caller wished.
    Success,
    /// Not.
    Failure,
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident $(or $failed:ident)?;)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Event {
            $($(#[$doc])* $name),*
        }

        impl Event {
            /// Every event.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The metric's name: the event's, or one of its own for a failure that is told apart from a success.
            pub const fn metric(self, outcome: Outcome) -> &'static str {
                match (self, outcome) {
                    $(
                        $((Self::$name, Outcome::Failure) => stringify!($failed),)?
                        (Self::$name, _) => stringify!($name),
                    )*
                }
            }
        }
    };
}

events! {
    /// Somebody signed up.
    Signup or SignupFailed;
    /// Somebody logged in.
    Login or LoginFailed;
    /// A session was rotated.
    RefreshTokenRotated;
    /// A rotation was answered again.
    RefreshTokenReplayed;
    /// A rotation was answered again to another network or user agent than the one that it was made for.
    ForeignReplay;
    /// A superseded refresh token was presented; the session is over.
    RefreshTokenReused;
    /// A refresh token was refused.
    RefreshTokenRefused;
    /// A session was ended by its holder.
    Logout;
    /// A session was ended by its user from another one, or by an operator.
    SessionEnded;
    /// Every session of a user was ended, or some could not be.
    SessionsRevoked;
    /// A user changed their names.
    ProfileChanged;
    /// A user changed their password.
    PasswordChanged or PasswordChangeFailed;
    /// A limit was reached.
    LimitReached;
    /// An address, or the password change of a user, was locked after too many consecutive failures.
    AddressLocked;
    /// An operator unlocked an address and the password changes of its user.
    AddressUnlocked;
    /// An operator disabled a user.
    UserDisabled;
    /// An operator enabled a user.
    UserEnabled;
    /// An operator deleted a user, or could not delete all of them.
    UserDeleted;
    /// An access token was refused.
    AccessTokenRefused;
    /// The table did not say whether the session of an access token lives; the request did not pass.
    SessionCheckFailed;
    /// The authorizer handed out an access token.
    AccessTokenRenewed;
    /// A request came from a site that may not send it.
    CrossSiteRefused;
}
