//! The cookies of `TOKEN_DELIVERY=cookie`: their names, paths and attributes, and how they are read.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};

use crate::config::{CookieConfig, CookiePrefix};

/// A cookie of this service. Its name has a prefix that depends on `COOKIE_PREFIX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieName {
    secure: &'static str,
    host: &'static str,
}

/// The refresh token.
pub const REFRESH_TOKEN: CookieName =
    CookieName { secure: "__Secure-refresh_token", host: "__Host-refresh_token" };

impl CookieName {
    /// The name that `prefix` writes.
    pub const fn with(self, prefix: CookiePrefix) -> &'static str {
        if prefix.is_host() { self.host } else { self.secure }
    }
}

impl CookieConfig {
    /// The values of the cookies of this name that a request carries, in order. Next to ours there can be one that another host
    /// of the site has set. Other cookies may hold any bytes (a script's `document.cookie = "name=Zoë"`), and hide none.
    pub fn values(&self, name: CookieName, headers: &HeaderMap) -> Vec<String> {
        let lines = headers.get_all(header::COOKIE).iter();
        let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        self.find(name, lines.iter().map(AsRef::as_ref))
    }

    /// The values of the cookies of this name in some `Cookie` headers.
    ///
    /// A name with `__Host-` is always read where one with `__Secure-` is: no other host can have set it. The reverse would take
    /// the guarantee of `__Host-` away, so it is read only by `secure-to-host`, and only if there is no cookie with `__Host-`.
    pub fn find<'a>(&self, name: CookieName, lines: impl Iterator<Item = &'a str>) -> Vec<String> {
        let (mut host, mut secure) = (Vec::new(), Vec::new());
        for cookie in lines.flat_map(Cookie::split_parse).filter_map(Result::ok) {
            let values = match cookie.name() {
                found if found == name.host => &mut host,
                found if found == name.secure => &mut secure,
                _ => continue,
            };
            if !cookie.value().is_empty() {
                values.push(cookie.value().to_owned());
            }
        }
        match self.prefix {
            CookiePrefix::Secure => [host, secure].concat(),
            CookiePrefix::SecureToHost if host.is_empty() => secure,
            CookiePrefix::SecureToHost | CookiePrefix::Host => host,
        }
    }

    /// Sets a cookie for the rest of its token's life. `base_path` is what the browser sees before `/auth/…`.
    pub fn set(&self, name: CookieName, base_path: &str, value: &str, rest: Duration) -> Option<HeaderValue> {
        write(name, self.prefix.is_host(), base_path, value, rest)
    }

    /// Takes the cookie away, and what the request carries of it under the other prefix. The attributes are those that it was
    /// set with: a browser would keep the old one beside the new one otherwise.
    pub fn clear(&self, name: CookieName, base_path: &str, headers: &HeaderMap) -> Vec<HeaderValue> {
        let cleared = write(name, self.prefix.is_host(), base_path, "", Duration::ZERO);
        cleared.into_iter().chain(self.clear_other(name, base_path, headers)).collect()
    }

    /// Takes the cookie away that a request carries under the prefix that is read and no longer written.
    pub fn clear_other(&self, name: CookieName, base_path: &str, headers: &HeaderMap) -> Option<HeaderValue> {
        let is_host = match self.prefix {
            CookiePrefix::Secure => true,
            CookiePrefix::SecureToHost => false,
            CookiePrefix::Host => return None,
        };
        let other = if is_host { name.host } else { name.secure };
        let mut lines = headers.get_all(header::COOKIE).iter();
        let carried = lines.any(|line| {
            let line = String::from_utf8_lossy(line.as_bytes());
            Cookie::split_parse(line.as_ref()).filter_map(Result::ok).any(|cookie| cookie.name() == other)
        });
        carried.then(|| write(name, is_host, base_path, "", Duration::ZERO)).flatten()
    }
}

