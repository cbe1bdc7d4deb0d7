//! Requests that are not as documented.

use local::api::ApiKind;
use serde_json::{Value, json};

use crate::support::http::Call;
use crate::support::{NEW_PASSWORD, PASSWORD, Service, tokens};

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_16_kib_is_read_and_a_larger_one_is_not() {
    let service = Service::start(&[]).await;
    let fill = |length: usize| {
        let base = json!({"email": "ada@example.com", "password": PASSWORD, "fill": ""}).to_string().len();
        json!({"email": "ada@example.com", "password": PASSWORD, "fill": "x".repeat(length - base)})
    };
    let reply = service.call("POST", "/auth/login").json(&fill(16_385)).send().await.expect(413);
    assert_eq!(reply.code(), "payload_too_large");
    service.call("POST", "/auth/login").json(&fill(16_384)).send().await.expect(401);
}

/// Every route with a body, without a body that it could act on.
const WITH_BODY: [(&str, &str); 7] = [
    ("POST", "/auth/signup"),
    ("POST", "/auth/register"),
    ("POST", "/auth/login"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/logout"),
    ("POST", "/auth/password"),
    ("PATCH", "/auth/me"),
];

/// A JSON body of a type, or of none.
fn typed<'a>(service: &'a Service, method: &str, path: &str, content_type: Option<&str>) -> Call<'a> {
    let call = service.call(method, path).header("sec-fetch-site", "same-origin").body("[]");
    match content_type {
        Some(content_type) => call.header("content-type", content_type),
        None => call,
    }
}

