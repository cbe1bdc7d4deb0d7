//! Automatic renewal: the authorizer's, and what reaches the client.

use local::api::ApiKind;
use serde_json::Value;

use crate::support::http::Reply;
use crate::support::table::Table;
use crate::support::tap::{Fault, Target};
use crate::support::{Service, Tokens, claims, tapped, tokens};

/// An access token lives for an hour and is renewed in its last five minutes.
const ACCESS: &[(&str, &str)] = &[("RENEWAL", "access"), ("CORS_ALLOWED_ORIGINS", ORIGIN)];
const ROTATE: &[(&str, &str)] = &[("RENEWAL", "rotate"), ("CORS_ALLOWED_ORIGINS", ORIGIN)];
const ORIGIN: &str = "https://app.example.com";
const BEFORE_THE_WINDOW: u64 = 3_299;
const NEAR_THE_END: u64 = 3_500;

async fn me(service: &Service, access: &str, refresh: &str) -> Reply {
    let call = service.call("GET", "/auth/me").bearer(access);
    call.header("x-refresh-token", refresh).send().await
}

async fn me_with_key(service: &Service, tokens: &Tokens, key: &str) -> Reply {
    let call = service.call("GET", "/auth/me").bearer(&tokens.access);
    let call = call.header("x-refresh-token", &tokens.refresh);
    call.header("x-refresh-idempotency-key", key).send().await
}

fn new_access(reply: &Reply) -> &str {
    assert_eq!(reply.header("x-new-token"), reply.header("x-new-access-token"));
    reply.header("x-new-token")
}

fn new_refresh(reply: &Reply) -> &str {
    reply.header("x-new-refresh-token")
}

#[track_caller]
fn assert_nothing_new(reply: &Reply) {
    for name in ["x-new-token", "x-new-access-token", "x-new-refresh-token", "set-cookie"] {
        assert!(!reply.headers.contains_key(name), "{name}: {:?}", reply.headers);
    }
}

