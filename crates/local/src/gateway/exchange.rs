//! One request as the gateway knows it: the client's part, and what the gateway adds.

use std::fmt::Write as _;
use std::net::IpAddr;

use axum::body::Bytes;
use http::{HeaderMap, Method, Uri, Version};

use super::Source;
use crate::api::Api;
use crate::template::{ACCOUNT, REGION};

/// A request as it came from the client.
#[derive(Clone, Debug)]
pub struct ClientRequest {
    /// The method.
    pub method: Method,
    /// The target: path and query.
    pub uri: Uri,
    /// The protocol.
    pub version: Version,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body; `None` if it is larger than [`super::MAX_PAYLOAD_BYTES`].
    pub body: Option<Bytes>,
    /// The address of the client.
    pub peer: IpAddr,
}

/// A request on its way through the gateway.
pub(super) struct Exchange {
    pub(super) client: ClientRequest,
    /// The path within the API, without a base path mapping.
    pub(super) path: String,
    /// The path that the client asked for.
    pub(super) full_path: String,
    /// The decoded query, in order.
    pub(super) query: Vec<(String, String)>,
    pub(super) request_id: String,
    pub(super) extended_request_id: String,
    pub(super) trace_id: String,
    pub(super) epoch_ms: u64,
}

impl Exchange {
    /// The ARN that an authorizer's policy must allow: the method and path of this very request.
    pub(super) fn arn(&self, api: &Api) -> String {
        let (method, path) = (&self.client.method, self.path.trim_start_matches('/'));
        format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{}/{}/{method}/{path}", api.id, api.stage)
    }

    pub(super) fn new(client: ClientRequest, path: &str, source: &Source) -> Self {
        // Slashes at the start of a path are one slash to API Gateway.
        let collapse = |path: &str| format!("/{}", path.trim_start_matches('/'));
        let epoch_ms = (source.epoch_ms)();
        let id = (source.id)();
        let query = client.uri.query().unwrap_or_default();
        Self {
            full_path: collapse(client.uri.path()),
            path: collapse(path),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            request_id: uuid(id),
            extended_request_id: extended(id),
            trace_id: format!("Root=1-{:08x}-{:024x}", epoch_ms / 1000, id >> 32),
            epoch_ms,
            client,
        }
    }

    /// The values of the header `name`, in order.
    pub(super) fn header(&self, name: &str) -> Vec<String> {
        self.client.headers.get_all(name).iter().map(|value| text(value.as_bytes())).collect()
    }

    /// The last value of the query parameter `name`; names are case-sensitive.
    pub(super) fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The host that the client asked for, without a port.
    pub(super) fn domain_name(&self) -> String {
        let host = self.header("host").pop().unwrap_or_default();
        // Only what is all digits after the last colon is a port: `[::1]` has colons of its own.
        match host.rsplit_once(':') {
            Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
                name.to_owned()
            }
            _ => host,
        }
    }

    /// The first label of the host.
    pub(super) fn domain_prefix(&self) -> String {
        self.domain_name().split('.').next().unwrap_or_default().to_owned()
    }

    pub(super) fn body(&self) -> &[u8] {
        self.client.body.as_deref().unwrap_or_default()
    }

    pub(super) fn user_agent(&self) -> Option<String> {
        self.header("user-agent").pop()
    }

    /// `HTTP/1.1`.
    pub(super) fn protocol(&self) -> String {
        format!("{:?}", self.client.version)
    }

    /// The time as web servers log it: `12/Mar/2020:19:03:58 +0000`.
    pub(super) fn time(&self) -> String {
        common_log_time(self.epoch_ms / 1000)
    }

    /// The headers of the client and those that the gateway adds, names in lower case, each with all its values.
    /// What is about the connection and not about the request is left out.
    pub(super) fn headers(&self) -> Vec<(String, Vec<String>)> {
        let mut headers: Vec<(String, Vec<String>)> = Vec::new();
        for name in self.client.headers.keys() {
            if !DROPPED.contains(&name.as_str()) && !WRITTEN.contains(&name.as_str()) {
                headers.push((name.as_str().to_owned(), self.header(name.as_str())));
            }
        }
        // The client's own `X-Forwarded-For` is kept in front: whoever reads it must not believe it, which is why
        // functions take the address from the request context.
        let mut forwarded = self.header("x-forwarded-for");
        forwarded.push(self.client.peer.to_string());
        let host = self.header("host").pop().unwrap_or_default();
        let port =
            host.strip_prefix(&self.domain_name()).and_then(|port| port.strip_prefix(':')).unwrap_or("80");
        headers.push(("x-forwarded-for".to_owned(), vec![forwarded.join(", ")]));
        headers.push(("x-forwarded-port".to_owned(), vec![port.to_owned()]));
        headers.push(("x-forwarded-proto".to_owned(), vec!["http".to_owned()]));
        headers.push(("x-amzn-trace-id".to_owned(), vec![self.trace_id.clone()]));
        headers.sort();
        headers
    }
}

