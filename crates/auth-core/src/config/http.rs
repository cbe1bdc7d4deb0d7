//! How answers look and who may read them.

use std::net::Ipv6Addr;

use ::http::HeaderValue;

use super::{CookieConfig, Settings, setting};
use crate::forwarding::TrustedProxy;

/// What every function with an HTTP answer needs.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// The spelling of bodies.
    pub format: ResponseFormat,
    /// Where the refresh token travels.
    pub delivery: TokenDelivery,
    /// The names and the path of cookies.
    pub cookies: CookieConfig,
    /// Origins whose scripts may call.
    pub origins: Origins,
    /// Which proxy is believed in what it says of its clients.
    pub proxy: TrustedProxy,
}

/// The spelling of every body of one deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseFormat {
    /// `{accessToken, …}`.
    #[default]
    Camel,
    /// `{access_token, …}`: RFC 6749 §5.1.
    Snake,
    /// `{success, data: {accessToken, …}}`.
    Envelope,
    /// `{success, data: {authorization: {access_token, …}, user}}`.
    Authorization,
}

/// Where the refresh token travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenDelivery {
    /// In JSON bodies.
    #[default]
    Body,
    /// In an `HttpOnly` cookie alone, which no script can read.
    Cookie,
}

/// The origins (RFC 6454) whose scripts may call the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// Any. Never with cookies.
    Any,
    /// These alone; none if empty.
    Listed(Vec<HeaderValue>),
}

impl Origins {
    /// Whether a request may come from `origin`.
    pub fn contains(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(origins) => origins.contains(origin),
        }
    }
}

impl HttpConfig {
    /// Reads `RESPONSE_FORMAT`, `TOKEN_DELIVERY`, `COOKIE_PREFIX`, `PUBLIC_BASE_PATH`, `CORS_ALLOWED_ORIGINS` and the secrets of
    /// a trusted proxy.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        Self { proxy: TrustedProxy::read(settings), ..Self::read_for_anybody(settings) }
    }

    /// The same without the secrets, for a function to which every caller is the same.
    pub fn read_for_anybody(settings: &mut Settings<'_>) -> Self {
        let formats = [
            ("camel", ResponseFormat::Camel),
            ("snake", ResponseFormat::Snake),
            ("envelope", ResponseFormat::Envelope),
            ("authorization", ResponseFormat::Authorization),
        ];
        let format = settings.choice(&setting::RESPONSE_FORMAT, &formats);
        let delivery = read_delivery(settings);
        let cookies = CookieConfig::read(settings);
        let mut origins = origins(settings);
        if origins == Origins::Any && delivery == TokenDelivery::Cookie {
            // Fetch forbids `*` together with credentials, and any page could then use the cookie.
            settings.fault(&setting::CORS_ALLOWED_ORIGINS, "may not be * with TOKEN_DELIVERY=cookie");
            origins = Origins::Listed(Vec::new());
        }
        Self { format, delivery, cookies, origins, proxy: TrustedProxy::default() }
    }
}

/// Reads `TOKEN_DELIVERY`.
pub fn read_delivery(settings: &mut Settings<'_>) -> TokenDelivery {
    let deliveries = [("body", TokenDelivery::Body), ("cookie", TokenDelivery::Cookie)];
    settings.choice(&setting::TOKEN_DELIVERY, &deliveries)
}

fn origins(settings: &mut Settings<'_>) -> Origins {
    let text = settings.text(&setting::CORS_ALLOWED_ORIGINS).unwrap_or_default();
    if text.trim() == "*" {
        return Origins::Any;
    }
    let mut listed = Vec::new();
    for origin in text.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
        match parse_origin(origin) {
            Some(origin) => listed.push(origin),
            None => settings.fault(
                &setting::CORS_ALLOWED_ORIGINS,
                &format!("{origin:?} is not an origin such as https://app.example.com"),
            ),
        }
    }
    Origins::Listed(listed)
}

/// A scheme, a host and perhaps a port, as a browser writes them (RFC 6454 §6.2): lower case, no path, no trailing slash, no
/// usual port, and nothing that stands for more than one host, as what is listed is compared with what comes.
fn parse_origin(origin: &str) -> Option<HeaderValue> {
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

    fn read(pairs: &[(&str, &str)]) -> Result<HttpConfig, String> {
        let lookup =
            |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        from_lookup(&lookup, |settings| Some(HttpConfig::read(settings))).map_err(|faults| faults.to_string())
    }

    #[test]
    fn origins_are_a_list() {
        let config = read(&[("CORS_ALLOWED_ORIGINS", "https://a.example, http://localhost:5173")]).ok();
        let origins = config.map(|config| config.origins);
        let expected = ["https://a.example", "http://localhost:5173"].map(HeaderValue::from_static).to_vec();
        assert_eq!(origins, Some(Origins::Listed(expected)));
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
            assert!(read(&[("CORS_ALLOWED_ORIGINS", origin)]).is_ok(), "{origin}");
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
            "*.a.example",
            "https://*.a.example",
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
            assert!(read(&[("CORS_ALLOWED_ORIGINS", origin)]).is_err(), "{origin}");
        }
    }

    #[test]
    fn any_origin_and_cookies_exclude_each_other() {
        assert!(read(&[("CORS_ALLOWED_ORIGINS", "*")]).is_ok());
        let fault = read(&[("CORS_ALLOWED_ORIGINS", "*"), ("TOKEN_DELIVERY", "cookie")]).err();
        assert_eq!(fault.as_deref(), Some("CORS_ALLOWED_ORIGINS may not be * with TOKEN_DELIVERY=cookie"));
    }
}
