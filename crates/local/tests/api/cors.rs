//! Cross-origin requests, from every origin on the list.

use crate::support::Service;
use crate::support::http::Reply;

const ORIGINS: [&str; 2] = ["https://app.example.com", "http://localhost:5173"];
const PATHS: [&str; 11] = [
    "/auth/signup",
    "/auth/register",
    "/auth/login",
    "/auth/refresh",
    "/auth/logout",
    "/auth/revoke-all",
    "/auth/password",
    "/auth/me",
    "/auth/sessions",
    "/auth/sessions/abc",
    "/.well-known/jwks.json",
];

async fn start(delivery: &str) -> Service {
    let origins = ORIGINS.join(",");
    Service::start(&[("CORS_ALLOWED_ORIGINS", &origins), ("TOKEN_DELIVERY", delivery)]).await
}

fn list(reply: &Reply, name: &str) -> Vec<String> {
    reply.header(name).split(',').map(|value| value.trim().to_lowercase()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_is_answered_for_every_origin_and_path_without_a_token() {
    let service = start("body").await;
    for origin in ORIGINS {
        for path in PATHS {
            let call = service.call("OPTIONS", path).header("origin", origin);
            let call = call.header("access-control-request-method", "PATCH");
            let reply = call
                .header("access-control-request-headers", "authorization,content-type")
                .send()
                .await
                .expect(200);
            assert_eq!(reply.header("access-control-allow-origin"), origin, "{path}");
            for method in ["get", "post", "patch", "delete"] {
                assert!(list(&reply, "access-control-allow-methods").contains(&method.to_owned()));
            }
            for header in ["authorization", "content-type", "idempotency-key", "x-refresh-token"] {
                assert!(list(&reply, "access-control-allow-headers").contains(&header.to_owned()));
            }
            assert_eq!(reply.header("access-control-allow-credentials"), "");
            assert!(list(&reply, "vary").contains(&"origin".to_owned()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_origin_is_not_allowed() {
    let service = start("body").await;
    let call = service.call("OPTIONS", "/auth/login").header("origin", "https://evil.example.com");
    let reply = call.header("access-control-request-method", "POST").send().await;
    assert_eq!(reply.header("access-control-allow-origin"), "");
    let call = service.call("POST", "/auth/login").header("origin", "https://evil.example.com");
    assert_eq!(call.send().await.header("access-control-allow-origin"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_can_be_read_by_the_page_that_asked() {
    for (delivery, credentials) in [("body", ""), ("cookie", "true")] {
        let service = start(delivery).await;
        for origin in ORIGINS {
            let by_function =
                service.call("POST", "/auth/login").header("origin", origin).send().await.expect(415);
            let by_gateway =
                service.call("GET", "/auth/me").header("origin", origin).send().await.expect(401);
            let by_authorizer =
                service.call("GET", "/auth/me").header("origin", origin).bearer("x").send().await.expect(401);
            let unknown = service.call("GET", "/nothing").header("origin", origin).send().await.expect(404);
            for reply in [by_function, by_gateway, by_authorizer, unknown] {
                assert_eq!(reply.header("access-control-allow-origin"), origin, "{}", reply.body);
                assert_eq!(reply.header("access-control-allow-credentials"), credentials, "{}", reply.body);
                let exposed = list(&reply, "access-control-expose-headers");
                for header in ["x-new-token", "x-new-access-token", "x-new-refresh-token", "retry-after"] {
                    assert!(exposed.contains(&header.to_owned()), "{}", reply.body);
                }
                assert!(list(&reply, "vary").contains(&"origin".to_owned()), "{}", reply.body);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_star_any_origin_may_call() {
    let service = Service::start(&[("CORS_ALLOWED_ORIGINS", "*")]).await;
    let reply = service.call("POST", "/auth/login").header("origin", "https://any.example").send().await;
    assert_eq!(reply.header("access-control-allow-origin"), "*");
}
