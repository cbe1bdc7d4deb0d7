//! How long tokens and sessions live, and what their tokens are called.

use std::time::Duration;

use super::{Settings, setting};
use crate::session::policy::{RetryPolicy, Rotation, SessionConfig};
use crate::token::TokenNames;

/// Reads `JWT_ISSUER`.
pub fn read_issuer(settings: &mut Settings<'_>) -> String {
    settings.required(&setting::JWT_ISSUER).unwrap_or_default()
}

impl TokenNames {
    /// Reads `JWT_ISSUER` and `JWT_AUDIENCE`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            issuer: read_issuer(settings),
            audience: settings.required(&setting::JWT_AUDIENCE).unwrap_or_default(),
        }
    }
}

/// Reads `ACCESS_TOKEN_EXPIRY`: the life of an access token.
pub fn read_access_lifetime(settings: &mut Settings<'_>) -> Duration {
    settings.span(&setting::ACCESS_TOKEN_EXPIRY)
}

/// Most repetitions that a session has room for: each leaves a mark in the session's item.
const MAXIMUM_RETRIES: u32 = 100;

impl RetryPolicy {
    /// Reads `REFRESH_GRACE`, `REFRESH_RETRY_WINDOW` and `REFRESH_RETRY_LIMIT`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            grace: settings.span(&setting::REFRESH_GRACE),
            window: settings.span(&setting::REFRESH_RETRY_WINDOW),
            limit: settings.number(&setting::REFRESH_RETRY_LIMIT, 0, MAXIMUM_RETRIES),
        }
    }
}

/// Reads `SESSION_LIMIT`: the live sessions that one user may have; `None` for no limit.
pub fn read_session_limit(settings: &mut Settings<'_>) -> Option<usize> {
    let limit = settings.number(&setting::SESSION_LIMIT, 0, 1_000_000);
    usize::try_from(limit).ok().filter(|limit| *limit > 0)
}

impl SessionConfig {
    /// Reads the lifetimes, the rotation mode and the retention.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let rotations = [("on", Rotation::On), ("off", Rotation::Off)];
        let config = Self {
            access_lifetime: read_access_lifetime(settings),
            idle_lifetime: settings.span(&setting::REFRESH_TOKEN_EXPIRY),
            absolute_lifetime: settings.span(&setting::SESSION_MAX_LIFETIME),
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
    fn a_retry_limit_beyond_what_an_item_holds_is_a_fault() {
        let read = |limit: &str| {
            let lookup = |name: &str| (name == "REFRESH_RETRY_LIMIT").then(|| limit.to_owned());
            from_lookup(&lookup, |settings| Some(RetryPolicy::read(settings))).map(|policy| policy.limit)
        };
        assert_eq!([read("").ok(), read("0").ok(), read("100").ok()], [Some(10), Some(0), Some(100)]);
        assert!(read("101").is_err() && read("-1").is_err());
    }

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