/// Headers that never reach a function ("Amazon API Gateway important notes", column "Request", lambda).
const DROPPED: &[&str] = &[
    "connection",
    "content-md5",
    "expect",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
];

/// Headers that the gateway writes itself.
const WRITTEN: &[&str] = &["x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id"];

/// A header's value as text; bytes that are not UTF-8 are replaced.
fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// `id` in the form of a UUID, version 4.
fn uuid(id: u128) -> String {
    let version = (id & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let digits = format!("{version:032x}");
    let mut text = String::with_capacity(36);
    for (index, digit) in digits.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

/// The extended request id: 15 characters and a padding sign, as in Base64.
fn extended(id: u128) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefgh";
    let mut text = String::with_capacity(16);
    for place in 0..15 {
        let index = usize::try_from((id >> (place * 5)) & 31).unwrap_or_default();
        text.push(ALPHABET.get(index).map_or('A', |letter| char::from(*letter)));
    }
    text.push('=');
    text
}

fn common_log_time(epoch_seconds: u64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = civil(epoch_seconds / 86_400);
    let (hour, minute, second) = (epoch_seconds / 3600 % 24, epoch_seconds / 60 % 60, epoch_seconds % 60);
    let month = usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).copied().unwrap_or("Jan");
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    let _ = write!(text, "{day:02}/{month}/{year}:{hour:02}:{minute:02}:{second:02} +0000");
    text
}

/// Year, month and day of the days since 1970-01-01: Howard Hinnant's `civil_from_days`, for dates after the epoch.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{exchange, request};
    use super::*;

    #[test]
    fn times_are_written_as_in_a_web_servers_log() {
        assert_eq!(common_log_time(1_583_348_638), "04/Mar/2020:19:03:58 +0000");
        assert_eq!(common_log_time(0), "01/Jan/1970:00:00:00 +0000");
        assert_eq!(common_log_time(951_827_696), "29/Feb/2000:12:34:56 +0000");
    }

    #[test]
    fn a_request_id_is_a_version_4_uuid() {
        assert_eq!(uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid(0), "00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn the_gateway_adds_the_address_behind_what_the_client_claims() {
        let exchange =
            exchange(request("GET", "/", &[("X-Forwarded-For", "1.2.3.4"), ("Connection", "close")]));
        let headers = exchange.headers();
        assert!(headers.contains(&("x-forwarded-for".to_owned(), vec!["1.2.3.4, 203.0.113.7".to_owned()])));
        assert!(!headers.iter().any(|(name, _)| name == "connection"));
    }

    #[test]
    fn the_domain_is_the_host_without_its_port() {
        for (host, name) in
            [("127.0.0.1:3000", "127.0.0.1"), ("[::1]:3000", "[::1]"), ("[::1]", "[::1]"), ("a.b", "a.b")]
        {
            assert_eq!(exchange(request("GET", "/", &[("Host", host)])).domain_name(), name);
        }
    }
}
