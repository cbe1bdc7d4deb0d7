//! How answers look and who may read them.

use super::{CookieConfig, Origins, Settings, setting};
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
        let mut origins = Origins::read(settings);
        if delivery == TokenDelivery::Cookie {
            // Fetch forbids `*` together with credentials, and any page could then use the cookie. With a wildcard, every preview
            // of every branch could.
            let fault = match &origins {
                Origins::Any => Some("may not be * with TOKEN_DELIVERY=cookie"),
                listed @ Origins::Listed(_) => listed
                    .wildcard_domains()
                    .next()
                    .map(|_| "may have no wildcard with TOKEN_DELIVERY=cookie"),
            };
            if let Some(fault) = fault {
                settings.fault(&setting::CORS_ALLOWED_ORIGINS, fault);
                origins = Origins::Listed(Vec::new());
            }
        }
        Self { format, delivery, cookies, origins, proxy: TrustedProxy::default() }
    }
}

/// Reads `TOKEN_DELIVERY`.
pub fn read_delivery(settings: &mut Settings<'_>) -> TokenDelivery {
    let deliveries = [("body", TokenDelivery::Body), ("cookie", TokenDelivery::Cookie)];
    settings.choice(&setting::TOKEN_DELIVERY, &deliveries)
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
    fn any_origin_and_cookies_exclude_each_other() {
        assert!(read(&[("CORS_ALLOWED_ORIGINS", "*")]).is_ok());
        let fault = read(&[("CORS_ALLOWED_ORIGINS", "*"), ("TOKEN_DELIVERY", "cookie")]).err();
        assert_eq!(fault.as_deref(), Some("CORS_ALLOWED_ORIGINS may not be * with TOKEN_DELIVERY=cookie"));
    }

    #[test]
    fn wildcards_and_cookies_exclude_each_other() {
        let wildcard = ("CORS_ALLOWED_ORIGINS", "https://app.example.com,https://*.preview.example.com");
        assert!(read(&[wildcard]).is_ok());
        let fault = read(&[wildcard, ("TOKEN_DELIVERY", "cookie")]).err();
        assert_eq!(
            fault.as_deref(),
            Some("CORS_ALLOWED_ORIGINS may have no wildcard with TOKEN_DELIVERY=cookie")
        );
    }
}
