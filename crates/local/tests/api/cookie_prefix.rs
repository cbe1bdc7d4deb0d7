//! `COOKIE_PREFIX`: cookies that this host alone can set, and the change between the two prefixes.

use local::api::ApiKind;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::{PASSWORD, Service};

const SECURE: &str = "__Secure-refresh_token";
const HOST: &str = "__Host-refresh_token";

fn settings(prefix: &str) -> Vec<(&str, &str)> {
    let secret = "one secret for every deployment of these tests";
    vec![
        ("TOKEN_DELIVERY", "cookie"),
        ("COOKIE_PREFIX", prefix),
        ("RENEWAL", "rotate"),
        ("JWT_SECRET", secret),
    ]
}

async fn sign_up(browser: &mut Browser<'_>, email: &str) -> Value {
    let body = json!({"email": email, "password": PASSWORD});
    let call = browser.call("POST", "/auth/signup").json(&body);
    browser.send(call).await.expect(201).body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_cookie_has_the_root_path_and_is_cleared_with_it() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let service = Service::start_behind(&settings("host"), kind, Some("/api/v1")).await;
        let mut browser = Browser::behind(&service, |path| path.replace("/api/v1", ""));
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let call = browser.call("POST", "/api/v1/auth/signup").json(&body);
        let reply = browser.send(call).await.expect(201);
        let set = reply.cookies()[0];
        assert!(set.starts_with(HOST) && set.contains("; Path=/; "), "{set}");
        assert!(!reply.body.to_string().contains(&browser.value(HOST)));
        browser.post("/api/v1/auth/refresh").await.expect(200);
        browser.post("/api/v1/auth/logout").await.expect(204);
        assert!(browser.own().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_host_no_cookie_of_another_host_of_the_site_counts() {
    let service = Service::start(&settings("host")).await;
    let mut eve = Browser::new(&service);
    sign_up(&mut eve, "eve@example.com").await;
    let mut browser = Browser::new(&service);
    browser.plant(SECURE, &eve.value(HOST), "/");
    browser.plant(HOST, &eve.value(HOST), "/");
    assert_eq!(browser.post("/auth/refresh").await.expect(401).code(), "invalid_grant");
    let ada = sign_up(&mut browser, "ada@example.com").await;
    let refreshed = browser.post("/auth/refresh").await.expect(200);
    assert_eq!(refreshed.body["user"], ada["user"]);
    browser.post("/auth/logout").await.expect(204);
    eve.post("/auth/refresh").await.expect(200);
}

/// Deployments with these settings, one after the other, on one table.
async fn deploy(prefix: &str, engine: &Service) -> Service {
    Service::start_at(&settings(prefix), engine.stack.store_endpoint()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_to_host_cookies_and_back_signs_nobody_out() {
    let engine = Service::start(&[]).await;
    let (mut user, mut cookies) = (Value::Null, Vec::<String>::new());
    for prefix in ["secure", "secure-to-host", "host", "secure", "secure-to-host", "host"] {
        let service = deploy(prefix, &engine).await;
        let mut browser = Browser::new(&service);
        for cookie in &cookies {
            browser.keep(cookie);
        }
        if user.is_null() {
            user = sign_up(&mut browser, "ada@example.com").await["user"].clone();
        }
        for _ in 0..2 {
            let refreshed = browser.post("/auth/refresh").await.expect(200);
            assert_eq!(refreshed.body["user"], user, "{prefix}");
        }
        let (name, path) = if prefix == "secure" { (SECURE, "/auth") } else { (HOST, "/") };
        assert_eq!(browser.own(), [name], "{prefix}");
        cookies = vec![format!("{name}={}; Secure; Path={path}", browser.value(name))];
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_during_the_change_takes_both_cookies_away() {
    let engine = Service::start(&[]).await;
    let old = deploy("secure", &engine).await;
    let mut before = Browser::new(&old);
    sign_up(&mut before, "ada@example.com").await;
    let service = deploy("secure-to-host", &engine).await;
    let mut browser = Browser::new(&service);
    browser.keep(&format!("{SECURE}={}; Secure; Path=/auth", before.value(SECURE)));
    browser.post("/auth/logout").await.expect(204);
    assert!(browser.own().is_empty());
    before.post("/auth/refresh").await.expect(401);
}

/// While sessions are moved, a cookie that another host has set counts as it did before, but never beside a `__Host-` cookie.
#[tokio::test(flavor = "multi_thread")]
async fn during_the_change_a_planted_cookie_does_not_count_beside_a_host_cookie() {
    let service = Service::start(&settings("secure-to-host")).await;
    let mut eve = Browser::new(&service);
    sign_up(&mut eve, "eve@example.com").await;
    let mut browser = Browser::new(&service);
    let ada = sign_up(&mut browser, "ada@example.com").await;
    browser.plant(SECURE, &eve.value(HOST), "/auth");
    let refreshed = browser.post("/auth/refresh").await.expect(200);
    assert_eq!(refreshed.body["user"], ada["user"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authorizer_renews_a_host_cookie_on_the_services_own_routes_alone() {
    let settings = settings("host");
    let service = Service::start_with_example(&settings).await;
    let mut browser = Browser::new(&service);
    let signup = sign_up(&mut browser, "ada@example.com").await;
    let access = signup["accessToken"].as_str().expect("a token");
    let first = browser.value(HOST);
    service.pass(3_500);
    for neighbour in service.stack.neighbours() {
        if neighbour.url().starts_with("ws") {
            continue;
        }
        let call = service.call_url("GET", &format!("{}/orders", neighbour.url())).bearer(access);
        let reply = call.header("cookie", &format!("{HOST}={first}")).send().await.expect(200);
        assert!(reply.cookies().is_empty() && reply.header("x-new-token").is_empty(), "{:?}", reply.headers);
    }
    assert_eq!(service.audited("refresh_token_rotated").len(), 0);
    let call = browser.call("GET", "/auth/me").bearer(access);
    browser.send(call).await.expect(200);
    assert_ne!(browser.value(HOST), first);
    browser.post("/auth/refresh").await.expect(200);
}
