//! A browser's cookie jar, in front of a proxy that may change the path: what RFC 6265bis §5 says of paths and prefixes.

use super::Service;
use super::http::{Call, Reply};

/// A browser with one tab on the service's own origin.
pub(crate) struct Browser<'a> {
    service: &'a Service,
    /// The path that the service receives for one that the browser calls.
    proxy: fn(&str) -> String,
    cookies: Vec<Cookie>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    path: String,
    /// Whether another host of the site has set it, with a `Domain`: it is another cookie than one of this host.
    planted: bool,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(service: &'a Service) -> Self {
        Self::behind(service, str::to_owned)
    }

    /// A browser that reaches the service through a proxy.
    pub(crate) fn behind(service: &'a Service, proxy: fn(&str) -> String) -> Self {
        Self { service, proxy, cookies: Vec::new() }
    }

    /// A request with the cookies that the browser sends to this path.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'a> {
        let call = self.service.call(method, &(self.proxy)(path)).header("sec-fetch-site", "same-origin");
        let mut sent: Vec<_> = self.cookies.iter().filter(|cookie| cookie.matches(path)).collect();
        // RFC 6265bis §5.8.3: longer paths first.
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let sent: Vec<_> = sent.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        if sent.is_empty() { call } else { call.header("cookie", &sent.join("; ")) }
    }

    /// Sends a request, and keeps the cookies of the answer.
    pub(crate) async fn send(&mut self, call: Call<'a>) -> Reply {
        let reply = call.send().await;
        for cookie in reply.cookies() {
            self.keep(cookie);
        }
        reply
    }

    pub(crate) async fn post(&mut self, path: &str) -> Reply {
        let call = self.call("POST", path);
        self.send(call).await
    }

    /// Another host of the site sets a cookie with a `Domain` that covers this host. A browser refuses it with `__Host-`.
    pub(crate) fn plant(&mut self, name: &str, value: &str, path: &str) {
        if !name.starts_with("__Host-") {
            let (name, value, path) = (name.to_owned(), value.to_owned(), path.to_owned());
            self.cookies.push(Cookie { name, value, path, planted: true });
        }
    }

    /// The names of the cookies that this host has set.
    pub(crate) fn own(&self) -> Vec<&str> {
        self.cookies.iter().filter(|cookie| !cookie.planted).map(|cookie| cookie.name.as_str()).collect()
    }

    /// The value of a cookie that this host has set.
    pub(crate) fn value(&self, name: &str) -> String {
        let own = self.cookies.iter().find(|cookie| !cookie.planted && cookie.name == name);
        own.unwrap_or_else(|| panic!("no {name}")).value.clone()
    }

    /// Keeps a cookie of this host, as it was set or as a function hands it over.
    pub(crate) fn keep(&mut self, set: &str) {
        let mut parts = set.split("; ");
        let (name, value) = parts.next().and_then(|part| part.split_once('=')).expect("a cookie");
        let attributes: Vec<_> = parts.collect();
        let path = attributes.iter().find_map(|part| part.strip_prefix("Path=")).expect("a path");
        assert!(attributes.contains(&"Secure") && !set.contains("Domain="), "{set}");
        assert!(!name.starts_with("__Host-") || path == "/", "{set}");
        let same = |cookie: &Cookie| !cookie.planted && cookie.name == name && cookie.path == path;
        self.cookies.retain(|cookie| !same(cookie));
        if !attributes.contains(&"Max-Age=0") {
            let (name, value, path) = (name.to_owned(), value.to_owned(), path.to_owned());
            self.cookies.push(Cookie { name, value, path, planted: false });
        }
    }
}

impl Cookie {
    /// RFC 6265bis §5.1.4.
    fn matches(&self, path: &str) -> bool {
        path.strip_prefix(self.path.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/'))
    }
}