async fn access(service: &Service) -> String {
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let call = service.call("POST", "/auth/signup").header("sec-fetch-site", "same-origin").json(&body);
    call.send().await.expect(201).body["accessToken"].as_str().expect("a token").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_type_is_refused() {
    for delivery in ["body", "cookie"] {
        let service = Service::start(&[("TOKEN_DELIVERY", delivery)]).await;
        let access = access(&service).await;
        for (method, path) in WITH_BODY {
            for content_type in [
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "application/jsonp",
                "text/html",
                "text/plain; charset=iso-8859-1",
            ] {
                let call = typed(&service, method, path, Some(content_type)).bearer(&access);
                assert_eq!(call.send().await.expect(415).code(), "unsupported_media_type", "{content_type}");
            }
            let twice = typed(&service, method, path, Some("text/plain")).bearer(&access);
            twice.header("content-type", "application/json").send().await.expect(415);
            for content_type in
                ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"]
            {
                let call = typed(&service, method, path, Some(content_type)).bearer(&access);
                assert_eq!(call.send().await.expect(400).code(), "invalid_request", "{content_type}");
            }
        }
    }
}

/// What `fetch` sends for a text, and `curl --json` without its header: with cookies any page could send it, with the cookie.
#[tokio::test(flavor = "multi_thread")]
async fn json_without_its_type_is_read_with_body_delivery_alone() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        for (delivery, status) in [("body", 400), ("cookie", 415)] {
            let service = Service::start_behind(&[("TOKEN_DELIVERY", delivery)], kind, None).await;
            let access = access(&service).await;
            for (method, path) in WITH_BODY {
                for content_type in [None, Some(""), Some("text/plain"), Some("Text/Plain;charset=UTF-8")] {
                    let call = typed(&service, method, path, content_type).bearer(&access);
                    let reply = call.send().await;
                    assert_eq!(
                        reply.status, status,
                        "{kind:?} {delivery} {path} {content_type:?}: {}",
                        reply.body
                    );
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_needs_no_content_type_with_body_delivery() {
    let service = Service::start(&[]).await;
    let post = |path: &str, body: &Value| service.call("POST", path).body(body.to_string()).send();
    let account = json!({"email": "ada@example.com", "password": PASSWORD});
    post("/auth/signup", &account).await.expect(201);
    let login = tokens(&post("/auth/login", &account).await.expect(200).body);
    let refresh = post("/auth/refresh", &json!({"refreshToken": login.refresh})).await.expect(200);
    let change = service.call("PATCH", "/auth/me").bearer(&login.access).body(r#"{"displayName":"Ada"}"#);
    change.send().await.expect(200);
    post("/auth/logout", &json!({"refreshToken": tokens(&refresh.body).refresh})).await.expect(204);
}

/// Without a preflight, every visitor of a foreign page could be made to try passwords from their own network.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_has_to_name_the_type() {
    let listed = "https://app.example.com";
    let service = Service::start(&[("CORS_ALLOWED_ORIGINS", listed)]).await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD}).to_string();
    let login = || service.call("POST", "/auth/login").body(body.clone());
    for content_type in ["text/plain;charset=UTF-8", ""] {
        for (origin, site, status) in [
            (listed, "cross-site", 401),
            ("https://own.example", "same-origin", 401),
            ("https://evil.example", "cross-site", 415),
            ("https://sibling.example.com", "same-site", 415),
            ("null", "cross-site", 415),
        ] {
            let call = login().header("content-type", content_type).header("origin", origin);
            let reply = call.header("sec-fetch-site", site).send().await;
            assert_eq!(reply.status, status, "{origin} {site}: {}", reply.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_object_is_refused() {
    let service = Service::start(&[]).await;
    let bodies: [&[u8]; 8] = [
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{\"email\":\"\xff\"}",
        b"",
        b"{\"email\":1,\"email\":2}",
        b"\"x\"",
    ];
    for body in bodies {
        let call = service
            .call("POST", "/auth/login")
            .header("content-type", "application/json")
            .body(body.to_vec());
        let reply = call.send().await.expect(400);
        assert_eq!(reply.code(), "invalid_request", "{}", String::from_utf8_lossy(body));
    }
    let deep = format!("{{\"email\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    service
        .call("POST", "/auth/login")
        .header("content-type", "application/json")
        .body(deep)
        .send()
        .await
        .expect(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_route_or_method_does_not_exist() {
    let service = Service::start(&[]).await;
    for (method, path) in [
        ("GET", "/auth/login"),
        ("POST", "/auth/nothing"),
        ("GET", "/"),
        ("PUT", "/auth/me"),
        ("POST", "/auth/login/x"),
    ] {
        assert_eq!(
            service.call(method, path).send().await.expect(404).code(),
            "not_found",
            "{method} {path}"
        );
    }
}

/// RFC 9110 §15.5.2. A REST API renames the header of a function.
#[tokio::test(flavor = "multi_thread")]
async fn every_401_has_a_challenge_and_only_bad_access_tokens_a_bearer_challenge() {
    for (kind, header) in
        [(ApiKind::Rest, "x-amzn-remapped-www-authenticate"), (ApiKind::Http, "www-authenticate")]
    {
        for delivery in ["body", "cookie"] {
            let service = Service::start_behind(&[("TOKEN_DELIVERY", delivery)], kind, None).await;
            let access = access(&service).await;
            let post = |path: &str, body: &Value| {
                service.call("POST", path).header("sec-fetch-site", "same-origin").json(body)
            };
            let wrong = json!({"email": "ada@example.com", "password": "not the password"});
            let unknown = json!({"email": "bob@example.com", "password": PASSWORD});
            let change = json!({"currentPassword": "not the password", "newPassword": NEW_PASSWORD});
            for (call, code) in [
                (post("/auth/login", &wrong), "invalid_credentials"),
                (post("/auth/login", &unknown), "invalid_credentials"),
                (post("/auth/password", &change).bearer(&access), "invalid_credentials"),
                (post("/auth/refresh", &json!({"refreshToken": "x"})), "invalid_grant"),
                (post("/auth/refresh", &json!({"refreshToken": access})), "invalid_grant"),
                (post("/auth/refresh", &json!({})).bearer(&access), "invalid_grant"),
            ] {
                let reply = call.send().await.expect(401);
                assert_eq!(reply.code(), code);
                assert_eq!(reply.header(header), format!("Latchkey error=\"{code}\""));
            }
        }
    }
}