/// With `__Secure-` the path is `/auth` below the base path: a cookie for `/auth` alone would never be sent to a stage's own URL,
/// `/PROD/auth/…`. With `__Host-` it has to be `/` (RFC 6265bis §4.1.3.2).
fn write(
    name: CookieName,
    is_host: bool,
    base_path: &str,
    value: &str,
    life: Duration,
) -> Option<HeaderValue> {
    let seconds = i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
    let (name, path) =
        if is_host { (name.host, "/".to_owned()) } else { (name.secure, format!("{base_path}/auth")) };
    let cookie = Cookie::build((name, value.to_owned()))
        .http_only(true)
        .secure(true)
        .same_site(SameSite::Strict)
        .path(path)
        .max_age(cookie::time::Duration::seconds(seconds))
        .build();
    HeaderValue::from_str(&cookie.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [CookiePrefix; 3] = [CookiePrefix::Secure, CookiePrefix::SecureToHost, CookiePrefix::Host];

    fn config(prefix: CookiePrefix) -> CookieConfig {
        CookieConfig { prefix, base_path: None }
    }

    fn request(lines: &[&'static [u8]]) -> Result<HeaderMap, http::Error> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_bytes(line)?);
        }
        Ok(headers)
    }

    #[test]
    fn every_refresh_cookie_is_found_among_others_of_any_bytes() -> Result<(), http::Error> {
        let headers = request(&[
            b"a=b; __Secure-refresh_token=x.y.z; c=d",
            "n=Zoë; __Secure-refresh_token=u; m=é".as_bytes(),
            b"l=\xe9; __Secure-refresh_token=v",
        ])?;
        assert_eq!(config(CookiePrefix::Secure).values(REFRESH_TOKEN, &headers), ["x.y.z", "u", "v"]);
        Ok(())
    }

    #[test]
    fn a_cookie_of_another_name_is_not_found() {
        for value in
            ["", ";;;", "__Secure-refresh_token=", "refresh_token=x", "__secure-refresh_token=x", "=x"]
        {
            for prefix in ALL {
                assert!(config(prefix).find(REFRESH_TOKEN, [value].into_iter()).is_empty(), "{value}");
            }
        }
    }

    #[test]
    fn a_cookie_that_another_host_can_set_counts_only_without_a_host_cookie() {
        let [secure, moving, host] = ALL.map(config);
        let both = "__Secure-refresh_token=s; __Host-refresh_token=h";
        assert_eq!(secure.find(REFRESH_TOKEN, [both].into_iter()), ["h", "s"]);
        assert_eq!(moving.find(REFRESH_TOKEN, [both].into_iter()), ["h"]);
        assert_eq!(host.find(REFRESH_TOKEN, [both].into_iter()), ["h"]);
        let only = "__Secure-refresh_token=s";
        assert_eq!(secure.find(REFRESH_TOKEN, [only].into_iter()), ["s"]);
        assert_eq!(moving.find(REFRESH_TOKEN, [only].into_iter()), ["s"]);
        assert!(host.find(REFRESH_TOKEN, [only].into_iter()).is_empty());
    }

    #[test]
    fn the_path_of_a_cookie_is_what_its_prefix_demands() {
        let set = |prefix| {
            let cookie = config(prefix).set(REFRESH_TOKEN, "/api", "t", Duration::from_secs(60));
            cookie.and_then(|cookie| cookie.to_str().map(str::to_owned).ok()).unwrap_or_default()
        };
        let rest = "HttpOnly; SameSite=Strict; Secure";
        assert_eq!(
            set(CookiePrefix::Secure),
            format!("__Secure-refresh_token=t; {rest}; Path=/api/auth; Max-Age=60")
        );
        for prefix in [CookiePrefix::SecureToHost, CookiePrefix::Host] {
            assert_eq!(set(prefix), format!("__Host-refresh_token=t; {rest}; Path=/; Max-Age=60"));
        }
    }

    #[test]
    fn a_cookie_under_the_other_prefix_is_cleared_where_it_is_read() -> Result<(), http::Error> {
        let names = |prefix, lines: &[&'static [u8]]| {
            let cleared = config(prefix).clear(REFRESH_TOKEN, "", &request(lines)?);
            let names = cleared.iter().filter_map(|cookie| cookie.to_str().ok()?.split_once('='));
            Ok::<_, http::Error>(names.map(|(name, _)| name.to_owned()).collect::<Vec<_>>())
        };
        let (secure, host) = (REFRESH_TOKEN.secure, REFRESH_TOKEN.host);
        let both: &[&[u8]] = &[b"__Secure-refresh_token=s; __Host-refresh_token=h"];
        assert_eq!(names(CookiePrefix::Secure, both)?, [secure, host]);
        assert_eq!(names(CookiePrefix::SecureToHost, both)?, [host, secure]);
        assert_eq!(names(CookiePrefix::Host, both)?, [host]);
        for (prefix, name) in [(CookiePrefix::Secure, secure), (CookiePrefix::SecureToHost, host)] {
            assert_eq!(names(prefix, &[])?, [name]);
        }
        Ok(())
    }
}
