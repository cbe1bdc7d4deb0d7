//! Which attempts are counted together, and until when.
//!
//! Counts live in the table, not in memory: every Lambda instance has a memory of its own. A window is a fixed slice of
//! time, so that a counter needs no clean-up but the table's time to live.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::address::LookupAddress;
use crate::clock::Timestamp;
use crate::digest;

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

/// The limit of signups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignupLimits {
    /// Signups from one client network in a window; `None` for no limit.
    pub per_ip: Option<u32>,
    /// The window.
    pub window: Duration,
}

/// Names a counter: `<kind>#<digest>#<window>`. What is counted enters as a digest alone, so that the table does not collect
/// the addresses that strangers type in. The template's policies name the kinds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LimitKey(String);

impl LimitKey {
    /// Login attempts for an address.
    pub fn login_address(address: &LookupAddress, window: Window) -> Self {
        Self::new("login-address", address.as_str(), &window.start.to_string())
    }

    /// Login attempts from a client network.
    pub fn login_network(ip: &str, window: Window) -> Self {
        Self::new("login-ip", &network(ip), &window.start.to_string())
    }

    /// Failed logins in a row for an address, known or not.
    pub fn login_failures(address: &LookupAddress) -> Self {
        Self::new("login-failures", address.as_str(), "streak")
    }

    /// Signups from a client network.
    pub fn signup_network(ip: &str, window: Window) -> Self {
        Self::new("signup-ip", &network(ip), &window.start.to_string())
    }

    fn new(kind: &str, counted: &str, window: &str) -> Self {
        Self(format!("{kind}#{}#{window}", digest::of(&[kind.as_bytes(), counted.as_bytes()])))
    }
}

impl fmt::Display for LimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A slice of time in which attempts are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    start: Timestamp,
    length: Duration,
}

impl Window {
    /// The window of `length` that `now` falls into. A length under a second counts as one.
    pub fn at(now: Timestamp, length: Duration) -> Self {
        let length = length.max(Duration::from_secs(1));
        let start = now.epoch_seconds() - now.epoch_seconds() % length.as_secs();
        Self { start: Timestamp::from_epoch_seconds(start), length }
    }

    /// The first second after it.
    pub fn end(self) -> Timestamp {
        self.start + self.length
    }
}

/// The network that a client's address stands for: an IPv4 address by itself, an IPv6 one by its /64, of which a single
/// subscriber has all.
fn network(ip: &str) -> String {
    match ip.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V4(ip)) => ip.to_string(),
        Ok(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        Err(_) => ip.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_subscriber_counts_once() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
        assert_ne!(network("203.0.113.7"), network("203.0.113.8"));
    }

    #[test]
    fn a_window_ends_where_the_next_begins() {
        let length = Duration::from_secs(900);
        let window = Window::at(Timestamp::from_epoch_seconds(1_800_000_123), length);
        assert_eq!(window.start.epoch_seconds(), 1_800_000_000);
        assert_eq!(Window::at(window.end(), length).start, window.end());
    }

    #[test]
    fn a_key_does_not_show_what_it_counts() {
        let window = Window::at(Timestamp::from_epoch_seconds(1_800_000_000), Duration::from_secs(900));
        let key = LimitKey::login_network("203.0.113.7", window).to_string();
        assert!(
            key.starts_with("login-ip#") && key.ends_with("#1800000000") && !key.contains("203"),
            "{key}"
        );
    }
}
