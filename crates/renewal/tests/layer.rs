//! The layer and the principal, with the events that API Gateway sends.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails may panic; clippy's own exemption does not cover functions that tests share"
)]

use http::{HeaderMap, Response, StatusCode};
use lambda_http::Request;
use renewal::{NoPrincipal, Principal, RenewalLayer, SessionEnded};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

/// The events, and where the authorizer's context is in each.
const EVENTS: [(&str, &str, &str); 3] = [
    ("REST", include_str!("../../../events/me.json"), "/requestContext/authorizer"),
    ("HTTP API 2.0", include_str!("../../../events/me-http.json"), "/requestContext/authorizer/lambda"),
    ("HTTP API 1.0", include_str!("../../../events/me.json"), "/requestContext/authorizer"),
];

/// The event of each gateway, with `context` as what the authorizer said.
fn requests(context: &Value) -> Vec<(&'static str, Request)> {
    let request = |name, event: &str, pointer| {
        let mut event: Value = serde_json::from_str(event).expect("JSON");
        *event.pointer_mut(pointer).expect("an authorizer's context") = context.clone();
        if name == "HTTP API 1.0" {
            event["version"] = json!("1.0");
        }
        lambda_http::request::from_str(&event.to_string()).expect("a request")
    };
    EVENTS.map(|(name, event, pointer)| (name, request(name, event, pointer))).into()
}

/// What the client gets of an answer of the function.
async fn answered(request: Request, answer: Response<&'static str>) -> HeaderMap {
    let mut answer = Some(answer);
    let function = service_fn(move |_: Request| {
        let answer = answer.take().expect("one request");
        async { Ok::<_, std::convert::Infallible>(answer) }
    });
    let answer = RenewalLayer.layer(function).oneshot(request).await;
    answer.expect("an answer").headers().clone()
}

fn context(more: &Value) -> Value {
    let mut context = json!({"userId": "u-1", "sessionId": "s-1", "email": "ada@example.com"});
    let more = more.as_object().expect("members").clone();
    context.as_object_mut().expect("members").extend(more);
    context
}

fn lines<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers.get_all(name).iter().map(|value| value.to_str().expect("text")).collect()
}

#[tokio::test]
async fn an_answer_without_renewed_tokens_stays_as_it_is() {
    for renewed in [json!({}), json!({"newAccessToken": ""}), json!({"newAccessToken": 7})] {
        for (name, request) in requests(&context(&renewed)) {
            let answer = Response::builder().header("cache-control", "max-age=60").body("");
            let headers = answered(request, answer.expect("an answer")).await;
            assert_eq!(headers.len(), 1, "{name}");
            assert_eq!(headers["cache-control"], "max-age=60", "{name}");
        }
    }
}

#[tokio::test]
async fn renewed_tokens_become_headers_of_any_answer_and_nobody_keeps_it() {
    let renewed = json!({"newAccessToken": "a.b.c", "newRefreshToken": "d.e.f"});
    for status in [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::INTERNAL_SERVER_ERROR] {
        for (name, request) in requests(&context(&renewed)) {
            let answer = Response::builder().status(status).header("cache-control", "max-age=60").body("");
            let headers = answered(request, answer.expect("an answer")).await;
            for (header, value) in [
                ("x-new-token", "a.b.c"),
                ("x-new-access-token", "a.b.c"),
                ("x-new-refresh-token", "d.e.f"),
                ("cache-control", "no-store"),
                ("pragma", "no-cache"),
            ] {
                assert_eq!(lines(&headers, header), [value], "{name}: {header}");
            }
            assert!(!headers.contains_key("set-cookie"));
        }
    }
}

