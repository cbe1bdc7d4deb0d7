//! `TOKEN_DELIVERY=cookie`.

use crate::support::http::Reply;
use crate::support::{PASSWORD, Service};
use local::api::ApiKind;
use local::stack::{Options, Stack};

const ORIGIN: &str = "https://app.example.com";

const COOKIES: [(&str, &str); 2] = [("TOKEN_DELIVERY", "cookie"), ("CORS_ALLOWED_ORIGINS", ORIGIN)];

async fn start() -> Service {
    Service::start(&COOKIES).await
}

/// The value and the attributes of the one cookie that a reply sets.
fn cookie(reply: &Reply) -> (String, Vec<String>) {
    let cookies = reply.cookies();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    let mut parts = cookies[0].split("; ");
    let value =
        parts.next().and_then(|part| part.strip_prefix("__Secure-refresh_token=")).expect("our cookie");
    let mut attributes: Vec<String> = parts.map(str::to_owned).collect();
    attributes.sort();
    (value.to_owned(), attributes)
}

async fn login(service: &Service) -> (Reply, String) {
    service.try_signup("ada@example.com").await.expect(201);
    let reply = service.try_login("ada@example.com", PASSWORD).await.expect(200);
    let (value, _) = cookie(&reply);
    (reply, value)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refresh_token_travels_in_the_cookie_alone() {
    let service = start().await;
    let (reply, value) = login(&service).await;
    assert!(!reply.body.to_string().contains(&value));
    assert!(reply.body.get("refreshToken").is_none());
    let (_, attributes) = cookie(&reply);
    assert_eq!(attributes, ["HttpOnly", "Max-Age=2592000", "Path=/auth", "SameSite=Strict", "Secure"]);
    let call = service.call("POST", "/auth/refresh").header("origin", ORIGIN);
    let reply = call.header("cookie", &format!("__Secure-refresh_token={value}")).send().await.expect(200);
    let (next, _) = cookie(&reply);
    assert_ne!(next, value);
    assert!(!reply.body.to_string().contains(&next));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_lives_as_long_as_its_token() {
    let settings =
        [("TOKEN_DELIVERY", "cookie"), ("REFRESH_TOKEN_EXPIRY", "2h"), ("SESSION_MAX_LIFETIME", "3h")];
    let service = Service::start(&settings).await;
    let (_, value) = login(&service).await;
    service.pass(5_400);
    let call = service.call("POST", "/auth/refresh").header("sec-fetch-site", "same-origin");
    let reply = call.header("cookie", &format!("__Secure-refresh_token={value}")).send().await.expect(200);
    assert!(
        cookie(&reply).1.contains(&"Max-Age=5400".to_owned()),
        "the rest of the session: {:?}",
        reply.cookies()
    );
}

/// A call with cookies, from the origin on the list.
async fn with_cookies(service: &Service, path: &str, cookies: &str) -> Reply {
    service.call("POST", path).header("origin", ORIGIN).header("cookie", cookies).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_that_are_no_ascii_hide_no_refresh_cookie() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let service = Service::start_behind(&COOKIES, kind, None).await;
        let (reply, first) = login(&service).await;
        let access = reply.body["accessToken"].as_str().expect("a token").to_owned();
        let before = format!("n=Zoë; __Secure-refresh_token={first}");
        let (second, _) = cookie(&with_cookies(&service, "/auth/refresh", &before).await.expect(200));
        let after = format!("__Secure-refresh_token={second}; n=Zoë");
        with_cookies(&service, "/auth/logout", &after).await.expect(204);
        service.me(&access).await.expect(401);
    }
}

/// Another host of the site can set a cookie of the name, and have it sent first.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_cookie_of_the_name_gives_nobody_anothers_session_and_keeps_none_alive() {
    let service = start().await;
    let (ada, own) = login(&service).await;
    let ada = ada.body["accessToken"].as_str().expect("a token").to_owned();
    let (eves, _) = cookie(&service.try_signup("eve@example.com").await.expect(201));
    let name = "__Secure-refresh_token";
    let both = format!("{name}={eves}; {name}={own}");
    let refused = with_cookies(&service, "/auth/refresh", &both).await.expect(401);
    assert_eq!((refused.code(), refused.cookies().len()), ("invalid_grant", 0));
    assert_eq!(service.audited("refresh_token_refused"), ["several_sessions"]);
    let (next, _) = cookie(
        &with_cookies(&service, "/auth/refresh", &format!("{name}=x; {name}={own}")).await.expect(200),
    );
    // Of two of one session the later one counts: the other is no reuse.
    let (last, _) = cookie(
        &with_cookies(&service, "/auth/refresh", &format!("{name}={own}; {name}={next}")).await.expect(200),
    );
    with_cookies(&service, "/auth/logout", &format!("{name}=x; {name}={eves}; {name}={last}"))
        .await
        .expect(204);
    service.me(&ada).await.expect(401);
    with_cookies(&service, "/auth/refresh", &format!("{name}={eves}")).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_from_another_site_is_refused_and_changes_nothing() {
    let service = start().await;
    let (_, value) = login(&service).await;
    let cookie = format!("__Secure-refresh_token={value}");
    for path in ["/auth/refresh", "/auth/logout"] {
        let call = || service.call("POST", path).header("cookie", &cookie);
        let refused = [
            call(),
            call().header("origin", "https://evil.example.com"),
            call().header("origin", "null"),
            call().header("sec-fetch-site", "cross-site"),
            call().header("sec-fetch-site", "none"),
            call().header("origin", "https://app.example.com.evil.example"),
            call().header("origin", "https://evil.example.com").header("sec-fetch-site", "same-site"),
        ];
        for call in refused {
            let reply = call.send().await.expect(403);
            assert_eq!(reply.code(), "forbidden");
            assert_eq!(reply.cookies().len(), 0);
        }
    }
    assert_eq!(service.audited("cross_site_refused").len(), 14);
    for header in [("origin", ORIGIN), ("sec-fetch-site", "same-site"), ("sec-fetch-site", "same-origin")] {
        let call = service.call("POST", "/auth/refresh").header("cookie", &cookie).header(header.0, header.1);
        call.send().await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_takes_the_cookie_away_with_the_same_attributes() {
    let service = start().await;
    let (reply, value) = login(&service).await;
    let call = || service.call("POST", "/auth/logout").header("origin", ORIGIN);
    let gone = call().header("cookie", &format!("__Secure-refresh_token={value}")).send().await.expect(204);
    let (value, attributes) = cookie(&gone);
    assert_eq!(
        (value.as_str(), attributes),
        (
            "",
            vec![
                "HttpOnly".into(),
                "Max-Age=0".into(),
                "Path=/auth".into(),
                "SameSite=Strict".into(),
                "Secure".to_owned()
            ]
        )
    );
    call().send().await.expect(204);
    service.me(reply.body["accessToken"].as_str().expect("a token")).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_cookie_is_signed_out_and_no_mistake() {
    let service = start().await;
    let reply = service.call("POST", "/auth/refresh").header("origin", ORIGIN).send().await.expect(401);
    assert_eq!(reply.code(), "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_for_any_origin_are_a_fault_of_the_configuration() {
    let options = Options::for_testing().with("TOKEN_DELIVERY", "cookie").with("CORS_ALLOWED_ORIGINS", "*");
    let fault = Stack::start(options).await.expect_err("no start").to_string();
    assert!(fault.starts_with("CORS_ALLOWED_ORIGINS may not be * with TOKEN_DELIVERY=cookie"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_this_session_or_all_takes_the_cookie_away() {
    let service = start().await;
    let (reply, _) = login(&service).await;
    let access = reply.body["accessToken"].as_str().expect("a token");
    let sid = crate::support::claims(access)["sid"].as_str().expect("a sid").to_owned();
    let other = service.try_login("ada@example.com", PASSWORD).await.expect(200);
    let other = other.body["accessToken"].as_str().expect("a token");
    let path = format!("/auth/sessions/{sid}");
    assert_eq!(service.call("DELETE", &path).bearer(other).send().await.expect(204).cookies().len(), 0);
    let all = service.call("POST", "/auth/revoke-all").bearer(other).send().await.expect(200);
    assert!(cookie(&all).1.contains(&"Max-Age=0".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_path_of_the_cookie_is_below_the_base_path() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let service = Service::start_behind(&[("TOKEN_DELIVERY", "cookie")], kind, Some("/api/v1")).await;
        let reply = service.try_signup("ada@example.com").await.expect(201);
        assert!(cookie(&reply).1.contains(&"Path=/api/v1/auth".to_owned()), "{:?}", reply.cookies());
    }
}
