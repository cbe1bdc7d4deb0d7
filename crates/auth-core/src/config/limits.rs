//! How often somebody may try.

use std::time::Duration;

use super::setting::Setting;
use super::{Settings, setting};

/// The limits of login attempts. A count of `None` means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginLimits {
    /// Attempts for one address in a window.
    pub per_address: Option<u32>,
    /// Attempts from one client network in a window.
    pub per_ip: Option<u32>,
    /// The window.
    pub window: Duration,
    /// Failures in a row that lock an address.
    pub lock_failures: Option<u32>,
    /// How long the lock holds.
    pub lock_duration: Duration,
}

impl LoginLimits {
    /// Reads the `LOGIN_…` settings.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            per_address: count(settings, &setting::LOGIN_LIMIT_PER_ADDRESS),
            per_ip: count(settings, &setting::LOGIN_LIMIT_PER_IP),
            window: window(settings, &setting::LOGIN_LIMIT_WINDOW),
            lock_failures: count(settings, &setting::LOGIN_LOCK_FAILURES),
            lock_duration: window(settings, &setting::LOGIN_LOCK_DURATION),
        }
    }
}

/// The limit of signups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignupLimits {
    /// Signups from one client network in a window; `None` for no limit.
    pub per_ip: Option<u32>,
    /// The window.
    pub window: Duration,
}

impl SignupLimits {
    /// Reads the `SIGNUP_…` settings.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            per_ip: count(settings, &setting::SIGNUP_LIMIT_PER_IP),
            window: window(settings, &setting::SIGNUP_LIMIT_WINDOW),
        }
    }
}

fn count(settings: &mut Settings<'_>, setting: &Setting) -> Option<u32> {
    Some(settings.number(setting, 0, 1_000_000)).filter(|count| *count > 0)
}

fn window(settings: &mut Settings<'_>, setting: &Setting) -> Duration {
    let window = settings.span(setting);
    if window.is_zero() {
        settings.fault(setting, "is not longer than 0s");
        return Duration::from_secs(1);
    }
    window
}
