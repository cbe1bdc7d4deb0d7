//! Who is calling, as the gateway saw it.

use crate::characters::is_deceptive;

/// The caller of a request. Every value comes from the gateway's own request context, never from a header that the caller
/// could write, but for the user agent, which is theirs to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The peer's IP address.
    pub ip: String,
    /// The `User-Agent`, cut to [`Client::MAXIMUM_USER_AGENT`] characters, without those that [deceive](crate::characters).
    pub user_agent: String,
    /// The gateway's request id.
    pub request_id: String,
}

impl Client {
    /// Longest user agent that is kept, in characters. It is stored with every session and shown to the user.
    pub const MAXIMUM_USER_AGENT: usize = 256;

    /// A caller, with a user agent of any length and content.
    pub fn new(ip: &str, user_agent: &str, request_id: &str) -> Self {
        let printable = user_agent.chars().filter(|c| !is_deceptive(*c));
        Self {
            ip: ip.to_owned(),
            user_agent: printable.take(Self::MAXIMUM_USER_AGENT).collect(),
            request_id: request_id.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_cut_and_cannot_break_a_line() {
        let client =
            Client::new("203.0.113.7", &format!("a\r\nb\u{1b}\u{2028}\u{202e}[31m{}", "ü".repeat(999)), "r");
        assert!(client.user_agent.starts_with("ab[31mü"));
        assert_eq!(client.user_agent.chars().count(), Client::MAXIMUM_USER_AGENT);
    }
}
