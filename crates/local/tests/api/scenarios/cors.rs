//! Pages of other origins: preflights, answers, and the gateway's own errors.

use super::world::{ORIGINS, World, list};
use crate::support::http::Reply;

const PATHS: [&str; 11] = [
    "/auth/signup",
    "/auth/register",
    "/auth/login",
    "/auth/refresh",
    "/auth/logout",
    "/auth/revoke-all",
    "/auth/me",
    "/auth/sessions",
    "/auth/sessions/abc",
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_of_every_route_is_answered_for_each_origin_without_a_token() {
    let world = World::open().await;
    for path in PATHS {
        for origin in ORIGINS {
            let call = world.call("OPTIONS", path).header("origin", origin);
            let call = call.header("access-control-request-method", "PATCH");
            let names = "authorization,content-type,idempotency-key,x-refresh-token,traceparent,baggage";
            let reply = call.header("access-control-request-headers", names).send().await.expect(200);
            assert_eq!(reply.header("access-control-allow-origin"), origin, "{path}");
            for method in ["get", "post", "patch", "delete"] {
                assert!(list(&reply, "access-control-allow-methods").contains(&method.to_owned()), "{path}");
            }
            let allowed = list(&reply, "access-control-allow-headers");
            assert_eq!(allowed, names.split(',').collect::<Vec<_>>(), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_origin_is_not_allowed() {
    let world = World::open().await;
    let call = world.call("OPTIONS", "/auth/login").header("origin", "https://evil.example.com");
    let preflight = call.header("access-control-request-method", "POST").send().await;
    assert_eq!(preflight.header("access-control-allow-origin"), "");
    let call = world.call("POST", "/auth/login").header("origin", "https://evil.example.com");
    assert_eq!(call.send().await.header("access-control-allow-origin"), "");
}

/// A page that cannot read a 401 cannot refresh.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_can_be_read_by_the_page_that_asked_whoever_gave_it() {
    let world = World::open().await;
    for origin in ORIGINS {
        let call = |method: &str, path: &str| world.call(method, path).header("origin", origin);
        let by_function = call("POST", "/auth/login").send().await.expect(400);
        let without_token = call("GET", "/auth/me").send().await.expect(401);
        let by_authorizer = call("GET", "/auth/me").bearer("x").send().await.expect(401);
        let no_route = call("GET", "/nothing").send().await.expect(404);
        for reply in [by_function, without_token, by_authorizer, no_route] {
            assert_readable(&reply, origin);
        }
    }
}

#[track_caller]
fn assert_readable(reply: &Reply, origin: &str) {
    assert_eq!(reply.header("access-control-allow-origin"), origin, "{}", reply.body);
    assert_eq!(reply.header("access-control-allow-credentials"), "", "{}", reply.body);
    let exposed = list(reply, "access-control-expose-headers");
    for header in ["x-new-token", "x-new-access-token", "x-new-refresh-token", "retry-after"] {
        assert!(exposed.contains(&header.to_owned()), "{}", reply.body);
    }
    assert!(list(reply, "vary").contains(&"origin".to_owned()), "{}", reply.body);
}
