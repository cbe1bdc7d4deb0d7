//! Whether the authorizer renews tokens.

use std::time::Duration;

use super::{Settings, read_access_lifetime, setting};

/// What the authorizer renews when an access token is about to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RenewalMode {
    /// Nothing.
    #[default]
    Off,
    /// The access token.
    Access,
    /// The access token, and the refresh token that comes with the request.
    Rotate,
}

/// The renewal of tokens by the authorizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenewalConfig {
    /// What is renewed.
    pub mode: RenewalMode,
    /// How long before an access token's end.
    pub window: Duration,
}

impl RenewalConfig {
    /// Reads `RENEWAL`, and unless that is `off`, `RENEWAL_WINDOW`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let modes =
            [("off", RenewalMode::Off), ("access", RenewalMode::Access), ("rotate", RenewalMode::Rotate)];
        let mode = settings.choice(&setting::RENEWAL, &modes);
        if mode == RenewalMode::Off {
            return Self { mode, window: Duration::ZERO };
        }
        let window = settings.span(&setting::RENEWAL_WINDOW);
        if window.is_zero() {
            settings.fault(&setting::RENEWAL_WINDOW, "is not longer than 0s");
        }
        // Every request would renew, and with `rotate` each leave the one before it with a superseded refresh token.
        if window >= read_access_lifetime(settings) {
            settings.fault(&setting::RENEWAL_WINDOW, "is not shorter than ACCESS_TOKEN_EXPIRY");
        }
        Self { mode, window }
    }
}

#[cfg(test)]
mod tests {
    use super::super::from_lookup;
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<RenewalConfig, String> {
        let lookup =
            |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        from_lookup(&lookup, |settings| Some(RenewalConfig::read(settings)))
            .map_err(|faults| faults.to_string())
    }

    #[test]
    fn a_window_is_part_of_an_access_tokens_life() {
        let five = RenewalConfig { mode: RenewalMode::Access, window: Duration::from_secs(300) };
        assert_eq!(read(&[("RENEWAL", "access")]), Ok(five));
        for (lifetime, window, fault) in [
            ("5m", "5m", "RENEWAL_WINDOW is not shorter than ACCESS_TOKEN_EXPIRY"),
            ("1h", "0s", "RENEWAL_WINDOW is not longer than 0s"),
        ] {
            let read = |mode| {
                read(&[("RENEWAL", mode), ("ACCESS_TOKEN_EXPIRY", lifetime), ("RENEWAL_WINDOW", window)])
            };
            assert_eq!(read("rotate"), Err(fault.to_owned()));
            assert!(read("off").is_ok(), "a window that is not used is not looked at");
        }
    }
}
