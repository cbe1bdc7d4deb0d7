//! With cookies, and behind every kind of gateway: what goes wrong on the way to the table takes no cookie away.

use local::api::ApiKind;

use crate::support::Service;
use crate::support::http::{Call, Reply};
use crate::support::tap::{Fault, Tap, Target};

const FAULTS: [Fault; 8] = [
    Fault::LoseRequest,
    Fault::LoseAnswer,
    Fault::Status(500),
    Fault::Status(503),
    Fault::Refuse("ThrottlingException"),
    Fault::Refuse("TransactionConflictException"),
    Fault::Truncate,
    Fault::Garble("<html>"),
];

const TARGETS: [Target; 2] = [Target::of("GetItem", "PROFILE"), Target::of("UpdateItem", "SESSION#")];

/// The cookie as a browser sends it back.
fn cookie(reply: &Reply) -> String {
    let [cookie] = reply.cookies()[..] else { panic!("{:?}", reply.headers) };
    cookie.split(';').next().expect("a cookie").to_owned()
}

fn unavailable(reply: &Reply) {
    assert_eq!((reply.status, reply.code()), (503, "temporarily_unavailable"), "{}", reply.body);
    assert_eq!(reply.header("retry-after"), "1");
    assert!(reply.cookies().is_empty(), "a failure changes no cookie: {:?}", reply.cookies());
}

async fn start(kind: ApiKind) -> (Service, Service, Tap) {
    let engine = Service::start(&[]).await;
    let tap = Tap::start(engine.stack.store_endpoint()).await;
    let settings = [("TOKEN_DELIVERY", "cookie"), ("SIGNUP_LIMIT_PER_IP", "0")];
    let service = Service::start_behind_at(&settings, kind, &tap.url).await;
    (engine, service, tap)
}

fn call<'a>(service: &'a Service, path: &str, cookie: &str) -> Call<'a> {
    service.call("POST", path).header("sec-fetch-site", "same-origin").header("cookie", cookie)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_fails_keeps_its_cookie_and_the_retry_gets_the_one_successor() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let (_engine, service, tap) = start(kind).await;
        for (number, (target, fault)) in
            TARGETS.iter().flat_map(|target| FAULTS.map(|fault| (*target, fault))).enumerate()
        {
            let first = cookie(&service.try_signup(&format!("user{number}@example.com")).await.expect(201));
            tap.spoil(target, fault);
            unavailable(&call(&service, "/auth/refresh", &first).send().await);
            tap.heal();
            let second = cookie(&call(&service, "/auth/refresh", &first).send().await.expect(200));
            let again = cookie(&call(&service, "/auth/refresh", &first).send().await.expect(200));
            assert_eq!(second, again, "{target:?} {fault:?}");
            call(&service, "/auth/refresh", &second).send().await.expect(200);
        }
        assert_eq!(service.audited("refresh_token_reused").len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_fails_keeps_the_cookie_that_the_retry_needs() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let (_engine, service, tap) = start(kind).await;
        for (number, fault) in FAULTS.into_iter().enumerate() {
            let reply = service.try_signup(&format!("user{number}@example.com")).await.expect(201);
            let (first, access) = (cookie(&reply), reply.body["accessToken"].as_str().expect("a token"));
            tap.spoil(TARGETS[1], fault);
            unavailable(&call(&service, "/auth/logout", &first).send().await);
            tap.heal();
            let reply = call(&service, "/auth/logout", &first).send().await.expect(204);
            assert!(reply.cookies()[0].contains("Max-Age=0"), "{:?}", reply.cookies());
            service.me(access).await.expect(401);
            call(&service, "/auth/refresh", &first).send().await.expect(401);
        }
    }
}
