//! Refresh cookies of several sessions: which session a refresh, a logout and a renewal are about.

use aws_sdk_dynamodb::types::AttributeValue;
use local::api::ApiKind;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::http::Reply;
use crate::support::keys::generate;
use crate::support::table::Table;
use crate::support::tap::{Fault, Target};
use crate::support::{NEW_PASSWORD, PASSWORD, Service, tapped};

const NAME: &str = "__Secure-refresh_token";
const COOKIES: &[(&str, &str)] = &[("TOKEN_DELIVERY", "cookie"), ("RENEWAL", "rotate")];

async fn sign_up(browser: &mut Browser<'_>, email: &str) -> Value {
    let body = json!({"email": email, "password": PASSWORD});
    let call = browser.call("POST", "/auth/signup").json(&body);
    browser.send(call).await.expect(201).body
}

async fn log_in(browser: &mut Browser<'_>, email: &str) -> Value {
    let body = json!({"email": email, "password": PASSWORD});
    let call = browser.call("POST", "/auth/login").json(&body);
    browser.send(call).await.expect(200).body
}

fn access(body: &Value) -> &str {
    body["accessToken"].as_str().expect("a token")
}

/// A refresh of a page that holds this access token.
async fn refresh(browser: &mut Browser<'_>, access: &str) -> Reply {
    let call = browser.call("POST", "/auth/refresh").bearer(access);
    browser.send(call).await
}

