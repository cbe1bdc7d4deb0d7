//! The refresh cookie of `TOKEN_DELIVERY=cookie`.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};

/// The prefix makes browsers refuse the cookie unless it is `Secure` (RFC 6265bis §4.1.3.1).
pub const NAME: &str = "__Secure-refresh_token";

/// The value of the refresh cookie that a request carries.
pub fn read(headers: &HeaderMap) -> Option<String> {
    headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).find_map(find)
}

/// The value of the refresh cookie among the cookies of one `Cookie` header.
pub fn find(cookies: &str) -> Option<String> {
    Cookie::split_parse(cookies)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == NAME && !cookie.value().is_empty())
        .map(|cookie| cookie.value().to_owned())
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
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; __Secure-refresh_token=x.y.z; c=d"));
        assert_eq!(read(&headers).as_deref(), Some("x.y.z"));
    }

    #[test]
    fn a_cookie_that_is_none_is_not_found() {
        for value in
            ["", ";;;", "__Secure-refresh_token=", "refresh_token=x", "__secure-refresh_token=x", "=x"]
        {
            let mut headers = HeaderMap::new();
            headers.append(header::COOKIE, HeaderValue::from_static(value));
            assert_eq!(read(&headers), None, "{value}");
        }
    }
}
