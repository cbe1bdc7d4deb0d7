//! `PUBLIC_BASE_PATH`: a proxy or a CDN changes the path between the browser and the gateway.

use auth_core::config::{self, HttpConfig};
use fancy_regex::Regex;
use local::api::ApiKind;
use serde_json::{Value, json};

use crate::agreement::TEMPLATE;
use crate::support::browser::Browser;
use crate::support::{PASSWORD, Service};

/// The setting, the base path of the gateway, and what the browser calls before `/auth`: a proxy that takes its own prefix away,
/// `CloudFront` with an origin path, and both.
const PROXIES: [(&str, Option<&str>, &str); 3] =
    [("/api", None, "/api"), ("/", Some("/PROD"), ""), ("/api", Some("/PROD"), "/api")];

async fn start(kind: ApiKind, value: &str, base: Option<&str>, more: &[(&str, &str)]) -> Service {
    let settings = [&[("TOKEN_DELIVERY", "cookie"), ("PUBLIC_BASE_PATH", value)], more].concat();
    Service::start_behind(&settings, kind, base).await
}

/// A browser in front of the proxy. The URL of the service has the base path of the gateway.
fn browser(service: &Service) -> Browser<'_> {
    Browser::behind(service, |path| path.strip_prefix("/api").unwrap_or(path).to_owned())
}

async fn sign_up(browser: &mut Browser<'_>, public: &str) -> Value {
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let call = browser.call("POST", &format!("{public}/auth/signup")).json(&body);
    browser.send(call).await.expect(201).body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_behind_a_proxy_sends_the_refresh_cookie_back() {
    for (value, base, public) in PROXIES {
        for kind in [ApiKind::Rest, ApiKind::Http] {
            let service = start(kind, value, base, &[]).await;
            let mut browser = browser(&service);
            sign_up(&mut browser, public).await;
            browser.post(&format!("{public}/auth/refresh")).await.expect(200);
            browser.post(&format!("{public}/auth/refresh")).await.expect(200);
            browser.post(&format!("{public}/auth/logout")).await.expect(204);
            assert!(browser.own().is_empty(), "{public}: {:?}", browser.own());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_that_the_authorizer_renews_has_the_public_path() {
    for (value, base, public) in PROXIES {
        for kind in [ApiKind::Rest, ApiKind::Http] {
            let service = start(kind, value, base, &[("RENEWAL", "rotate")]).await;
            let mut browser = browser(&service);
            let signup = sign_up(&mut browser, public).await;
            let first = browser.value("__Secure-refresh_token");
            service.pass(3_500);
            let access = signup["accessToken"].as_str().expect("a token");
            let call = browser.call("GET", &format!("{public}/auth/me")).bearer(access);
            browser.send(call).await.expect(200);
            assert_eq!(browser.own(), ["__Secure-refresh_token"], "one cookie of one path");
            assert_ne!(browser.value("__Secure-refresh_token"), first);
            browser.post(&format!("{public}/auth/refresh")).await.expect(200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_discovery_document_names_the_public_path() {
    for (value, base, public) in PROXIES {
        let service = start(ApiKind::Rest, value, base, &[]).await;
        let reply = service.call("GET", "/.well-known/openid-configuration").send().await.expect(200);
        let url = reply.body["jwks_uri"].as_str().expect("a URL");
        assert!(url.ends_with(&format!("{public}/.well-known/jwks.json")), "{url}");
        let host = url.strip_prefix("http://").and_then(|url| url.split_once('/')).expect("a URL").1;
        assert_eq!(format!("/{host}"), format!("{public}/.well-known/jwks.json"));
    }
}

/// A deployment with a path that no function starts with would succeed, and answer 500 to everybody.
#[test]
fn the_template_takes_the_paths_that_functions_start_with() {
    let parameter = TEMPLATE.split_once("\n  PublicBasePath:\n").expect("a parameter").1;
    let pattern = parameter.split_once("AllowedPattern: '").expect("a pattern").1;
    let pattern = Regex::new(pattern.split('\'').next().expect("its text")).expect("a regular expression");
    for (path, taken) in [
        ("", true),
        ("/", true),
        ("/api", true),
        ("/Api/v1.2/~a_b-c", true),
        ("/...", true),
        ("/..a/.b", true),
        ("/api/", false),
        ("api", false),
        ("//", false),
        ("//api", false),
        ("/a//b", false),
        ("/.", false),
        ("/..", false),
        ("/a/../b", false),
        ("/a/.", false),
        ("/a b", false),
        ("/a;b", false),
        ("/a%20b", false),
        ("https://a.example/api", false),
    ] {
        let lookup = |name: &str| (name == "PUBLIC_BASE_PATH").then(|| path.to_owned());
        let started = config::from_lookup(&lookup, |settings| Some(HttpConfig::read(settings)));
        assert_eq!(started.is_ok(), taken, "{path:?} in the code: {started:?}");
        assert_eq!(pattern.is_match(path).expect("a verdict"), taken, "{path:?} in the template");
    }
}
