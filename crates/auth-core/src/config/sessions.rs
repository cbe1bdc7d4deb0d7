//! How long tokens and sessions live, and what their tokens are called.

use std::time::Duration;

use super::{Settings, setting};

/// `iss` and `aud` of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenNames {
    /// `iss` of every token.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
}

impl TokenNames {
    /// Reads `JWT_ISSUER` and `JWT_AUDIENCE`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            issuer: settings.required(&setting::JWT_ISSUER).unwrap_or_default(),
            audience: settings.required(&setting::JWT_AUDIENCE).unwrap_or_default(),
        }
    }
}

/// Whether each refresh hands out a new refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    /// A new one each time (RFC 9700 §4.14.2).
    #[default]
    On,
    /// The same one for the whole session, for front ends that never store a new one.
    Off,
}

/// The lives of tokens and sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// Life of an access token.
    pub access_lifetime: Duration,
    /// Longest time between two refreshes.
    pub idle_lifetime: Duration,
    /// Longest life of a session, counted from the login.
    pub absolute_lifetime: Duration,
    /// How long the previous refresh token is answered with its successor.
    pub grace: Duration,
    /// Whether refresh tokens are rotated.
    pub rotation: Rotation,
    /// How long the record of an ended session is kept.
    pub retention: Duration,
}

impl SessionConfig {
    /// Reads the lifetimes, the grace, the rotation mode and the retention.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let rotations = [("on", Rotation::On), ("off", Rotation::Off)];
        let config = Self {
            access_lifetime: settings.span(&setting::ACCESS_TOKEN_EXPIRY),
            idle_lifetime: settings.span(&setting::REFRESH_TOKEN_EXPIRY),
            absolute_lifetime: settings.span(&setting::SESSION_MAX_LIFETIME),
            grace: settings.span(&setting::REFRESH_GRACE),
            rotation: settings.choice(&setting::REFRESH_TOKEN_ROTATION, &rotations),
            retention: settings.span(&setting::AUDIT_RETENTION),
        };
        if config.access_lifetime.is_zero() {
            settings.fault(&setting::ACCESS_TOKEN_EXPIRY, "is not longer than 0s");
        }
        if config.idle_lifetime < config.access_lifetime {
            settings.fault(&setting::REFRESH_TOKEN_EXPIRY, "is shorter than ACCESS_TOKEN_EXPIRY");
        }
        if config.absolute_lifetime < config.idle_lifetime {
            settings.fault(&setting::SESSION_MAX_LIFETIME, "is shorter than REFRESH_TOKEN_EXPIRY");
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::super::from_lookup;
    use super::*;

    #[test]
    fn a_session_outlives_its_tokens() {
        let lookup = |name: &str| match name {
            "ACCESS_TOKEN_EXPIRY" => Some("2h".to_owned()),
            "REFRESH_TOKEN_EXPIRY" => Some("1h".to_owned()),
            "SESSION_MAX_LIFETIME" => Some("30m".to_owned()),
            _ => None,
        };
        let faults = from_lookup(&lookup, |settings| Some(SessionConfig::read(settings))).err();
        assert_eq!(
            faults.map(|faults| faults.to_string()).as_deref(),
            Some(
                "REFRESH_TOKEN_EXPIRY is shorter than ACCESS_TOKEN_EXPIRY\n\
                 SESSION_MAX_LIFETIME is shorter than REFRESH_TOKEN_EXPIRY"
            )
        );
    }
}