/// Ada's browser with a cookie that another host of the site has set, of Eve's session. It is sent first.
async fn ada_and_eve(service: &Service) -> (Browser<'_>, Value, Browser<'_>, Value) {
    let (mut browser, mut eve) = (Browser::new(service), Browser::new(service));
    let ada = sign_up(&mut browser, "ada@example.com").await;
    let eves = sign_up(&mut eve, "eve@example.com").await;
    browser.plant(NAME, &eve.value(NAME), "/auth/refresh");
    browser.plant(NAME, &eve.value(NAME), "/auth/logout");
    (browser, ada, eve, eves)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_cookie_signs_nobody_out_whose_page_names_its_session() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let service = Service::start_behind(COOKIES, kind, None).await;
        let (mut browser, ada, mut eve, _) = ada_and_eve(&service).await;
        let first = refresh(&mut browser, access(&ada)).await.expect(200);
        assert_eq!(first.body["user"], ada["user"]);
        // The access token has expired when a page refreshes late.
        service.pass(7_200);
        let second = refresh(&mut browser, access(&first.body)).await.expect(200);
        assert_eq!(second.body["user"], ada["user"]);
        // After a new login, which is a new session, too.
        let again = log_in(&mut browser, "ada@example.com").await;
        assert_eq!(refresh(&mut browser, access(&again)).await.expect(200).body["user"], ada["user"]);
        eve.post("/auth/refresh").await.expect(200);
        assert!(service.audited("refresh_token_refused").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_of_an_asymmetric_key_names_its_session() {
    for algorithm in ["ES256", "EdDSA"] {
        let pair = generate(algorithm);
        let secret = "s".repeat(64);
        let keys = [
            ("JWT_ALGORITHM", algorithm),
            ("JWT_PRIVATE_KEY", &pair.private),
            ("JWT_PUBLIC_KEY", &pair.public),
            ("REFRESH_TOKEN_SECRET", &secret),
        ];
        let service = Service::start(&[COOKIES, &keys].concat()).await;
        let (mut browser, ada, ..) = ada_and_eve(&service).await;
        let reply = refresh(&mut browser, access(&ada)).await.expect(200);
        assert_eq!(reply.body["user"], ada["user"], "{algorithm}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_valid_name_two_live_sessions_are_refused() {
    let service = Service::start(COOKIES).await;
    let (mut browser, ada, ..) = ada_and_eve(&service).await;
    let forged = format!("{}x", access(&ada));
    let unsigned = format!("{}.", access(&ada).rsplit_once('.').expect("a JWT").0);
    for name in [None, Some("x"), Some(forged.as_str()), Some(unsigned.as_str())] {
        let call = browser.call("POST", "/auth/refresh");
        let call = if let Some(name) = name { call.bearer(name) } else { call };
        let refused = browser.send(call).await.expect(401);
        assert_eq!((refused.code(), refused.cookies().len()), ("invalid_grant", 0), "{name:?}");
    }
    assert_eq!(service.audited("refresh_token_refused"), ["several_sessions"; 4]);
    assert_eq!(refresh(&mut browser, access(&ada)).await.expect(200).body["user"], ada["user"]);
}

/// Revoked, idle and absolute end, and a session that the table does not know.
#[tokio::test(flavor = "multi_thread")]
async fn cookies_of_sessions_that_are_over_are_ignored() {
    for ending in ["revoked", "idle", "absolute", "unknown"] {
        let settings = [COOKIES, &[("REFRESH_TOKEN_EXPIRY", "2h"), ("SESSION_MAX_LIFETIME", "3h")]].concat();
        let service = Service::start(&settings).await;
        let mut eve = Browser::new(&service);
        let eves = sign_up(&mut eve, "eve@example.com").await;
        let planted = eve.value(NAME);
        match ending {
            "revoked" => {
                eve.post("/auth/logout").await.expect(204);
            }
            "unknown" => {
                let table = Table::of(&service).await;
                let session = table.items_of("SESSION#").await.remove(0);
                table.delete(&session).await;
            }
            _ => {
                // The tokens themselves say when they expire; the session of another instance may have ended sooner.
                let attribute = if ending == "idle" { "idle_ends_at" } else { "absolute_ends_at" };
                let table = Table::of(&service).await;
                let mut session = table.items_of("SESSION#").await.remove(0);
                session.insert(attribute.to_owned(), AttributeValue::N(service.now().to_string()));
                table.put(&session).await;
            }
        }
        let mut browser = Browser::new(&service);
        browser.plant(NAME, &planted, "/auth/refresh");
        let ada = sign_up(&mut browser, "ada@example.com").await;
        for _ in 0..2 {
            let reply = browser.post("/auth/refresh").await.expect(200);
            assert_eq!(reply.body["user"], ada["user"], "{ending}");
        }
        // A name of the session that is over makes nobody another user.
        let refused = refresh(&mut browser, access(&eves)).await.expect(401);
        assert_eq!(refused.code(), "invalid_grant", "{ending}");
        assert_eq!(
            service.audited("refresh_token_refused").last().map(String::as_str),
            Some("no_live_session")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_session_is_over_gets_the_users_newer_one_and_nobody_elses() {
    let service = Service::start(COOKIES).await;
    let mut old = Browser::new(&service);
    let ada = sign_up(&mut old, "ada@example.com").await;
    old.post("/auth/logout").await.expect(204);
    let mut eve = Browser::new(&service);
    sign_up(&mut eve, "eve@example.com").await;
    let (mut browser, mut phone) = (Browser::new(&service), Browser::new(&service));
    browser.plant(NAME, &eve.value(NAME), "/auth/refresh");
    log_in(&mut phone, "ada@example.com").await;
    // A cookie of the same user with another path.
    browser.plant(NAME, &phone.value(NAME), "/");
    let reply = refresh(&mut browser, access(&ada)).await.expect(200);
    assert_eq!(reply.body["user"], ada["user"]);
    phone.post("/auth/logout").await.expect(204);
    refresh(&mut browser, access(&ada)).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_ends_the_named_session_and_otherwise_all_that_are_presented() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let service = Service::start_behind(COOKIES, kind, None).await;
        let (mut browser, ada, mut eve, _) = ada_and_eve(&service).await;
        let call = browser.call("POST", "/auth/logout").bearer(access(&ada));
        browser.send(call).await.expect(204);
        assert!(browser.own().is_empty());
        service.me(access(&ada)).await.expect(401);
        eve.post("/auth/refresh").await.expect(200);
        // Without a name nobody can tell which: both end.
        let ada = log_in(&mut browser, "ada@example.com").await;
        browser.post("/auth/logout").await.expect(204);
        service.me(access(&ada)).await.expect(401);
        eve.post("/auth/refresh").await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_is_a_name_and_no_refresh_token() {
    let service = Service::start(COOKIES).await;
    let (mut browser, ada, ..) = ada_and_eve(&service).await;
    let alone = service.call("POST", "/auth/refresh").header("sec-fetch-site", "same-origin");
    let refused = alone.bearer(access(&ada)).send().await.expect(401);
    assert_eq!(refused.code(), "invalid_grant");
    let call = browser.call("POST", "/auth/refresh").bearer(access(&ada));
    let body = call.json(&json!({"refreshToken": browser.value(NAME)}));
    assert_eq!(browser.send(body).await.expect(200).body["user"], ada["user"], "the body goes first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_takes_the_cookie_of_the_access_tokens_session() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let service = Service::start_behind(COOKIES, kind, None).await;
        let (mut browser, ada, eve, _) = ada_and_eve(&service).await;
        browser.plant(NAME, &eve.value(NAME), "/auth/me");
        let before = browser.value(NAME);
        service.pass(3_500);
        let call = browser.call("GET", "/auth/me").bearer(access(&ada));
        let reply = browser.send(call).await.expect(200);
        assert!(!reply.header("x-new-token").is_empty());
        assert_ne!(browser.value(NAME), before);
        let renewed = reply.header("x-new-token").to_owned();
        assert_eq!(refresh(&mut browser, &renewed).await.expect(200).body["user"], ada["user"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_cookies_of_several_sessions_cost_reads_of_them() {
    let (_engine, service, tap) = tapped(&[("TOKEN_DELIVERY", "cookie")]).await;
    let (mut browser, ada, ..) = ada_and_eve(&service).await;
    let mut alone = Browser::new(&service);
    alone.keep(&format!("{NAME}={}; Secure; Path=/auth", browser.value(NAME)));
    tap.take();
    refresh(&mut alone, access(&ada)).await.expect(200);
    assert_eq!(tap.take(), ["GetItem", "UpdateItem"]);
    let named = refresh(&mut browser, access(&ada)).await.expect(200);
    assert_eq!(tap.take(), ["GetItem", "GetItem", "UpdateItem"], "another user's session is not read");
    browser.post("/auth/refresh").await.expect(401);
    assert_eq!(tap.take(), ["GetItem", "GetItem"]);
    let target = Target::of("GetItem", "SESSION#");
    for fault in [Fault::Status(500), Fault::LoseAnswer, Fault::Refuse("ThrottlingException")] {
        tap.spoil(target, fault);
        let reply = refresh(&mut browser, access(&named.body)).await.expect(503);
        assert_eq!((reply.code(), reply.cookies().len()), ("temporarily_unavailable", 0));
        tap.heal();
    }
    refresh(&mut browser, access(&named.body)).await.expect(200);
}

/// Login CSRF: a foreign page would have its visitor work in an account of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_signs_nobody_in_or_up() {
    let listed = "https://app.example.com";
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let settings = [COOKIES, &[("CORS_ALLOWED_ORIGINS", listed)]].concat();
        let service = Service::start_behind(&settings, kind, None).await;
        service.try_signup("ada@example.com").await.expect(201);
        let body = |path: &str| {
            let email = if path == "/auth/login" { "ada@example.com" } else { "bob@example.com" };
            json!({"email": email, "password": PASSWORD})
        };
        for path in ["/auth/login", "/auth/signup", "/auth/register"] {
            for headers in [
                &[][..],
                &[("origin", "https://evil.example.com")],
                &[("origin", "null")],
                &[("origin", "https://evil.example.com"), ("sec-fetch-site", "same-site")],
                &[("sec-fetch-site", "cross-site")],
                &[("sec-fetch-site", "none")],
            ] {
                let mut call = service.call("POST", path).json(&body(path));
                for (name, value) in headers {
                    call = call.header(name, value);
                }
                let reply = call.send().await.expect(403);
                assert_eq!((reply.code(), reply.cookies().len()), ("forbidden", 0), "{path} {headers:?}");
            }
        }
        assert_eq!(service.audited("cross_site_refused").len(), 18);
        assert!(service.audited("login").is_empty(), "no password is looked at");
        for headers in
            [("origin", listed), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-site")]
        {
            let call = service.call("POST", "/auth/login").json(&body("/auth/login"));
            call.header(headers.0, headers.1).send().await.expect(200);
        }
    }
    let service = Service::start(&[]).await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let call = service.call("POST", "/auth/signup").header("origin", "https://evil.example.com").json(&body);
    call.send().await.expect(201);
}

/// Its answer sets the cookie of a new session.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_changes_no_password() {
    let service = Service::start(COOKIES).await;
    let signup = service.try_signup("ada@example.com").await.expect(201).body;
    let body = json!({"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD});
    let change = || service.call("POST", "/auth/password").bearer(access(&signup)).json(&body);
    for call in [change(), change().header("origin", "https://evil.example.com")] {
        assert_eq!(call.send().await.expect(403).code(), "forbidden");
    }
    assert!(service.audited("password_changed").is_empty());
    let reply = change().header("sec-fetch-site", "same-origin").send().await.expect(200);
    assert_eq!(reply.cookies().len(), 1);
}
