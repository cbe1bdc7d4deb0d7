//! Which attempts are counted together, and how many of them there may be.
//!
//! Counts live in the table, not in memory: every Lambda instance has a memory of its own.
//!
//! # Layout
//!
//! - this file: the limits of a deployment, and what is counted under them
//! - [`sliding_window`]: when a hit may be counted
//! - `network`: the networks of a client's address

mod network;
pub mod sliding_window;

use std::fmt;
use std::time::Duration;

use self::network::networks;
pub(crate) use self::network::same_network;
use self::sliding_window::RateLimit;
use crate::address::LookupAddress;
use crate::digest;
use crate::session::SessionId;
use crate::user::UserId;

/// The limits of login attempts. A count of `None` means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginLimits {
    /// Attempts for one address in a window.
    pub per_address: Option<u32>,
    /// Attempts from one client network in a window.
    pub per_ip: Option<u32>,
    /// Requests of one session to change the password in a window.
    pub per_device: Option<u32>,
    /// The window.
    pub window: Duration,
    /// Consecutive failures that lock an address.
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

/// A counter and its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Its name.
    pub key: LimitKey,
    /// Its limit.
    pub limit: RateLimit,
}

impl LoginLimits {
    /// The counters of login attempts from the networks of a client.
    pub fn networks(&self, ip: &str) -> Vec<Counter> {
        network_counters("login-ip", ip, self.per_ip, self.window)
    }

    /// The counter of login attempts for an address.
    pub fn address(&self, address: &LookupAddress) -> Option<Counter> {
        let limit = RateLimit::new(self.per_address?, self.window);
        Some(Counter { key: LimitKey::login_address(address), limit })
    }

    /// The counter of a signed-in user's guesses at the current password, in all sessions.
    pub fn password_change(&self, user: &UserId) -> Option<Counter> {
        let limit = RateLimit::new(self.per_address?, self.window);
        Some(Counter { key: LimitKey::password_change(user), limit })
    }

    /// The counter of a session's requests to change the password. It is lower than that of the user: a stolen session leaves
    /// attempts for the user's other ones.
    pub fn password_session(&self, session: &SessionId) -> Option<Counter> {
        let limit = RateLimit::new(self.per_device?, self.window);
        Some(Counter { key: LimitKey::password_session(session), limit })
    }
}

impl SignupLimits {
    /// The counters of signups from the networks of a client.
    pub fn networks(&self, ip: &str) -> Vec<Counter> {
        network_counters("signup-ip", ip, self.per_ip, self.window)
    }
}

fn network_counters(kind: &str, ip: &str, most: Option<u32>, window: Duration) -> Vec<Counter> {
    let Some(most) = most else { return Vec::new() };
    let limit = RateLimit::new(most, window);
    let counter = |network: network::Network| Counter {
        key: LimitKey::new(kind, &network.name),
        limit: limit.times(network.factor),
    };
    networks(ip).into_iter().map(counter).collect()
}

/// Names a counter: `<kind>#<digest>`. What is counted enters as a digest alone, so that the table does not collect the addresses
/// that strangers type in. The template's policies name the kinds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LimitKey(String);

impl LimitKey {
    /// Login attempts for an address.
    pub fn login_address(address: &LookupAddress) -> Self {
        Self::of_address("login-address", address)
    }

    /// Consecutive failed logins for an address, known or not.
    pub fn login_failures(address: &LookupAddress) -> Self {
        Self::streak(Self::of_address("login-failures", address))
    }

    /// Guesses of a signed-in user at the current password, in all sessions.
    pub fn password_change(user: &UserId) -> Self {
        Self::new("password-user", user.as_str())
    }

    /// Requests of one session to change the password.
    pub fn password_session(session: &SessionId) -> Self {
        Self::new("password-session", session.as_str())
    }

    /// Consecutive wrong current passwords of a signed-in user.
    pub fn password_failures(user: &UserId) -> Self {
        Self::streak(Self::new("password-failures", user.as_str()))
    }

    fn streak(Self(key): Self) -> Self {
        Self(key + "#streak")
    }

    fn of_address(kind: &str, address: &LookupAddress) -> Self {
        Self(format!("{kind}#{}", address.digest(kind)))
    }

    fn new(kind: &str, counted: &str) -> Self {
        Self(format!("{kind}#{}", digest::of(&[kind.as_bytes(), counted.as_bytes()])))
    }
}

impl fmt::Display for LimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SignupLimits = SignupLimits { per_ip: Some(100), window: Duration::from_secs(3_600) };

    #[test]
    fn a_key_does_not_show_what_it_counts() {
        let counters = LIMITS.networks("203.0.113.7");
        let key = counters.first().map(|counter| counter.key.to_string()).unwrap_or_default();
        assert!(key.starts_with("signup-ip#") && !key.contains("203"), "{key}");
    }

    #[test]
    fn an_ipv6_client_is_counted_by_three_networks() {
        let keys = |ip: &str| LIMITS.networks(ip).into_iter().map(|counter| counter.key).collect::<Vec<_>>();
        let (one, same_56, same_48) =
            (keys("2001:db8:1:200::1"), keys("2001:db8:1:2ff::1"), keys("2001:db8:1:300::1"));
        let shared = |a: &[LimitKey], b: &[LimitKey]| a.iter().filter(|key| b.contains(key)).count();
        assert_eq!([shared(&one, &one), shared(&one, &same_56), shared(&one, &same_48)], [3, 2, 1]);
        let limits: Vec<_> = LIMITS.networks("2001:db8::1").iter().map(|counter| counter.limit).collect();
        let most = |most| RateLimit::new(most, Duration::from_secs(3_600));
        assert_eq!(limits, [most(100), most(400), most(1_600)]);
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        assert_eq!(SignupLimits { per_ip: None, ..LIMITS }.networks("203.0.113.7"), []);
    }
}
