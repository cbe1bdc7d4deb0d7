//! Who is calling, as the gateway saw it.

use crate::characters::is_deceptive;

/// The caller of a request. Every value comes from the gateway's own request context, or from a [trusted
/// proxy](crate::forwarding), never from a header that the caller could write, but for the user agent, which is theirs to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The IP address: the peer's, or that of the client behind a trusted proxy.
    pub ip: String,
    /// The `User-Agent`, cut to [`Client::MAXIMUM_USER_AGENT`] bytes, without characters that [deceive](crate::characters).
    pub user_agent: String,
    /// The gateway's request id. It ties lines to the gateway's log, and no more: a client of a REST API can override it
    /// ("`$context` Variables for data models, authorizers, mapping templates, and CloudWatch access logging"). Cut and cleaned as
    /// the user agent is.
    pub request_id: String,
    /// Lambda's id of the invocation, which no client has a say in; empty outside one.
    pub invocation_id: String,
}

impl Client {
    /// Longest user agent that is kept, in bytes of UTF-8. It is stored with every session and shown to the user. Two of them and
    /// the rest of a session stay below 1 KB, which is what one write unit of DynamoDB covers.
    pub const MAXIMUM_USER_AGENT: usize = 240;

    /// Longest request id that is kept, in bytes. The gateway's own have 36.
    pub const MAXIMUM_REQUEST_ID: usize = 128;

    /// A caller, with a user agent of any length and content.
    pub fn new(ip: &str, user_agent: &str, request_id: &str) -> Self {
        Self {
            ip: ip.to_owned(),
            user_agent: plain(user_agent, Self::MAXIMUM_USER_AGENT),
            request_id: plain(request_id, Self::MAXIMUM_REQUEST_ID),
            invocation_id: String::new(),
        }
    }

    /// In an invocation of a function.
    #[must_use]
    pub fn in_invocation(mut self, id: &str) -> Self {
        id.clone_into(&mut self.invocation_id);
        self
    }
}

/// What a client chose, in one short line.
fn plain(text: &str, most: usize) -> String {
    // As nearly all of them are.
    if let Some(short) = text.get(..text.len().min(most))
        && short.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
    {
        return short.to_owned();
    }
    let mut plain: String = text.chars().filter(|c| !is_deceptive(*c)).collect();
    plain.truncate(plain.floor_char_boundary(most));
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_cut_and_cannot_break_a_line() {
        let client =
            Client::new("203.0.113.7", &format!("a\r\nb\u{1b}\u{2028}\u{202e}[31m{}", "ü".repeat(999)), "r");
        assert!(client.user_agent.starts_with("ab[31mü") && client.user_agent.ends_with('ü'));
        // The last character would have ended one byte too late, or just in time.
        assert!(
            (Client::MAXIMUM_USER_AGENT - 1..=Client::MAXIMUM_USER_AGENT).contains(&client.user_agent.len())
        );
    }

    #[test]
    fn a_request_id_that_a_client_chose_is_cut_and_cannot_break_a_line() {
        let chosen = format!("r\n{{\"level\":\"AUDIT\"}}\u{202e}{}", "x".repeat(9_999));
        let client = Client::new("203.0.113.7", "", &chosen);
        assert!(client.request_id.starts_with("r{\"level\":\"AUDIT\"}x"), "{}", client.request_id);
        assert_eq!(client.request_id.len(), Client::MAXIMUM_REQUEST_ID);
    }
}
