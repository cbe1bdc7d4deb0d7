//! The caller of a request that came through a trusted proxy: an own server, or `CloudFront`.
//!
//! A proxy that sends a secret shared with the service in the header [`SECRET_HEADER`] says whom it forwards for. Without the
//! secret nobody can: what a client writes into `X-Forwarded-For` counts for nothing (RFC 7239 §8.1).
//!
//! | what the proxy sends | the client's address |
//! |---|---|
//! | `X-Forwarded-For: …, client`, to which the gateway adds the proxy's own address | the entry directly left of the gateway's source IP |
//! | `CloudFront-Viewer-Address: client:port`, and no such entry | that address |
//! | neither, or no address in it | the proxy's own, as without the secret |
//!
//! `X-Forwarded-For` comes first as the proxy itself writes its last entry. `CloudFront-Viewer-Address` is written by `CloudFront`,
//! and another proxy may pass on a client's own.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

/// The header with the proxy's secret. It is never logged.
pub const SECRET_HEADER: &str = "x-latchkey-proxy-secret";

/// The client, its proxy, and so on (<https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/X-Forwarded-For>).
pub const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The viewer's address and source port ("Add `CloudFront` request headers", Amazon `CloudFront` Developer Guide).
pub const CLOUDFRONT_VIEWER_ADDRESS: &str = "cloudfront-viewer-address";

/// The client's `User-Agent`, of a proxy that has one of its own.
pub const X_FORWARDED_USER_AGENT: &str = "x-forwarded-user-agent";

/// Every header that [`TrustedProxy::caller`] asks for.
pub const HEADERS: [&str; 4] =
    [SECRET_HEADER, X_FORWARDED_FOR, CLOUDFRONT_VIEWER_ADDRESS, X_FORWARDED_USER_AGENT];

/// Tells a proxy by its secret. The default knows none. Clones share the secrets.
#[derive(Clone, Default)]
pub struct TrustedProxy {
    /// Digests, so that a comparison tells neither a secret's length nor how much of it was right.
    secrets: Arc<[[u8; SHA256_OUTPUT_LEN]]>,
}

/// Who sent a request, by address and `User-Agent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer<'a> {
    /// The IP address.
    pub ip: Cow<'a, str>,
    /// The `User-Agent`.
    pub user_agent: Cow<'a, str>,
}

impl<'a> Peer<'a> {
    /// The peer that a gateway names.
    pub const fn new(ip: &'a str, user_agent: &'a str) -> Self {
        Self { ip: Cow::Borrowed(ip), user_agent: Cow::Borrowed(user_agent) }
    }
}

impl TrustedProxy {
    /// Trusts whoever knows one of `secrets`.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        Self { secrets: secrets.into_iter().map(hash).collect() }
    }

    /// The caller of a request whose connection came from `peer`: the client that a trusted proxy names, or the peer itself.
    /// `lines` gives every line of a header, in their order.
    pub fn caller<'a>(&self, peer: Peer<'a>, lines: impl Fn(&'static str) -> Vec<Cow<'a, str>>) -> Peer<'a> {
        if self.secrets.is_empty() || !lines(SECRET_HEADER).iter().any(|line| self.knows(line)) {
            return peer;
        }
        let forwarded = client_before(&lines(X_FORWARDED_FOR), &peer.ip);
        let ip = forwarded.or_else(|| viewer(&lines(CLOUDFRONT_VIEWER_ADDRESS)));
        let user_agent = lines(X_FORWARDED_USER_AGENT).into_iter().find(|line| !line.trim().is_empty());
        Peer {
            ip: ip.map_or(peer.ip, |ip| ip.to_string().into()),
            user_agent: user_agent.unwrap_or(peer.user_agent),
        }
    }

    /// Whether a line of [`SECRET_HEADER`] has a secret. HTTP APIs join the lines of a header with commas. Every secret is
    /// compared, in constant time.
    fn knows(&self, line: &str) -> bool {
        line.split(',').map(|value| hash(value.trim())).any(|presented| {
            let equal = |secret| u8::from(verify_slices_are_equal(secret, &presented).is_ok());
            self.secrets.iter().map(|secret| equal(secret)).sum::<u8>() > 0
        })
    }
}

impl fmt::Debug for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrustedProxy(…)")
    }
}

fn hash(secret: &str) -> [u8; SHA256_OUTPUT_LEN] {
    let mut hash = [0; SHA256_OUTPUT_LEN];
    hash.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
    hash
}

/// The entry of `X-Forwarded-For` directly left of the gateway's own source IP. If several entries equal that, the gateway has
/// written the last of them, and a client can have written the others. An edge-optimized API adds an address of its own after it.
fn client_before(lines: &[Cow<'_, str>], source_ip: &str) -> Option<IpAddr> {
    let source = address(source_ip)?;
    // Empty elements of a list are ignored (RFC 9110 §5.6.1).
    let entries = lines.iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim);
    let mut entries = entries.filter(|entry| !entry.is_empty()).map(address_of_node);
    entries.find(|entry| *entry == Some(source))?;
    entries.next()?
}

