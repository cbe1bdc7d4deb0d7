//! The origins (RFC 6454) whose scripts may call the API.

use std::net::Ipv6Addr;

use ::http::HeaderValue;

use super::{Settings, setting};

/// The origins whose scripts may call the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// Any. Never with cookies.
    Any,
    /// These alone; none if empty.
    Listed(Vec<AllowedOrigin>),
}

/// A member of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// One origin.
    Exact(HeaderValue),
    /// Every origin with one label in place of the `*`. Never with cookies.
    Wildcard(Wildcard),
}

/// `https://*.preview.example.com`: exactly one label in front of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wildcard {
    /// `https://` or `http://`.
    scheme: String,
    /// The domain behind `*.`.
    domain: String,
    /// The dot, the domain and perhaps a port.
    rest: String,
}

impl Origins {
    /// Whether a request may come from `origin`.
    pub fn contains(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(origins) => origins.iter().any(|allowed| match allowed {
                AllowedOrigin::Exact(exact) => exact == origin,
                AllowedOrigin::Wildcard(wildcard) => wildcard.matches(origin),
            }),
        }
    }

    /// The domains behind each `*.`. Under a public suffix, such as `co.uk` or `github.io`, names are given to anybody: whoever has
    /// the list of those checks them.
    pub fn wildcard_domains(&self) -> impl Iterator<Item = &str> {
        let listed = match self {
            Self::Any => &[][..],
            Self::Listed(origins) => origins,
        };
        listed.iter().filter_map(|allowed| match allowed {
            AllowedOrigin::Exact(_) => None,
            AllowedOrigin::Wildcard(wildcard) => Some(wildcard.domain.as_str()),
        })
    }

    /// Reads `CORS_ALLOWED_ORIGINS`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let text = settings.text(&setting::CORS_ALLOWED_ORIGINS).unwrap_or_default();
        if text.trim() == "*" {
            return Self::Any;
        }
        let mut listed = Vec::new();
        for origin in text.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
            match AllowedOrigin::parse(origin) {
                Ok(origin) => listed.push(origin),
                Err(example) => {
                    settings.fault(&setting::CORS_ALLOWED_ORIGINS, &format!("{origin:?} is not {example}"));
                }
            }
        }
        Self::Listed(listed)
    }
}

impl AllowedOrigin {
    fn parse(origin: &str) -> Result<Self, &'static str> {
        if origin.contains('*') {
            let wildcard = Wildcard::parse(origin).map(Self::Wildcard);
            return wildcard.ok_or(
                "a wildcard such as https://*.preview.example.com, which stands for one label in front of two or more",
            );
        }
        parse_exact(origin).map(Self::Exact).ok_or("an origin such as https://app.example.com")
    }
}

impl Wildcard {
    fn parse(origin: &str) -> Option<Self> {
        let (scheme, rest) = origin.split_once("*.")?;
        if !["https://", "http://"].contains(&scheme) {
            return None;
        }
        parse_exact(&format!("{scheme}{rest}"))?;
        let domain = rest.split_once(':').map_or(rest, |(domain, _)| domain);
        let labels: Vec<&str> = domain.split('.').collect();
        // A host whose last label is a number is an address of IPv4 (URL Standard), which has no labels.
        let named = labels.last().is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()));
        let complete = labels.len() >= 2 && labels.iter().all(|label| is_label(label.as_bytes()));
        (named && complete).then(|| Self {
            scheme: scheme.to_owned(),
            domain: domain.to_owned(),
            rest: format!(".{rest}"),
        })
    }

    fn matches(&self, origin: &HeaderValue) -> bool {
        let label = origin
            .as_bytes()
            .strip_prefix(self.scheme.as_bytes())
            .and_then(|host| host.strip_suffix(self.rest.as_bytes()));
        label.is_some_and(is_label)
    }
}

/// A label as browsers write it: lower case, without a dot.
fn is_label(label: &[u8]) -> bool {
    let usual = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(byte);
    !label.is_empty() && label.iter().all(usual)
}

/// A scheme, a host and perhaps a port, as a browser writes them (RFC 6454 §6.2): lower case, no path, no trailing slash, no
/// usual port, as what is listed is compared with what comes.
fn parse_exact(origin: &str) -> Option<HeaderValue> {
    let uri = origin.parse::<::http::Uri>().ok()?;
    let (scheme, host) = (uri.scheme_str()?, uri.host()?);
    let written = match uri.port_u16() {
        Some(port) if [("http", 80), ("https", 443)].contains(&(scheme, port)) => return None,
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    };
    let exact = written == origin && !origin.bytes().any(|b| b.is_ascii_uppercase());
    (exact && is_host(host)).then(|| HeaderValue::from_str(origin).ok()).flatten()
}

