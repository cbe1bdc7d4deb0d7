//! How often somebody may try.

use std::time::Duration;

use super::setting::Setting;
use super::{Settings, setting};
use crate::limits::{LoginLimits, SignupLimits};

impl LoginLimits {
    /// Reads the `LOGIN_…` settings and `DEVICE_LIMIT`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self {
            per_address: count(settings, &setting::LOGIN_LIMIT_PER_ADDRESS),
            per_ip: count(settings, &setting::LOGIN_LIMIT_PER_IP),
            per_device: count(settings, &setting::DEVICE_LIMIT),
            window: window(settings, &setting::LOGIN_LIMIT_WINDOW),
            lock_failures: count(settings, &setting::LOGIN_LOCK_FAILURES),
            lock_duration: window(settings, &setting::LOGIN_LOCK_DURATION),
        }
    }
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
