//! The files of a demo, beside the API on the same port: a page of the same origin needs no CORS, and may use cookies.

use std::fs;
use std::path::{Path, PathBuf};

use axum::body::Body;
use http::{HeaderValue, Method, Response, header};

/// A folder whose files are served.
#[derive(Clone, Debug)]
pub(crate) struct Pages(PathBuf);

impl Pages {
    /// The files of `folder`, which has an `index.html`.
    ///
    /// # Errors
    /// One line: it has none.
    pub(crate) fn of(folder: impl AsRef<Path>) -> Result<Self, String> {
        let folder = folder.as_ref();
        if folder.join("index.html").is_file() {
            return Ok(Self(folder.to_owned()));
        }
        Err(format!("--demo {}: there is no index.html in it (`make demo` makes one)", folder.display()))
    }

    /// The file that a request asks for, read anew each time; `None` if there is none: the API may have such a route.
    pub(crate) fn answer(&self, method: &Method, path: &str) -> Option<Response<Body>> {
        if method != Method::GET && method != Method::HEAD {
            return None;
        }
        let name = if path == "/" { "index.html" } else { path.strip_prefix('/')? };
        if !name.split('/').all(is_plain) {
            return None;
        }
        let media_type = media_type(name)?;
        let bytes = fs::read(self.0.join(name)).ok()?;
        let mut response = Response::new(if method == Method::HEAD { Body::empty() } else { bytes.into() });
        let headers = [
            (header::CONTENT_TYPE, media_type),
            (header::CACHE_CONTROL, "no-store"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'self'; frame-ancestors 'none'"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ];
        for (name, value) in headers {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Some(response)
    }
}

/// No hidden file, no way out of the folder, and nothing that has to be decoded.
fn is_plain(part: &str) -> bool {
    let letters =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    !part.is_empty() && !part.starts_with('.') && letters(part)
}

/// By the ending; files of other kinds are not served.
fn media_type(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    match ending {
        "html" => Some("text/html; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

    #[test]
    fn a_folder_without_a_page_is_refused() {
        assert!(Pages::of(SOURCES).is_err_and(|why| why.contains("there is no index.html in it")));
    }

    #[test]
    fn only_plain_files_of_the_folder_are_served() {
        let folder = std::env::temp_dir().join(format!("latchkey-pages-{}", std::process::id()));
        let written = fs::create_dir_all(folder.join("client")).and_then(|()| {
            fs::write(folder.join("client/index.js"), "x")?;
            fs::write(folder.join(".hidden.js"), "x")?;
            fs::write(folder.join("notes.txt"), "x")?;
            fs::write(folder.join("index.html"), "x")
        });
        assert!(written.is_ok());
        let pages = Pages::of(&folder);
        let status =
            |method: &Method, path: &str| pages.as_ref().ok()?.answer(method, path).map(|page| page.status());
        for path in ["/", "/index.html", "/client/index.js"] {
            assert!(status(&Method::GET, path).is_some() && status(&Method::HEAD, path).is_some(), "{path}");
            assert_eq!(status(&Method::POST, path), None);
        }
        for path in [
            "",
            "//index.html",
            "/.hidden.js",
            "/notes.txt",
            "/client",
            "/client/",
            "/client/../index.html",
            "/client/%2e%2e/index.html",
            "/other.js",
            "/auth/me",
            "/..",
            "/index.html\0",
        ] {
            assert_eq!(status(&Method::GET, path), None, "{path}");
        }
        assert!(fs::remove_dir_all(folder).is_ok());
    }
}
