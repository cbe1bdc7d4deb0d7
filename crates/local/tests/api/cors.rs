//! Cross-origin requests, from every origin on the list.

use local::api::ApiKind;
use local::stack::{Options, Stack};
use serde_json::json;

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
            let names = "authorization,content-type,idempotency-key,x-refresh-token,traceparent,sentry-trace";
            let reply = call.header("access-control-request-headers", names).send().await.expect(200);
            assert_eq!(reply.header("access-control-allow-origin"), origin, "{path}");
            for method in ["get", "post", "patch", "delete"] {
                assert!(list(&reply, "access-control-allow-methods").contains(&method.to_owned()));
            }
            assert_eq!(list(&reply, "access-control-allow-headers"), names.split(',').collect::<Vec<_>>());
            assert_eq!(reply.header("access-control-allow-credentials"), "");
            for name in ["origin", "access-control-request-headers"] {
                assert!(list(&reply, "vary").contains(&name.to_owned()), "{path}: {name}");
            }
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

/// A page with a library for tracing adds headers of its own to every request.
#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_allows_the_headers_that_it_asks_for() {
    for (origins, allowed) in [("*", "*"), (ORIGINS[0], ORIGINS[0]), ("https://*.example.com", ORIGINS[0])] {
        for kind in [ApiKind::Rest, ApiKind::Http] {
            let service = Service::start_behind(&[("CORS_ALLOWED_ORIGINS", origins)], kind, None).await;
            for names in [
                "authorization,baggage,content-type,sentry-trace,traceparent,tracestate",
                "x-datadog-origin,x-datadog-parent-id,x-datadog-sampling-priority,x-datadog-trace-id",
                "x-requested-with",
                "b3,x-b3-spanid,x-amzn-trace-id,request-id,newrelic,uber-trace-id,x-device-token",
            ] {
                let call = service.call("OPTIONS", "/auth/login").header("origin", ORIGINS[0]);
                let call = call.header("access-control-request-method", "POST");
                let reply = call.header("access-control-request-headers", names).send().await.expect(200);
                assert_eq!(reply.header("access-control-allow-origin"), allowed);
                assert_eq!(reply.header("access-control-allow-headers"), names);
                assert_eq!(reply.header("access-control-allow-credentials"), "");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wildcard_allows_one_label_and_only_without_cookies() {
    let settings = [("CORS_ALLOWED_ORIGINS", "https://app.example.com,https://*.preview.example.com")];
    let service = Service::start(&settings).await;
    for (origin, allowed) in [
        ("https://app.example.com", true),
        ("https://feature-1.preview.example.com", true),
        ("https://preview.example.com", false),
        ("https://a.b.preview.example.com", false),
        ("https://apreview.example.com", false),
        ("https://evil.example", false),
    ] {
        let preflight = service.call("OPTIONS", "/auth/login").header("origin", origin);
        let preflight = preflight.header("access-control-request-method", "POST");
        let answer = service.call("POST", "/auth/login").header("origin", origin).json(&json!({}));
        for call in [preflight, answer] {
            let reply = call.send().await;
            let expected = if allowed { origin } else { "" };
            assert_eq!(reply.header("access-control-allow-origin"), expected, "{origin}");
            assert!(list(&reply, "vary").contains(&"origin".to_owned()), "{origin}");
        }
    }
    let options = Options::for_testing().with("TOKEN_DELIVERY", "cookie").with(settings[0].0, settings[0].1);
    let fault = Stack::start(options).await.expect_err("no start").to_string();
    let expected = "CORS_ALLOWED_ORIGINS may have no wildcard with TOKEN_DELIVERY=cookie";
    assert!(fault.starts_with(expected), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wildcard_below_a_public_suffix_does_not_start_locally() {
    let options = Options::for_testing().with("CORS_ALLOWED_ORIGINS", "https://*.vercel.app");
    let fault = Stack::start(options).await.expect_err("no start").to_string();
    assert!(fault.contains("vercel.app, which is a public suffix"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_can_be_read_by_the_page_that_asked() {
    for (delivery, credentials) in [("body", ""), ("cookie", "true")] {
        for kind in [ApiKind::Rest, ApiKind::Http] {
            let origins = ORIGINS.join(",");
            let settings = [("CORS_ALLOWED_ORIGINS", origins.as_str()), ("TOKEN_DELIVERY", delivery)];
            let service = Service::start_behind(&settings, kind, None).await;
            for origin in ORIGINS {
                let call = |method: &str, path: &str| service.call(method, path).header("origin", origin);
                let by_function = call("POST", "/auth/login").json(&json!({})).send().await.expect(400);
                let by_gateway = call("GET", "/auth/me").send().await.expect(401);
                let by_authorizer = call("GET", "/auth/me").bearer("x").send().await.expect(401);
                let unknown = call("GET", "/nothing").send().await.expect(404);
                for reply in [by_function, by_gateway, by_authorizer, unknown] {
                    let what = format!("{kind:?}: {}", reply.body);
                    assert_eq!(reply.header("access-control-allow-origin"), origin, "{what}");
                    assert_eq!(reply.header("access-control-allow-credentials"), credentials, "{what}");
                    let exposed = list(&reply, "access-control-expose-headers");
                    for header in ["x-new-token", "x-new-access-token", "x-new-refresh-token", "retry-after"]
                    {
                        assert!(exposed.contains(&header.to_owned()), "{what}");
                    }
                    assert!(list(&reply, "vary").contains(&"origin".to_owned()), "{what}");
                }
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
