//! The repetitions of a rotation that were counted, and the last one that was recorded.

use std::collections::BTreeSet;

use crate::client::Client;
use crate::clock::Timestamp;
use crate::limits::same_network;

/// Stands for one invocation that repeated a rotation: 48 bits of the digest of its id. A set of marks counts each invocation
/// once, however often the SDK tries the write, and whichever other invocation comes in between.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RetryMark(String);

impl RetryMark {
    /// Characters of a mark.
    const LENGTH: usize = 8;

    /// The mark of an invocation; `None` without its id, which Lambda always has.
    pub fn of(invocation_id: &str) -> Option<Self> {
        let digest = crate::digest::of(&[b"retry", invocation_id.as_bytes()]);
        let mark = digest.get(..Self::LENGTH)?.to_owned();
        (!invocation_id.is_empty()).then_some(Self(mark))
    }

    /// The text form that the table stores.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A mark from the table.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// The marks of the invocations that repeated the last rotation and were counted.
pub type Retries = BTreeSet<RetryMark>;

/// A repetition that was recorded in its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// When it was answered.
    pub at: Timestamp,
    /// The client that it came from.
    pub by: Client,
}

/// How the client of a repetition differs from the client of the rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// Another network: another IPv4 address or IPv6 /64.
    Network,
    /// Another user agent.
    UserAgent,
    /// Both.
    NetworkAndUserAgent,
}

impl Foreign {
    /// Compares the client of a repetition with that of the rotation; `None` if neither network nor user agent differ.
    pub fn between(rotated_by: &Client, repeated_by: &Client) -> Option<Self> {
        let network = !same_network(&rotated_by.ip, &repeated_by.ip);
        let user_agent = rotated_by.user_agent != repeated_by.user_agent;
        match (network, user_agent) {
            (true, true) => Some(Self::NetworkAndUserAgent),
            (true, false) => Some(Self::Network),
            (false, true) => Some(Self::UserAgent),
            (false, false) => None,
        }
    }

    /// The word that audit lines use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::UserAgent => "user_agent",
            Self::NetworkAndUserAgent => "network_and_user_agent",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_the_same_for_the_same_invocation_alone() {
        let mark = RetryMark::of("8476a536-e9f4-11e8-9739-2dfe598c3fcd");
        assert_eq!(mark, RetryMark::of("8476a536-e9f4-11e8-9739-2dfe598c3fcd"));
        assert_ne!(mark, RetryMark::of("8476a536-e9f4-11e8-9739-2dfe598c3fce"));
        assert_eq!(mark.map(|mark| mark.as_str().len()), Some(8));
        assert_eq!(RetryMark::of(""), None);
    }

    #[test]
    fn a_repetition_from_another_network_or_user_agent_is_foreign() {
        let home = Client::new("2001:db8:1:2::3", "browser/1", "r");
        for (ip, agent, foreign) in [
            ("2001:db8:1:2::3", "browser/1", None),
            ("2001:db8:1:2:ffff::1", "browser/1", None),
            ("2001:db8:1:3::3", "browser/1", Some(Foreign::Network)),
            ("2001:db8:1:2::3", "browser/2", Some(Foreign::UserAgent)),
            ("203.0.113.7", "", Some(Foreign::NetworkAndUserAgent)),
        ] {
            assert_eq!(Foreign::between(&home, &Client::new(ip, agent, "other")), foreign, "{ip} {agent}");
        }
    }
}
