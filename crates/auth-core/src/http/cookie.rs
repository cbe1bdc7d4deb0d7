//! The refresh cookie of `TOKEN_DELIVERY=cookie`.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};

/// The prefix makes browsers refuse the cookie unless it is `Secure` (RFC 6265bis §4.1.3.1).
pub const NAME: &str = "__Secure-refresh_token";

/// The values of the refresh cookies that a request carries, in order: beside ours there may be one that another host of the
/// site has set. Other cookies may hold any bytes (a script's `document.cookie = "name=Zoë"`), and hide none.
pub fn read(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines.flat_map(|line| find(&String::from_utf8_lossy(line.as_bytes()))).collect()
}

/// The values of the refresh cookies in one `Cookie` header.
pub fn find(cookies: &str) -> Vec<String> {
    Cookie::split_parse(cookies)
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name() == NAME && !cookie.value().is_empty())
        .map(|cookie| cookie.value().to_owned())
        .collect()
}

/// Sets the cookie for the rest of its token's life, below the base path that the client called.
pub fn set(base_path: &str, token: &str, rest: Duration) -> Option<HeaderValue> {
    write(base_path, token, rest)
}

/// Takes the cookie away: the same attributes, or a browser keeps the old one beside it.
pub fn clear(base_path: &str) -> Option<HeaderValue> {
    write(base_path, "", Duration::ZERO)
}

/// The path is `/auth` below the base path that the client called: a cookie for `/auth` alone would never be sent to a
/// stage's own URL, `/PROD/auth/…`.
fn write(base_path: &str, value: &str, life: Duration) -> Option<HeaderValue> {
    let seconds = i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
    let cookie = Cookie::build((NAME, value.to_owned()))
        .http_only(true)
        .secure(true)
        .same_site(SameSite::Strict)
        .path(format!("{base_path}/auth"))
        .max_age(cookie::time::Duration::seconds(seconds))
        .build();
    HeaderValue::from_str(&cookie.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refresh_cookie_is_found_among_others_of_any_bytes() -> Result<(), http::Error> {
        let mut headers = HeaderMap::new();
        for line in ["a=b; __Secure-refresh_token=x.y.z; c=d", "n=Zoë; __Secure-refresh_token=u; m=é"] {
            headers.append(header::COOKIE, HeaderValue::from_bytes(line.as_bytes())?);
        }
        headers.append(header::COOKIE, HeaderValue::from_bytes(b"l=\xe9; __Secure-refresh_token=v")?);
        assert_eq!(read(&headers), ["x.y.z", "u", "v"]);
        Ok(())
    }

    #[test]
    fn a_cookie_that_is_none_is_not_found() {
        for value in
            ["", ";;;", "__Secure-refresh_token=", "refresh_token=x", "__secure-refresh_token=x", "=x"]
        {
            let mut headers = HeaderMap::new();
            headers.append(header::COOKIE, HeaderValue::from_static(value));
            assert!(read(&headers).is_empty(), "{value}");
        }
    }
}
