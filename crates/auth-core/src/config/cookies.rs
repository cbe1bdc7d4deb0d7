//! What cookies are called, and the base path that browsers see.

use super::{Settings, setting};

/// The prefix of cookie names (RFC 6265bis §4.1.3): what a browser guarantees about a cookie of that name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CookiePrefix {
    /// `__Secure-`: set over HTTPS. The cookie is limited to the path of the service. Another host of the same site can set a
    /// cookie of the same name.
    #[default]
    Secure,
    /// `__Host-`, and a session whose cookie is still called `__Secure-` is moved: for a change from [`Self::Secure`] to
    /// [`Self::Host`].
    SecureToHost,
    /// `__Host-`: set by this host alone. The cookie's path is `/`.
    Host,
}

impl CookiePrefix {
    /// Whether cookies are written with `__Host-`.
    pub const fn is_host(self) -> bool {
        match self {
            Self::Secure => false,
            Self::SecureToHost | Self::Host => true,
        }
    }
}

/// What comes before `/auth/…` in the path that a browser calls: empty, or a path such as `/api`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicBasePath(String);

impl PublicBasePath {
    /// The path without a slash at the end; empty at the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A path of unreserved characters (RFC 3986 §2.3), or `/`. A browser resolves the segments `.` and `..` before it compares
    /// the path of a cookie.
    fn parse(text: &str) -> Option<Self> {
        if text == "/" {
            return Some(Self(String::new()));
        }
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_segment =
            |segment: &str| !["", ".", ".."].contains(&segment) && segment.bytes().all(unreserved);
        let path = text.strip_prefix('/')?;
        path.split('/').all(is_segment).then(|| Self(text.to_owned()))
    }
}

/// The names and the path of cookies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CookieConfig {
    /// The prefix of their names.
    pub prefix: CookiePrefix,
    /// The base path that browsers see; `None` if it is the one of the gateway.
    pub base_path: Option<PublicBasePath>,
}

impl CookieConfig {
    /// Reads `COOKIE_PREFIX` and `PUBLIC_BASE_PATH`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let prefixes = [
            ("secure", CookiePrefix::Secure),
            ("secure-to-host", CookiePrefix::SecureToHost),
            ("host", CookiePrefix::Host),
        ];
        let prefix = settings.choice(&setting::COOKIE_PREFIX, &prefixes);
        Self { prefix, base_path: base_path(settings) }
    }

    /// The base path that the browser sees of a request that the gateway received below `received`.
    pub fn public_base_path<'a>(&'a self, received: &'a str) -> &'a str {
        self.base_path.as_ref().map_or(received, PublicBasePath::as_str)
    }
}

fn base_path(settings: &mut Settings<'_>) -> Option<PublicBasePath> {
    let text = settings.text(&setting::PUBLIC_BASE_PATH)?;
    let path = PublicBasePath::parse(&text);
    if path.is_none() {
        settings.fault(
            &setting::PUBLIC_BASE_PATH,
            &format!("{text:?} is not a path such as /api, or / for the root"),
        );
    }
    path
}

#[cfg(test)]
mod tests {
    use super::super::from_lookup;
    use super::*;

    fn read(name: &str, value: &str) -> Result<CookieConfig, String> {
        let lookup = |asked: &str| (asked == name).then(|| value.to_owned());
        from_lookup(&lookup, |settings| Some(CookieConfig::read(settings)))
            .map_err(|faults| faults.to_string())
    }

    #[test]
    fn the_public_base_path_replaces_the_one_of_the_gateway() {
        for (value, received, public) in [
            ("", "/PROD", "/PROD"),
            ("", "", ""),
            ("/", "/PROD", ""),
            ("/api/v1", "/PROD", "/api/v1"),
            ("/api", "", "/api"),
        ] {
            let config = read("PUBLIC_BASE_PATH", value);
            let base_path = config.as_ref().map(|config| config.public_base_path(received));
            assert_eq!(base_path, Ok(public), "{value:?}");
        }
    }

    #[test]
    fn a_public_base_path_is_absolute_and_has_plain_segments() {
        for value in [
            "api",
            "api/v1",
            "/api/",
            "//",
            "//api",
            "/a//b",
            "/a b",
            "/a;b",
            "/a?b",
            "/a#b",
            "/a%20b",
            "/ä",
            "/.",
            "/..",
            "/a/../b",
            "/a/.",
            "https://a.example/api",
            "/a,b",
            "/a\\b",
            "*",
        ] {
            let fault = format!("PUBLIC_BASE_PATH {value:?} is not a path such as /api, or / for the root");
            assert_eq!(read("PUBLIC_BASE_PATH", value), Err(fault));
        }
        for value in ["/api", "/Api/v1.2", "/~a/b_c-d", "/...", "/.well", "/a..b"] {
            assert!(read("PUBLIC_BASE_PATH", value).is_ok(), "{value}");
        }
    }

    #[test]
    fn cookie_prefixes_are_read_by_name() {
        for (value, prefix) in [
            ("", CookiePrefix::Secure),
            ("secure", CookiePrefix::Secure),
            ("secure-to-host", CookiePrefix::SecureToHost),
            ("host", CookiePrefix::Host),
        ] {
            assert_eq!(read("COOKIE_PREFIX", value).map(|config| config.prefix), Ok(prefix));
        }
        assert_eq!(
            read("COOKIE_PREFIX", "__Host-").map(|_| ()),
            Err("COOKIE_PREFIX \"__Host-\" is not one of secure, secure-to-host, host".to_owned())
        );
    }
}