/// The address of `CloudFront-Viewer-Address`, which has one line and always a port.
fn viewer(lines: &[Cow<'_, str>]) -> Option<IpAddr> {
    let [line] = lines else { return None };
    let line = line.trim();
    let with_port = line.rsplit_once(':').filter(|(_, port)| is_port(port));
    // Without its port an IPv6 address can look like one with a port: the port is taken off first.
    with_port.and_then(|(ip, _)| address(ip)).or_else(|| address_of_node(line))
}

/// `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:443` (RFC 7239 §6).
fn address_of_node(node: &str) -> Option<IpAddr> {
    let v4_with_port = || node.split_once(':').filter(|(_, port)| is_port(port));
    let v6_with_port = || node.split_once("]:").filter(|(_, port)| is_port(port));
    if let Some((ip, _)) = v6_with_port() {
        return ip.strip_prefix('[')?.parse::<Ipv6Addr>().ok().map(|ip| IpAddr::V6(ip).to_canonical());
    }
    address(node).or_else(|| v4_with_port().and_then(|(ip, _)| address(ip)).filter(IpAddr::is_ipv4))
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// An address, in brackets or not; one of IPv4 that is written as IPv6 is the same as itself (RFC 4291 §2.5.5.2).
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match bare {
        Some(bare) => bare.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    }
    .map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const GATEWAY: &str = "198.51.100.20";

    fn caller(headers: &[(&str, &str)]) -> (String, String) {
        let lines = |name: &str| {
            let named = headers.iter().filter(|(header, _)| *header == name);
            named.map(|(_, line)| Cow::Borrowed(*line)).collect()
        };
        let proxy = TrustedProxy::new([SECRET, "another-secret-of-thirty-two-byte"]);
        let caller = proxy.caller(Peer::new(GATEWAY, "node"), lines);
        (caller.ip.into_owned(), caller.user_agent.into_owned())
    }

    fn trusted(headers: &[(&'static str, &'static str)]) -> String {
        caller(&[headers, &[(SECRET_HEADER, SECRET)]].concat()).0
    }

    #[test]
    fn takes_the_entry_left_of_the_gateways_source_ip() {
        for (line, client) in [
            ("203.0.113.7, 198.51.100.20", "203.0.113.7"),
            ("6.6.6.6, 203.0.113.7, 198.51.100.20", "203.0.113.7"),
            ("203.0.113.7,198.51.100.20", "203.0.113.7"),
            // A client that claims to be the proxy.
            ("6.6.6.6, 198.51.100.20, 203.0.113.7, 198.51.100.20", "203.0.113.7"),
            // The client is on the proxy's machine.
            ("6.6.6.6, 198.51.100.20, 198.51.100.20", "198.51.100.20"),
            // An edge-optimized API.
            ("203.0.113.7, 198.51.100.20, 10.0.0.1", "203.0.113.7"),
            ("203.0.113.7, , ,198.51.100.20,", "203.0.113.7"),
            ("203.0.113.7:1234, 198.51.100.20:443", "203.0.113.7"),
            ("2001:DB8:0::7, 198.51.100.20", "2001:db8::7"),
            ("[2001:db8::7], 198.51.100.20", "2001:db8::7"),
            ("[2001:db8::7]:1234, 198.51.100.20", "2001:db8::7"),
            ("::ffff:203.0.113.7, ::ffff:198.51.100.20", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:80, 198.51.100.20", "203.0.113.7"),
        ] {
            assert_eq!(trusted(&[(X_FORWARDED_FOR, line)]), client, "{line}");
        }
    }

    #[test]
    fn lines_of_one_header_are_one_list() {
        let lines = [(X_FORWARDED_FOR, "6.6.6.6, 203.0.113.7"), (X_FORWARDED_FOR, "198.51.100.20")];
        assert_eq!(trusted(&lines), "203.0.113.7");
    }

    #[test]
    fn keeps_the_gateways_address_where_no_client_is_named() {
        for line in [
            "",
            ",",
            "198.51.100.20",
            "203.0.113.7",
            "203.0.113.7, 198.51.100.21",
            "unknown, 198.51.100.20",
            "_hidden, 198.51.100.20",
            "203.0.113.7, garbage, 198.51.100.20",
            "203.0.113.7:99999, 198.51.100.20",
            "203.0.113.7:, 198.51.100.20",
            "203.0.113.7:+80, 198.51.100.20",
            "[203.0.113.7], 198.51.100.20",
            "[203.0.113.7]:80, 198.51.100.20",
            "[2001:db8::7, 198.51.100.20",
            "2001:db8::7]:80, 198.51.100.20",
            "fe80::1%eth0, 198.51.100.20",
            "203.0.113.07, 198.51.100.20",
            "203.0.113.7 6.6.6.6, 198.51.100.20",
            "\u{661}.1.1.1, 198.51.100.20",
        ] {
            assert_eq!(trusted(&[(X_FORWARDED_FOR, line)]), GATEWAY, "{line}");
        }
    }

    #[test]
    fn takes_the_viewer_of_cloudfront() {
        for (line, client) in [
            ("203.0.113.7:46532", "203.0.113.7"),
            ("2001:db8:0:0:0:0:0:7:46532", "2001:db8::7"),
            ("2001:db8::7:46532", "2001:db8::7"),
            ("[2001:db8::7]:46532", "2001:db8::7"),
            ("::ffff:203.0.113.7:443", "203.0.113.7"),
            (" 203.0.113.7:1 ", "203.0.113.7"),
            ("203.0.113.7", "203.0.113.7"),
            ("2001:db8:0:0:0:0:0:7", "2001:db8::7"),
            ("2001:db8::a", "2001:db8::a"),
            ("203.0.113.7:99999", GATEWAY),
            ("203.0.113.7:", GATEWAY),
            ("203.0.113.7:1, 6.6.6.6:1", GATEWAY),
            ("garbage", GATEWAY),
            ("", GATEWAY),
            (":443", GATEWAY),
        ] {
            assert_eq!(trusted(&[(CLOUDFRONT_VIEWER_ADDRESS, line)]), client, "{line}");
        }
        let twice = [(CLOUDFRONT_VIEWER_ADDRESS, "6.6.6.6:1"), (CLOUDFRONT_VIEWER_ADDRESS, "203.0.113.7:1")];
        assert_eq!(trusted(&twice), GATEWAY, "one of them is a client's");
    }

    #[test]
    fn a_clients_own_cloudfront_header_does_not_replace_what_the_proxy_wrote() {
        let forged = (CLOUDFRONT_VIEWER_ADDRESS, "6.6.6.6:443");
        assert_eq!(trusted(&[(X_FORWARDED_FOR, "203.0.113.7, 198.51.100.20"), forged]), "203.0.113.7");
        assert_eq!(trusted(&[(X_FORWARDED_FOR, "198.51.100.20"), forged]), "6.6.6.6");
    }

    #[test]
    fn nothing_is_taken_without_the_secret() {
        let spoofed = [
            (X_FORWARDED_FOR, "203.0.113.7, 198.51.100.20"),
            (CLOUDFRONT_VIEWER_ADDRESS, "203.0.113.7:1"),
            (X_FORWARDED_USER_AGENT, "Firefox"),
        ];
        let long = format!("{SECRET}0");
        for secret in [None, Some(""), Some("wrong"), SECRET.get(1..), Some(&long), Some(",")] {
            let secret = secret.map(|secret| (SECRET_HEADER, secret));
            let headers: Vec<_> = spoofed.into_iter().chain(secret).collect();
            assert_eq!(caller(&headers), (GATEWAY.to_owned(), "node".to_owned()), "{secret:?}");
        }
        let off = TrustedProxy::default();
        let lines =
            |name| vec![Cow::Borrowed(if name == SECRET_HEADER { "" } else { "203.0.113.7, 198.51.100.20" })];
        assert_eq!(off.caller(Peer::new(GATEWAY, "node"), lines), Peer::new(GATEWAY, "node"));
    }

    #[test]
    fn one_line_of_several_with_a_secret_is_enough() {
        let forwarded = (X_FORWARDED_FOR, "203.0.113.7, 198.51.100.20");
        for secrets in [
            vec![format!("guess, {SECRET}")],
            vec!["guess".to_owned(), SECRET.to_owned()],
            vec!["another-secret-of-thirty-two-byte".to_owned()],
        ] {
            let lines = secrets.iter().map(|secret| (SECRET_HEADER, secret.as_str()));
            let headers: Vec<_> = lines.chain([forwarded]).collect();
            assert_eq!(caller(&headers).0, "203.0.113.7", "{secrets:?}");
        }
    }

    #[test]
    fn the_user_agent_is_the_forwarded_one_or_that_of_the_connection() {
        let agent = |headers: &[(&'static str, &'static str)]| {
            caller(&[headers, &[(SECRET_HEADER, SECRET)]].concat()).1
        };
        assert_eq!(agent(&[(X_FORWARDED_USER_AGENT, "Firefox")]), "Firefox");
        assert_eq!(agent(&[(X_FORWARDED_USER_AGENT, " ")]), "node");
        assert_eq!(agent(&[]), "node");
    }

    #[test]
    fn a_source_that_is_no_address_names_nobody() {
        let proxy = TrustedProxy::new([SECRET]);
        let lines = |name| match name {
            SECRET_HEADER => vec![Cow::Borrowed(SECRET)],
            X_FORWARDED_FOR => vec![Cow::Borrowed("203.0.113.7, ")],
            _ => Vec::new(),
        };
        assert_eq!(proxy.caller(Peer::new("", ""), lines).ip, "");
    }

    #[test]
    fn a_secret_does_not_show() {
        assert_eq!(format!("{:?}", TrustedProxy::new([SECRET])), "TrustedProxy(…)");
    }
}