#[tokio::test]
async fn a_renewed_cookie_is_set_beside_the_functions_own() {
    let renewed =
        json!({"newAccessToken": "a.b.c", "newRefreshCookie": "__Secure-refresh_token=d.e.f; Secure"});
    for (name, request) in requests(&context(&renewed)) {
        let answer = Response::builder().header("set-cookie", "theme=dark").body("").expect("an answer");
        let headers = answered(request, answer).await;
        let cookies = ["theme=dark", "__Secure-refresh_token=d.e.f; Secure"];
        assert_eq!(lines(&headers, "set-cookie"), cookies, "{name}");
        assert!(!headers.contains_key("x-new-refresh-token"));
    }
}

#[tokio::test]
async fn scripts_that_may_read_the_answer_may_read_the_tokens() {
    let renewed = || context(&json!({"newAccessToken": "a.b.c"}));
    let names = "x-new-token, x-new-access-token, x-new-refresh-token";
    for (own, expected) in [
        (&[][..], &[][..]),
        (&[("access-control-allow-origin", "*")], &[names]),
        (
            &[("access-control-allow-origin", "*"), ("access-control-expose-headers", "etag")],
            &["etag", names],
        ),
        (
            &[("access-control-allow-origin", "*"), ("access-control-expose-headers", "etag, X-New-Token")],
            &["etag, X-New-Token", "x-new-access-token, x-new-refresh-token"],
        ),
    ] {
        for (name, request) in requests(&renewed()) {
            let answer =
                own.iter().fold(Response::builder(), |answer, (name, value)| answer.header(*name, *value));
            let headers = answered(request, answer.body("").expect("an answer")).await;
            assert_eq!(lines(&headers, "access-control-expose-headers"), expected, "{name}");
        }
    }
}

#[tokio::test]
async fn a_function_that_has_ended_the_session_hands_nothing_over() {
    for (name, request) in requests(&context(&json!({"newAccessToken": "a.b.c", "newRefreshCookie": "x=y"})))
    {
        let mut answer = Response::new("");
        answer.extensions_mut().insert(SessionEnded);
        assert!(answered(request, answer).await.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_token_that_is_no_header_value_is_left_out() {
    for (name, request) in requests(&context(&json!({"newAccessToken": "a\r\nset-cookie: x=y"}))) {
        assert!(answered(request, Response::new("")).await.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn an_error_of_the_function_stays_one() {
    let function = service_fn(async |_: Request| Err::<Response<&str>, _>("broken"));
    let (_, request) = requests(&context(&json!({"newAccessToken": "a.b.c"}))).remove(0);
    assert_eq!(RenewalLayer.layer(function).oneshot(request).await.err(), Some("broken"));
}

#[test]
fn the_principal_is_whom_the_authorizer_named() {
    for (name, request) in requests(&context(&json!({"name": "Ada"}))) {
        let principal = Principal::of(&request).expect(name);
        assert_eq!((principal.user_id.as_str(), principal.session_id.as_str()), ("u-1", "s-1"), "{name}");
        assert_eq!((principal.email.as_str(), principal.name.as_deref()), ("ada@example.com", Some("Ada")));
    }
    for (value, verified) in [("true", true), ("false", false), ("", false), ("TRUE", false)] {
        let context = context(&json!({"emailVerified": value}));
        for (name, request) in requests(&context) {
            assert_eq!(Principal::of(&request).expect(name).email_verified, verified, "{name}: {value}");
        }
        let principal: Principal = serde_json::from_value(context).expect("a principal");
        assert_eq!(principal.email_verified, verified, "{value}");
    }
    for (name, request) in requests(&context(&json!({}))) {
        assert_eq!(Principal::of(&request).expect(name).name, None);
        assert!(!Principal::of(&request).expect(name).email_verified, "an authorizer of the first edition");
    }
}

#[test]
fn without_the_authorizer_there_is_no_principal() {
    for missing in ["userId", "sessionId", "email"] {
        for value in [Value::Null, json!(""), json!(7), json!({"S": "u-1"})] {
            for (name, request) in requests(&context(&json!({missing: value}))) {
                assert_eq!(Principal::of(&request), Err(NoPrincipal), "{name}: {missing}");
            }
        }
    }
    assert_eq!(Principal::of(&Request::default()), Err(NoPrincipal));
}
