//! Requests through a trusted proxy: the client's address and user agent are what the proxy says.

use local::api::ApiKind;
use serde_json::{Value, json};

use crate::support::http::{Call, Reply};
use crate::support::{PASSWORD, Service, Tokens, tokens};

const SECRET: &str = "proxy-secret-0123456789abcdef0123456789abcdef";
const PREVIOUS: &str = "older-secret-0123456789abcdef0123456789abcdef";
const TRUSTED: [(&str, &str); 2] =
    [("TRUSTED_PROXY_SECRET", SECRET), ("TRUSTED_PROXY_PREVIOUS_SECRET", PREVIOUS)];

/// What a test's own connections come from, which is what the gateway sees of a proxy.
const PROXY: &str = "127.0.0.1";

/// A server of one's own that calls for its client.
fn forwarding<'a>(call: Call<'a>, secret: &str, client: &str) -> Call<'a> {
    call.header("x-latchkey-proxy-secret", secret).header("x-forwarded-for", client)
}

fn login_body(password: &str) -> Value {
    json!({"email": "ada@example.com", "password": password})
}

async fn login(service: &Service, secret: &str, client: &str, password: &str) -> Reply {
    let call = forwarding(service.call("POST", "/auth/login"), secret, client);
    call.header("user-agent", "node").json(&login_body(password)).send().await
}

/// A member of the audit lines of an event.
fn audited(service: &Service, event: &str, member: &str) -> Vec<String> {
    let entries = service.stack.audit().entries();
    let lines = entries.iter().map(|entry| serde_json::to_value(entry).expect("an entry is JSON"));
    let lines = lines.filter(|line| line["event"] == event);
    lines.map(|line| line[member].as_str().unwrap_or_default().to_owned()).collect()
}

