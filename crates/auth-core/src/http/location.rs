//! Where a client called: the origin of the gateway, and the base path before our own part of the path.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, header};

/// The gateway's own name for itself. What a client's headers say is read on this machine alone, for the port of a local run.
pub(super) fn origin(domain: &str, headers: &HeaderMap) -> String {
    if !is_loopback(domain) {
        return format!("https://{domain}");
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let scheme = if text(X_FORWARDED_PROTO) == "http" { "http" } else { "https" };
    let port = text(header::HOST).strip_prefix(domain).and_then(|rest| rest.strip_prefix(':'));
    match port.and_then(|port| port.parse::<u16>().ok()) {
        Some(port) => format!("{scheme}://{domain}:{port}"),
        None => format!("{scheme}://{domain}"),
    }
}

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Whether a host is this very machine (RFC 6761 §6.3).
fn is_loopback(host: &str) -> bool {
    let is_name = host.rsplit('.').next() == Some("localhost");
    is_name || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What comes before our own part of a path; `None` if it has no such part: it is a path of somebody else's API.
fn base_path(path: &str) -> Option<&str> {
    ROOTS.iter().filter_map(|root| path.rfind(root)).max().and_then(|at| path.get(..at))
}

/// Everything of ours lies below one of these; what comes before is the stage or a custom domain's base path.
const ROOTS: [&str; 2] = ["/auth/", "/.well-known/"];

/// The routes behind the authorizer, below the base path.
const GUARDED: [&str; 4] = ["/auth/me", "/auth/password", "/auth/revoke-all", "/auth/sessions"];

/// The base path of a path that is one of the service's own routes behind the authorizer; `None` if it is another API's.
pub fn guarded_base_path(path: &str) -> Option<&str> {
    let (base_path, path) = split(path);
    let session = path.strip_prefix("/auth/sessions/").is_some_and(|id| !id.is_empty() && !id.contains('/'));
    (session || GUARDED.contains(&path)).then_some(base_path)
}

/// A path as the base path and the path below it. A REST API routes with or without a slash at the end.
pub(super) fn split(path: &str) -> (&str, &str) {
    let base_path = base_path(path).unwrap_or_default();
    let path = path.get(base_path.len()..).unwrap_or(path);
    (base_path, path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_header_adds_a_port_on_this_machine_and_nothing_else() -> Result<(), http::Error> {
        let origin = |domain: &str, host: &str, proto: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse()?);
            headers.insert(X_FORWARDED_PROTO, proto.parse()?);
            Ok::<_, http::Error>(origin(domain, &headers))
        };
        for domain in ["127.0.0.1", "localhost", "api.localhost", "[::1]"] {
            let host = format!("{domain}:3000");
            assert_eq!(origin(domain, &host, "http")?, format!("http://{host}"));
            assert_eq!(origin(domain, &host, "https")?, format!("https://{host}"));
            for tail in ["", ":", ":@evil.example", ":1@evil.example", ".evil.example:443", ":65536"] {
                let host = format!("{domain}{tail}");
                assert_eq!(origin(domain, &host, "http")?, format!("http://{domain}"), "{tail}");
            }
        }
        for domain in ["api.example.com", "localhost.example.com", "203.0.113.1"] {
            for host in [format!("{domain}:8443"), format!("{domain}:@evil.example"), "evil.example".into()] {
                assert_eq!(origin(domain, &host, "http")?, format!("https://{domain}"), "{host}");
            }
        }
        Ok(())
    }

    #[test]
    fn the_base_path_is_what_comes_before_our_own() {
        assert_eq!(split("/auth/login"), ("", "/auth/login"));
        assert_eq!(split("/PROD/auth/login"), ("/PROD", "/auth/login"));
        assert_eq!(split("/auth/v1/auth/login"), ("/auth/v1", "/auth/login"));
        assert_eq!(split("/x/.well-known/jwks.json"), ("/x", "/.well-known/jwks.json"));
        assert_eq!(split("/other"), ("", "/other"));
        assert_eq!(split("/PROD/auth/me/"), ("/PROD", "/auth/me"));
    }

    #[test]
    fn only_the_guarded_routes_are_our_own_to_the_authorizer() {
        for (path, base) in [
            ("/auth/me", ""),
            ("/PROD/auth/password", "/PROD"),
            ("/api/v1/auth/sessions/", "/api/v1"),
            ("/api/auth/sessions/abc", "/api"),
            ("/auth/v1/auth/revoke-all", "/auth/v1"),
        ] {
            assert_eq!(guarded_base_path(path), Some(base), "{path}");
        }
        for path in [
            "",
            "/",
            "/orders",
            "/auth",
            "/auth/",
            "/auth/login",
            "/auth/me/photo",
            "/shop/auth/orders",
            "/auth/sessions/a/b",
            "/.well-known/jwks.json",
        ] {
            assert_eq!(guarded_base_path(path), None, "{path}");
        }
    }
}
