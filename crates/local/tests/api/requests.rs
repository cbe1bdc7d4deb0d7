//! Requests that are not as documented.

use serde_json::json;

use crate::support::{PASSWORD, Service};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_type_is_refused() {
    let service = Service::start(&[]).await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD}).to_string();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "",
        "multipart/form-data; boundary=x",
    ] {
        let call =
            service.call("POST", "/auth/login").header("content-type", content_type).body(body.clone());
        assert_eq!(call.send().await.expect(415).code(), "unsupported_media_type", "{content_type}");
    }
    for content_type in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"] {
        let call =
            service.call("POST", "/auth/login").header("content-type", content_type).body(body.clone());
        assert_eq!(call.send().await.expect(401).code(), "invalid_credentials", "{content_type}");
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