async fn sessions(service: &Service, caller: &Tokens) -> Vec<(String, String)> {
    let reply = service.call("GET", "/auth/sessions").bearer(&caller.access).send().await.expect(200);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let listed = reply.body["sessions"].as_array().expect("a list").iter();
    let mut sessions: Vec<_> =
        listed.map(|session| (text(&session["ip"]), text(&session["userAgent"]))).collect();
    sessions.sort();
    sessions
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_audit_lines_have_the_clients_address_behind_either_gateway() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let service = Service::start_behind(&TRUSTED, kind, None).await;
        let ada = service.signup("ada@example.com").await;
        login(&service, SECRET, "6.6.6.6, 203.0.113.7", PASSWORD).await.expect(200);
        login(&service, PREVIOUS, "[2001:db8::7]:1234", PASSWORD).await.expect(200);
        let call = service.call("POST", "/auth/login").header("x-latchkey-proxy-secret", SECRET);
        let call = call.header("cloudfront-viewer-address", "203.0.113.9:46532");
        let call = call.header("x-forwarded-user-agent", "Firefox").json(&login_body(PASSWORD));
        call.send().await.expect(200);
        assert_eq!(
            audited(&service, "login", "ip"),
            ["203.0.113.7", "2001:db8::7", "203.0.113.9"],
            "{kind:?}"
        );
        assert_eq!(audited(&service, "login", "user_agent"), ["node", "node", "Firefox"], "{kind:?}");
        let listed = sessions(&service, &ada).await;
        assert!(listed.contains(&("203.0.113.9".to_owned(), "Firefox".to_owned())), "{listed:?}");
        assert!(listed.contains(&("2001:db8::7".to_owned(), "node".to_owned())), "{listed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_one_proxy_have_limits_of_their_own() {
    let service = Service::start(&[TRUSTED[0], ("LOGIN_LIMIT_PER_IP", "3")]).await;
    service.signup("ada@example.com").await;
    for _ in 0..3 {
        login(&service, SECRET, "203.0.113.7", "not the password").await.expect(401);
    }
    login(&service, SECRET, "203.0.113.7", PASSWORD).await.expect(429);
    login(&service, SECRET, "6.6.6.6, 203.0.113.7", PASSWORD).await.expect(429);
    login(&service, SECRET, "203.0.113.8", PASSWORD).await.expect(200);
    service.try_login("ada@example.com", PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_names_a_client_without_the_secret() {
    let wrong = SECRET.replace('0', "1");
    for (settings, secret) in [(&TRUSTED[..], wrong.as_str()), (&TRUSTED[..], ""), (&[], SECRET)] {
        for kind in [ApiKind::Rest, ApiKind::Http] {
            let service = Service::start_behind(settings, kind, None).await;
            service.signup("ada@example.com").await;
            login(&service, secret, "203.0.113.7", PASSWORD).await.expect(200);
            let call = service.call("POST", "/auth/login").header("x-latchkey-proxy-secret", secret);
            let call = call.header("cloudfront-viewer-address", "203.0.113.9:46532");
            let call = call.header("x-forwarded-user-agent", "Firefox").json(&login_body(PASSWORD));
            call.send().await.expect(200);
            assert_eq!(audited(&service, "login", "ip"), [PROXY, PROXY], "{secret}");
            assert!(!audited(&service, "login", "user_agent").contains(&"Firefox".to_owned()), "{secret}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authorizer_records_the_client_behind_the_proxy() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let service = Service::start_behind(&[TRUSTED[0], ("RENEWAL", "rotate")], kind, None).await;
        let ada = service.signup("ada@example.com").await;
        service.pass(3_500);
        let call = forwarding(service.call("GET", "/auth/me"), SECRET, "6.6.6.6, 203.0.113.7");
        let call = call.header("x-refresh-token", &ada.refresh).bearer(&ada.access);
        let reply = call.send().await.expect(200);
        assert_eq!(audited(&service, "refresh_token_rotated", "ip"), ["203.0.113.7"], "{kind:?}");
        service.logout(reply.header("x-new-refresh-token")).await.expect(204);
        let call = forwarding(service.call("GET", "/auth/me"), SECRET, "203.0.113.8");
        call.bearer(&ada.access).send().await.expect(401);
        assert_eq!(audited(&service, "access_token_refused", "ip"), ["203.0.113.8"], "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_that_acts_records_the_client_behind_the_proxy() {
    let service = Service::start(&TRUSTED).await;
    let call = |method, path| forwarding(service.call(method, path), SECRET, "203.0.113.7");
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let ada = tokens(&call("POST", "/auth/signup").json(&body).send().await.expect(201).body);
    let refresh = json!({"refreshToken": ada.refresh});
    call("POST", "/auth/refresh").json(&refresh).send().await.expect(200);
    let names = json!({"displayName": "Ada"});
    call("PATCH", "/auth/me").bearer(&ada.access).json(&names).send().await.expect(200);
    let wrong = json!({"currentPassword": "not the password", "newPassword": "Lantern-Quartz-Meadow"});
    call("POST", "/auth/password").bearer(&ada.access).json(&wrong).send().await.expect(401);
    let other = service.login("ada@example.com").await;
    call("POST", "/auth/logout").bearer(&other.access).send().await.expect(204);
    call("POST", "/auth/revoke-all").bearer(&ada.access).send().await.expect(200);
    for event in [
        "signup",
        "refresh_token_rotated",
        "profile_changed",
        "password_changed",
        "logout",
        "sessions_revoked",
    ] {
        assert_eq!(audited(&service, event, "ip"), ["203.0.113.7"], "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_template_reaches_the_functions_by_its_parameters() {
    let engine = Service::start(&[]).await;
    let folder =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("proxy-{}", std::process::id()));
    let arn = |name: &str| format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}");
    let (current, previous) = (arn("current"), arn("previous"));
    let parameters = [("TrustedProxySecretArn", &*current), ("TrustedProxyPreviousSecretArn", &*previous)];
    let service = Service::deploy(&parameters, engine.stack.store_endpoint(), &folder).await;
    for (_, id) in crate::agreement::FUNCTIONS {
        let environment = service.stack.environment(id);
        let secrets =
            ["TRUSTED_PROXY_SECRET", "TRUSTED_PROXY_PREVIOUS_SECRET"].map(|name| environment.get(name));
        assert_eq!(secrets.iter().flatten().count(), if id == "WellKnownFunction" { 0 } else { 2 }, "{id}");
    }
    service.signup("ada@example.com").await;
    let secret = service.stack.environment("LoginFunction")["TRUSTED_PROXY_SECRET"].clone();
    login(&service, &secret, "203.0.113.7", PASSWORD).await.expect(200);
    assert_eq!(audited(&service, "login", "ip"), ["203.0.113.7"]);
    std::fs::remove_dir_all(folder).expect("the folder of the test");
}