/// Whether a browser could have written it: a name in ASCII, or an address of IPv6 in brackets.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::from_lookup;
    use super::*;

    fn read(value: &str) -> Result<Origins, String> {
        let lookup = |name: &str| (name == "CORS_ALLOWED_ORIGINS").then(|| value.to_owned());
        from_lookup(&lookup, |settings| Some(Origins::read(settings))).map_err(|faults| faults.to_string())
    }

    #[test]
    fn origins_are_a_list() {
        let expected = ["https://a.example", "http://localhost:5173"].map(HeaderValue::from_static);
        let expected = expected.map(AllowedOrigin::Exact).to_vec();
        assert_eq!(read("https://a.example, http://localhost:5173"), Ok(Origins::Listed(expected)));
    }

    #[test]
    fn an_origin_may_have_another_port_an_address_or_a_scheme_of_an_app() {
        for origin in [
            "https://a.example:80",
            "http://192.0.2.1:8080",
            "http://[::1]:5173",
            "capacitor://localhost",
            "chrome-extension://abcdefghijklmnop",
        ] {
            assert!(read(origin).is_ok(), "{origin}");
        }
    }

    #[test]
    fn what_a_browser_never_sends_as_an_origin_is_a_fault() {
        for origin in [
            "https://a.example/",
            "https://A.example",
            "a.example",
            "https://u@a.example",
            "null",
            "https://bücher.example",
            "https://a.example:443",
            "http://a.example:80",
            "https://a.example:",
            "https://a.example:0443",
            "https://a.example:65536",
            "https://:8443",
            "http://[::1",
            "http://[a.example]:8080",
        ] {
            let fault =
                format!("CORS_ALLOWED_ORIGINS {origin:?} is not an origin such as https://app.example.com");
            assert_eq!(read(origin), Err(fault));
        }
    }

    #[test]
    fn a_wildcard_stands_for_one_label_in_front_of_two_or_more() {
        for origin in [
            "https://*.example.com",
            "https://*.preview.example.com",
            "http://*.app.localhost:3000",
            "https://*.xn--bcher-kva.example:8443",
            "https://*.a_b.c-d.example",
        ] {
            assert!(read(origin).is_ok(), "{origin}");
        }
        for origin in [
            "*.example.com",
            "https://*",
            "https://*.com",
            "https://*.localhost",
            "https://*.",
            "https://*.example.com.",
            "https://*..example.com",
            "https://*.*.example.com",
            "https://a.*.example.com",
            "https://a*.example.com",
            "https://*a.example.com",
            "https://*.example.com:443",
            "https://*.example.com:*",
            "https://*.example.com/",
            "https://*.Example.com",
            "https://*.2.1",
            "https://*.[::1]",
            "capacitor://*.example.com",
            "*://*.example.com",
            "https://u@*.example.com",
        ] {
            let fault = format!(
                "CORS_ALLOWED_ORIGINS {origin:?} is not a wildcard such as https://*.preview.example.com, which stands for one \
                 label in front of two or more"
            );
            assert_eq!(read(origin), Err(fault));
        }
    }

    #[test]
    fn a_wildcard_matches_exactly_one_label_of_its_scheme_and_port() {
        let origins = read("https://*.preview.example.com,http://*.a.example:3000");
        let matches = |origin: &str| {
            origins
                .as_ref()
                .is_ok_and(|origins| HeaderValue::from_str(origin).is_ok_and(|o| origins.contains(&o)))
        };
        for origin in [
            "https://a.preview.example.com",
            "https://feature-1-team.preview.example.com",
            "https://xn--bcher-kva.preview.example.com",
            "http://b.a.example:3000",
        ] {
            assert!(matches(origin), "{origin}");
        }
        for origin in [
            "https://preview.example.com",
            "https://.preview.example.com",
            "https://*.preview.example.com",
            "https://a.b.preview.example.com",
            "https://apreview.example.com",
            "https://evil.example/a.preview.example.com",
            "https://evil.example:1.preview.example.com",
            "https://evil@a.preview.example.com",
            "https://a.preview.example.com:8443",
            "https://a.preview.example.com.evil.example",
            "https://A.preview.example.com",
            "http://a.preview.example.com",
            "http://b.a.example",
            "http://b.a.example:3001",
            "null",
            "",
        ] {
            assert!(!matches(origin), "{origin}");
        }
        let domains = origins.map(|origins| origins.wildcard_domains().map(str::to_owned).collect());
        assert_eq!(domains, Ok(vec!["preview.example.com".to_owned(), "a.example".to_owned()]));
    }
}