async fn refresh_ok(service: &Service, token: &str) -> Tokens {
    tokens(&service.refresh(token).await.expect(200).body)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_near_its_end_is_renewed() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let service = Service::start_behind(ACCESS, kind, None).await;
        let first = service.signup("ada@example.com").await;
        service.pass(BEFORE_THE_WINDOW);
        assert_nothing_new(&service.me(&first.access).await.expect(200));
        service.pass(1);
        let reply = service.call("GET", "/auth/me").bearer(&first.access).header("origin", ORIGIN);
        let reply = reply.send().await.expect(200);
        assert_eq!((reply.header("cache-control"), reply.header("pragma")), ("no-store", "no-cache"));
        let exposed = reply.header("access-control-expose-headers").to_ascii_lowercase();
        for name in ["x-new-token", "x-new-access-token", "x-new-refresh-token"] {
            assert!(exposed.contains(name), "{exposed}");
        }
        let next = new_access(&reply).to_owned();
        assert!(new_refresh(&reply).is_empty());
        let (old, new) = (claims(&first.access), claims(&next));
        for name in ["iss", "sub", "aud", "sid", "email"] {
            assert_eq!(old[name], new[name]);
        }
        assert_eq!(new["exp"], service.now() + 3_600);
        service.pass(400);
        service.me(&first.access).await.expect(401);
        service.me(&next).await.expect(200);
        assert_eq!(service.audited("access_token_renewed").len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_rotate_the_refresh_token_of_the_header_becomes_the_next_one() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let service = Service::start_behind(ROTATE, kind, None).await;
        let first = service.signup("ada@example.com").await;
        service.pass(BEFORE_THE_WINDOW);
        assert_nothing_new(&me(&service, &first.access, &first.refresh).await.expect(200));
        service.pass(1);
        assert_nothing_new(&service.me(&first.access).await.expect(200));
        let reply = me(&service, &first.access, &first.refresh).await.expect(200);
        let (access, refresh) = (new_access(&reply).to_owned(), new_refresh(&reply).to_owned());
        assert_eq!(claims(&refresh)["gen"], 1);
        let again = refresh_ok(&service, &first.refresh).await;
        assert_eq!(again.refresh, refresh, "the refresh endpoint knows the same successor");
        service.me(&access).await.expect(200);
        let third = refresh_ok(&service, &refresh).await;
        assert_eq!(claims(&third.refresh)["gen"], 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_near_the_end_gets_one_successor() {
    let service = Service::start(ROTATE).await;
    let first = service.signup("ada@example.com").await;
    service.pass(NEAR_THE_END);
    let replies = std::iter::repeat_with(|| me(&service, &first.access, &first.refresh)).take(50);
    let replies = join_all(replies).await;
    let successors: std::collections::BTreeSet<&str> = replies.iter().map(new_refresh).collect();
    assert_eq!(successors.len(), 1, "{successors:?}");
    for reply in &replies {
        assert_eq!(reply.status, 200);
        service.me(new_access(reply)).await.expect(200);
    }
    assert_eq!(service.audited("refresh_token_rotated").len(), 1);
    assert_eq!(service.audited("refresh_token_replayed").len(), 49);
}

/// All of `futures` at once.
async fn join_all<F: Future<Output = Reply>>(futures: impl Iterator<Item = F>) -> Vec<Reply> {
    let mut pending: Vec<_> = futures.map(Box::pin).collect();
    let mut replies = Vec::new();
    std::future::poll_fn(|context| {
        pending.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(reply) => {
                replies.push(reply);
                false
            }
            std::task::Poll::Pending => true,
        });
        if pending.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    replies
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_refresh_token_in_the_header_ends_the_session_for_everybody() {
    let service = Service::start(ROTATE).await;
    let first = service.signup("ada@example.com").await;
    let second = refresh_ok(&service, &first.refresh).await;
    service.pass(NEAR_THE_END);
    me(&service, &second.access, &first.refresh).await.expect(401);
    service.me(&second.access).await.expect(401);
    service.refresh(&second.refresh).await.expect(401);
    assert_eq!(service.audited("refresh_token_reused"), ["superseded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_renewal_repeats_it_after_the_grace() {
    let service = Service::start(ROTATE).await;
    let first = service.signup("ada@example.com").await;
    service.pass(3_400);
    let lost = me_with_key(&service, &first, "k-1").await.expect(200);
    service.pass(100);
    let again = me_with_key(&service, &first, "k-1").await.expect(200);
    assert_eq!(new_refresh(&lost), new_refresh(&again));
    let by_endpoint = service.refresh_with_key(&first.refresh, "k-1").await.expect(200);
    assert_eq!(tokens(&by_endpoint.body).refresh, new_refresh(&again), "one key for both ways to renew");
    assert!(service.audited("refresh_token_reused").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_kept_renews_nothing_and_lets_the_request_pass() {
    let service = Service::start(ROTATE).await;
    let first = service.signup("ada@example.com").await;
    service.pass(NEAR_THE_END);
    assert_nothing_new(&me_with_key(&service, &first, &"k".repeat(256)).await.expect(200));
    assert_eq!(claims(&refresh_ok(&service, &first.refresh).await.refresh)["gen"], 1);
}

/// The key of a request to the API itself says nothing about its tokens.
#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_of_the_api_is_not_one_of_the_renewal() {
    let service = Service::start(ROTATE).await;
    let first = service.signup("ada@example.com").await;
    service.pass(3_400);
    let call = service.call("GET", "/auth/me").bearer(&first.access).header("idempotency-key", "order-1");
    call.header("x-refresh-token", &first.refresh).send().await.expect(200);
    service.pass(11);
    service.refresh_with_key(&first.refresh, "order-1").await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_is_not_the_sessions_own_renews_nothing() {
    let service = Service::start(ROTATE).await;
    let ada = service.signup("ada@example.com").await;
    let other = service.login("ada@example.com").await;
    let bob = service.signup("bob@example.com").await;
    service.pass(NEAR_THE_END);
    let forged = format!("{}x", ada.refresh);
    for token in [other.refresh.as_str(), &bob.refresh, &forged, &ada.access, "", "nonsense", "a.b.c"] {
        assert_nothing_new(&me(&service, &ada.access, token).await.expect(200));
    }
    for tokens in [&ada, &other, &bob] {
        assert_eq!(claims(&refresh_ok(&service, &tokens.refresh).await.refresh)["gen"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_not_near_the_end_costs_no_more_than_without_renewal() {
    for settings in [&[("RENEWAL", "off")][..], ACCESS, ROTATE] {
        let (_engine, service, tap) = tapped(settings).await;
        let first = service.signup("ada@example.com").await;
        service.pass(BEFORE_THE_WINDOW);
        tap.take();
        me(&service, &first.access, &first.refresh).await.expect(200);
        assert_eq!(tap.take(), ["GetItem", "GetItem"], "one of the authorizer, one of the function");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_costs_one_read_and_with_rotation_one_write_more() {
    for (settings, cost) in [
        (ACCESS, &["GetItem", "GetItem", "GetItem"][..]),
        (ROTATE, &["GetItem", "GetItem", "GetItem", "UpdateItem"]),
    ] {
        let (_engine, service, tap) = tapped(settings).await;
        let first = service.signup("ada@example.com").await;
        service.pass(NEAR_THE_END);
        tap.take();
        assert!(!new_access(&me(&service, &first.access, &first.refresh).await.expect(200)).is_empty());
        assert_eq!(tap.take(), cost);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_fails_lets_the_request_pass_and_loses_nothing() {
    let faults = [
        Fault::Status(500),
        Fault::Refuse("ProvisionedThroughputExceededException"),
        Fault::Refuse("AccessDeniedException"),
        Fault::LoseRequest,
        Fault::LoseAnswer,
        Fault::Garble("<html>"),
        Fault::Late,
    ];
    let (_engine, service, tap) = tapped(ROTATE).await;
    for (number, fault) in faults.into_iter().enumerate() {
        let first = service.signup(&format!("u{number}@example.com")).await;
        service.pass(NEAR_THE_END);
        tap.spoil(Target::of("UpdateItem", "SESSION#"), fault);
        assert_nothing_new(&me(&service, &first.access, &first.refresh).await.expect(200));
        tap.heal();
        // Past the grace: whether or not the write had landed, the same two tokens are renewed.
        service.pass(30);
        let reply = me(&service, &first.access, &first.refresh).await.expect(200);
        assert_eq!(claims(new_refresh(&reply))["gen"], 1, "{fault:?}");
        service.me(new_access(&reply)).await.expect(200);
    }
    assert!(service.audited("refresh_token_reused").is_empty());
}

/// A slow function, a lost answer, an aborted request: none of them is repeated within the grace.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_pair_of_tokens_is_renewed_alike_until_its_access_token_ends() {
    let service = Service::start(&[ROTATE, &[("REFRESH_GRACE", "0s")]].concat()).await;
    let first = service.signup("ada@example.com").await;
    service.pass(BEFORE_THE_WINDOW + 1);
    let lost = me(&service, &first.access, &first.refresh).await.expect(200);
    service.pass(290);
    let again = me(&service, &first.access, &first.refresh).await.expect(200);
    assert_eq!(new_refresh(&lost), new_refresh(&again));
    // A copy of the refresh token alone is caught, with any key.
    let jti = claims(&first.access)["jti"].as_str().expect("a text").to_owned();
    service.refresh_with_key(&first.refresh, &jti).await.expect(401);
    service.me(new_access(&again)).await.expect(401);
    assert_eq!(service.audited("refresh_token_reused"), ["superseded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_refresh_token_with_another_access_token_is_caught() {
    let service = Service::start(&[ROTATE, &[("REFRESH_GRACE", "0s")]].concat()).await;
    let first = service.signup("ada@example.com").await;
    let other = refresh_ok(&service, &first.refresh).await;
    service.pass(NEAR_THE_END);
    me(&service, &other.access, &other.refresh).await.expect(200);
    me(&service, &first.access, &other.refresh).await.expect(401);
    assert_eq!(service.audited("refresh_token_reused"), ["superseded"]);
}

/// One tab has the new refresh token and still the old access token; another one has neither yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_was_just_rotated_is_not_rotated_again() {
    let service = Service::start(ROTATE).await;
    let first = service.signup("ada@example.com").await;
    service.pass(NEAR_THE_END);
    let one = me(&service, &first.access, &first.refresh).await.expect(200);
    let second = new_refresh(&one).to_owned();
    let two = me(&service, &first.access, &second).await.expect(200);
    assert!(!new_access(&two).is_empty() && new_refresh(&two).is_empty());
    let three = me(&service, &first.access, &first.refresh).await.expect(200);
    assert_eq!(new_refresh(&three), second);
    assert_eq!(service.audited("refresh_token_rotated").len(), 1);
    assert!(service.audited("refresh_token_reused").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_ends_its_session_is_handed_no_new_tokens() {
    for delivery in ["body", "cookie"] {
        let service = Service::start(&[ROTATE, &[("TOKEN_DELIVERY", delivery)]].concat()).await;
        for (method, path) in [("POST", "/auth/revoke-all"), ("DELETE", "/auth/sessions/{own}")] {
            let email = format!("{}@example.com", method.to_ascii_lowercase());
            let signup = service.try_signup(&email).await.expect(201);
            let access = signup.body["accessToken"].as_str().expect("a token").to_owned();
            let own = claims(&access)["sid"].as_str().expect("a session").to_owned();
            service.pass(NEAR_THE_END);
            let call = service.call(method, &path.replace("{own}", &own)).bearer(&access);
            let reply = match signup.cookies().first() {
                Some(cookie) => call.header("cookie", cookie.split(';').next().expect("a cookie")),
                None => call.header(
                    "x-refresh-token",
                    signup.body["refreshToken"].as_str().expect("a refresh token"),
                ),
            };
            let reply = reply.send().await;
            assert!(reply.status < 300, "{path}: {}", reply.status);
            assert!(!reply.headers.contains_key("x-new-token") && new_refresh(&reply).is_empty(), "{path}");
            let cookies = reply.cookies();
            assert_eq!(cookies.len(), usize::from(delivery == "cookie"), "{path}: {cookies:?}");
            assert!(cookies.iter().all(|cookie| cookie.contains("Max-Age=0")), "{path}: {cookies:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_cannot_be_read_is_not_renewed_and_not_refused() {
    // `GET /auth/sessions` does not read the user itself.
    for settings in [ACCESS, ROTATE] {
        let (_engine, service, tap) = tapped(settings).await;
        let first = service.signup("ada@example.com").await;
        service.pass(NEAR_THE_END);
        tap.spoil(Target::of("GetItem", "PROFILE"), Fault::Status(500));
        let call = service.call("GET", "/auth/sessions").bearer(&first.access);
        assert_nothing_new(&call.header("x-refresh-token", &first.refresh).send().await.expect(200));
        tap.heal();
        assert_eq!(claims(&refresh_ok(&service, &first.refresh).await.refresh)["gen"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reuse_whose_end_cannot_be_written_passes_nobody_and_signs_nobody_out() {
    let (_engine, service, tap) = tapped(ROTATE).await;
    let first = service.signup("ada@example.com").await;
    let second = refresh_ok(&service, &first.refresh).await;
    service.pass(NEAR_THE_END);
    tap.spoil(Target::of("UpdateItem", "revoked_reason"), Fault::Status(500));
    let refused = me(&service, &second.access, &first.refresh).await;
    assert!(refused.status >= 500, "{}", refused.status);
    tap.heal();
    me(&service, &second.access, &first.refresh).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_is_refused_instead_of_renewed() {
    for settings in [ACCESS, ROTATE] {
        let service = Service::start(settings).await;
        let first = service.signup("ada@example.com").await;
        let table = Table::of(&service).await;
        table.set(&table.items_of("PROFILE").await[0], "status", "disabled").await;
        service.pass(NEAR_THE_END);
        let call = service.call("GET", "/auth/sessions").bearer(&first.access);
        call.header("x-refresh-token", &first.refresh).send().await.expect(401);
        assert_eq!(service.audited("access_token_refused"), ["user_disabled"]);
        service.refresh(&first.refresh).await.expect(403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_not_renewed_past_its_absolute_end() {
    let lifetimes = [("REFRESH_TOKEN_EXPIRY", "2h"), ("SESSION_MAX_LIFETIME", "2h")];
    for settings in [ACCESS, ROTATE] {
        let service = Service::start(&[settings, &lifetimes].concat()).await;
        let first = service.signup("ada@example.com").await;
        let end = claims(&first.access)["iat"].as_u64().expect("a time") + 7_200;
        let (mut access, mut refresh) = (first.access, first.refresh);
        let mut renewals = 0;
        while service.now() < end {
            let reply = me(&service, &access, &refresh).await.expect(200);
            if !new_access(&reply).is_empty() {
                renewals += 1;
                new_access(&reply).clone_into(&mut access);
            }
            if !new_refresh(&reply).is_empty() {
                new_refresh(&reply).clone_into(&mut refresh);
            }
            service.pass(100);
        }
        assert_eq!(claims(&access)["exp"], Value::from(end));
        assert_eq!(renewals, 2, "the second one ends with the session, and there is no third");
        service.me(&access).await.expect(401);
        service.refresh(&refresh).await.expect(401);
    }
}

/// A client that refreshes only when it is told to is told while it still can.
#[tokio::test(flavor = "multi_thread")]
async fn no_access_token_is_renewed_up_to_the_end_of_its_refresh_token() {
    let service = Service::start(&[ACCESS, &[("REFRESH_TOKEN_EXPIRY", "150m")]].concat()).await;
    let first = service.signup("ada@example.com").await;
    service.pass(NEAR_THE_END);
    let next = new_access(&service.me(&first.access).await.expect(200)).to_owned();
    service.pass(NEAR_THE_END);
    assert_nothing_new(&service.me(&next).await.expect(200));
    service.pass(100);
    service.me(&next).await.expect(401);
    let second = refresh_ok(&service, &first.refresh).await;
    service.me(&second.access).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_session_is_not_renewed_even_if_nobody_checks_it() {
    for settings in [ACCESS, ROTATE] {
        let service = Service::start(&[settings, &[("SESSION_CHECK", "off")]].concat()).await;
        let first = service.signup("ada@example.com").await;
        service.logout(&first.refresh).await.expect(204);
        service.pass(NEAR_THE_END);
        assert_nothing_new(&me(&service, &first.access, &first.refresh).await.expect(200));
        assert!(service.audited("access_token_refused").is_empty(), "it was not");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_cookie_delivery_the_cookie_is_renewed_and_the_header_is_not_read() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let settings = [ROTATE, &[("TOKEN_DELIVERY", "cookie")]].concat();
        let service = Service::start_behind(&settings, kind, Some("/api/v1")).await;
        let signup = service.try_signup("ada@example.com").await.expect(201);
        let access = signup.body["accessToken"].as_str().expect("a token").to_owned();
        let cookie = signup.cookies()[0].split(';').next().expect("a cookie").to_owned();
        let (_, refresh) = cookie.split_once('=').expect("a value");
        service.pass(NEAR_THE_END);
        assert_nothing_new(&me(&service, &access, refresh).await.expect(200));
        let call =
            service.call("GET", "/auth/me").bearer(&access).header("cookie", &format!("a=b; {cookie}"));
        let reply = call.send().await.expect(200);
        assert!(!new_access(&reply).is_empty() && new_refresh(&reply).is_empty());
        let set = reply.cookies();
        assert_eq!(set.len(), 1, "{set:?}");
        assert!(set[0].starts_with("__Secure-refresh_token=") && !set[0].contains(refresh), "{set:?}");
        for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/api/v1/auth", "Max-Age=2592000"] {
            assert!(set[0].contains(attribute), "{set:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_allows_the_headers_of_a_renewal() {
    let service = Service::start(ROTATE).await;
    let call = service.call("OPTIONS", "/auth/me").header("origin", ORIGIN);
    let call = call.header("access-control-request-method", "GET");
    let names = "x-refresh-token,x-refresh-idempotency-key";
    let reply = call.header("access-control-request-headers", names).send().await;
    let allowed = reply.header("access-control-allow-headers").to_ascii_lowercase();
    for name in names.split(',') {
        assert!(allowed.contains(name), "{allowed}");
    }
}
