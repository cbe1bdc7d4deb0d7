//! Requests through the whole gateway, their events compared with the samples that AWS documents.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use super::testing::{api, fails, function, gateway, request, source};
use super::*;
use crate::api::{Authorizer, AuthorizerPayload, Cors, GatewayResponse, IdentitySource, ManagedCors};
use crate::invoke::FunctionError;

const OK: &str = r#"{"statusCode": 200, "body": "{}"}"#;

/// The event that the function gets for `client`.
async fn event(api: Api, base_path: Option<&str>, client: ClientRequest) -> Value {
    let seen = Arc::new(Mutex::new(Value::Null));
    let noted = Arc::clone(&seen);
    let says = move |event: Value| {
        *noted.lock().unwrap() = event;
        Ok(serde_json::from_str(OK).unwrap())
    };
    let functions = BTreeMap::from([("F".to_owned(), function(says))]);
    let gateway = Gateway::new(api, functions, base_path.map(str::to_owned), source());
    assert_eq!(gateway.answer(client).await.status(), 200);
    let event = seen.lock().unwrap();
    event.clone()
}

fn with_body(mut client: ClientRequest, body: &'static [u8]) -> ClientRequest {
    client.body = Some(Bytes::from_static(body));
    client
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

fn header<'a>(response: &'a Response<Bytes>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

/// What a function's output becomes.
async fn answered(kind: ApiKind, output: Value) -> Response<Bytes> {
    gateway(api(kind, &[("GET", "/a")]), move |_| Ok(output.clone())).answer(request("GET", "/a", &[])).await
}

fn browser() -> ClientRequest {
    request(
        "POST",
        "/pets/dog%201?name=me&multi=you&multi=me%20too",
        &[
            ("Host", "api.example.com:8080"),
            ("User-Agent", "curl/8"),
            ("Authorization", "Bearer x"),
            ("Content-Type", "application/json"),
            ("Content-Length", "8"),
            ("X-Two", "1"),
            ("X-Two", "2"),
            ("Cookie", "a=1; b=2"),
        ],
    )
}

#[tokio::test]
async fn a_rest_event_has_every_field_of_the_documented_sample() {
    let api = api(ApiKind::Rest, &[("POST", "/pets/{id}")]);
    let event = event(api, None, with_body(browser(), br#"{"a": 1}"#)).await;
    assert_eq!(
        keys(&event),
        [
            "body",
            "headers",
            "httpMethod",
            "isBase64Encoded",
            "multiValueHeaders",
            "multiValueQueryStringParameters",
            "path",
            "pathParameters",
            "queryStringParameters",
            "requestContext",
            "resource",
            "stageVariables",
        ]
    );
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(r#"{"a": 1}"#), &json!(false)));
    assert_eq!((&event["resource"], &event["path"]), (&json!("/pets/{id}"), &json!("/pets/dog%201")));
    assert_eq!(event["pathParameters"], json!({"id": "dog%201"}));
    assert_eq!(event["queryStringParameters"], json!({"name": "me", "multi": "me too"}));
    assert_eq!(event["multiValueQueryStringParameters"], json!({"name": ["me"], "multi": ["you", "me too"]}));
    assert_eq!(event["stageVariables"], Value::Null);
    assert_eq!(
        event["headers"],
        json!({
            "Authorization": "Bearer x",
            "Host": "api.example.com:8080",
            "User-Agent": "curl/8",
            "X-Amzn-Trace-Id": "Root=1-5e6a879e-000000000000000000000000",
            "X-Forwarded-For": "203.0.113.7",
            "X-Forwarded-Port": "8080",
            "X-Forwarded-Proto": "http",
            "content-type": "application/json",
            "cookie": "a=1; b=2",
            "x-two": "2",
        })
    );
    assert_eq!(event["multiValueHeaders"]["x-two"], json!(["1", "2"]));
}

#[tokio::test]
async fn the_context_of_a_rest_event_is_the_documented_one() {
    let mut context =
        event(api(ApiKind::Rest, &[("POST", "/pets/{id}")]), None, browser()).await["requestContext"].take();
    let resource_id = context["resourceId"].take();
    assert_eq!(resource_id.as_str().map(str::len), Some(6));
    assert_eq!(
        context,
        json!({
            "resourceId": null,
            "resourcePath": "/pets/{id}",
            "httpMethod": "POST",
            "extendedRequestId": "HAAAAAAAAAAAAAA=",
            "requestTime": "12/Mar/2020:19:03:58 +0000",
            "path": "/pets/dog%201",
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "domainPrefix": "api",
            "requestTimeEpoch": 1_584_039_838_000_u64,
            "requestId": "00000000-0000-4000-8000-000000000007",
            "identity": {
                "cognitoIdentityPoolId": null,
                "accountId": null,
                "cognitoIdentityId": null,
                "caller": null,
                "sourceIp": "203.0.113.7",
                "principalOrgId": null,
                "accessKey": null,
                "cognitoAuthenticationType": null,
                "cognitoAuthenticationProvider": null,
                "userArn": null,
                "userAgent": "curl/8",
                "user": null,
            },
            "domainName": "api.example.com",
            "deploymentId": "local1",
            "apiId": "api",
        })
    );
}

#[tokio::test]
async fn what_a_rest_request_lacks_is_null() {
    let event = event(api(ApiKind::Rest, &[("GET", "/a")]), None, request("GET", "/a", &[])).await;
    for name in [
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
    ] {
        assert_eq!(event.get(name), Some(&Value::Null), "{name}");
    }
}

#[tokio::test]
async fn an_http_event_has_every_field_of_the_documented_sample() {
    let mut api = api(ApiKind::Http, &[("POST", "/pets/{id}")]);
    api.stage_variables.insert("stageVariable1".to_owned(), "value1".to_owned());
    let event = event(api, None, with_body(browser(), br#"{"a": 1}"#)).await;
    assert_eq!(
        event,
        json!({
            "version": "2.0",
            "routeKey": "POST /pets/{id}",
            "rawPath": "/pets/dog 1",
            "rawQueryString": "name=me&multi=you&multi=me%20too",
            "cookies": ["a=1", "b=2"],
            "headers": {
                "authorization": "Bearer x",
                "content-length": "8",
                "content-type": "application/json",
                "host": "api.example.com:8080",
                "user-agent": "curl/8",
                "x-amzn-trace-id": "Root=1-5e6a879e-000000000000000000000000",
                "x-forwarded-for": "203.0.113.7",
                "x-forwarded-port": "8080",
                "x-forwarded-proto": "http",
                "x-two": "1,2",
            },
            "queryStringParameters": {"name": "me", "multi": "you,me too"},
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api",
                "domainName": "api.example.com",
                "domainPrefix": "api",
                "http": {
                    "method": "POST",
                    "path": "/pets/dog 1",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.7",
                    "userAgent": "curl/8",
                },
                "requestId": "HAAAAAAAAAAAAAA=",
                "routeKey": "POST /pets/{id}",
                "stage": "$default",
                "time": "12/Mar/2020:19:03:58 +0000",
                "timeEpoch": 1_584_039_838_000_u64,
            },
            "body": r#"{"a": 1}"#,
            "pathParameters": {"id": "dog 1"},
            "isBase64Encoded": false,
            "stageVariables": {"stageVariable1": "value1"},
        })
    );
}

#[tokio::test]
async fn what_an_http_request_lacks_is_missing() {
    let event = event(api(ApiKind::Http, &[("GET", "/a")]), None, request("GET", "/a", &[])).await;
    for name in ["cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"] {
        assert_eq!(event.get(name), None, "{name}");
    }
    assert_eq!((&event["rawQueryString"], &event["isBase64Encoded"]), (&json!(""), &json!(false)));
}

#[tokio::test]
async fn a_base_path_is_in_the_context_of_rest_and_in_the_path_of_http() {
    let rest = event(
        api(ApiKind::Rest, &[("GET", "/auth/me")]),
        Some("/api/v1"),
        request("GET", "/api/v1/auth/me", &[]),
    )
    .await;
    assert_eq!(
        (&rest["path"], &rest["requestContext"]["path"]),
        (&json!("/auth/me"), &json!("/api/v1/auth/me"))
    );
    let http = event(
        api(ApiKind::Http, &[("GET", "/auth/me")]),
        Some("/api/v1"),
        request("GET", "/api/v1/auth/me", &[]),
    )
    .await;
    assert_eq!((&http["rawPath"], &http["routeKey"]), (&json!("/api/v1/auth/me"), &json!("GET /auth/me")));
}

#[tokio::test]
async fn a_path_without_the_base_path_is_mapped_to_no_api() {
    for (kind, status, body) in [
        (ApiKind::Rest, 403, r#"{"message":"Forbidden"}"#),
        (ApiKind::Http, 404, r#"{"message":"Not Found"}"#),
    ] {
        let api = api(kind, &[("GET", "/a")]);
        let gateway = Gateway::new(api, BTreeMap::new(), Some("/api".to_owned()), source());
        for path in ["/a", "/apix/a", "/"] {
            let answer = gateway.answer(request("GET", path, &[])).await;
            assert_eq!((answer.status().as_u16(), text(&answer)), (status, body), "{path}");
        }
    }
}

#[tokio::test]
async fn bodies_are_text_or_base64_by_the_rules_of_each_api() {
    let mut binary = api(ApiKind::Rest, &[("POST", "/a")]);
    binary.binary_media_types = vec!["image/png".to_owned()];
    for (api, content_type, body, encoded) in [
        (api(ApiKind::Rest, &[("POST", "/a")]), "image/png", json!("\u{fffd}P"), false),
        (binary.clone(), "image/png; x=y", json!("/1A="), true),
        (binary, "application/json", json!("\u{fffd}P"), false),
        (api(ApiKind::Http, &[("POST", "/a")]), "image/png", json!("/1A="), true),
        (api(ApiKind::Http, &[("POST", "/a")]), "application/x-www-form-urlencoded", json!("/1A="), true),
        (api(ApiKind::Http, &[("POST", "/a")]), "application/problem+json", json!("\u{fffd}P"), false),
        (api(ApiKind::Http, &[("POST", "/a")]), "TEXT/plain; charset=utf-8", json!("\u{fffd}P"), false),
    ] {
        let client = with_body(request("POST", "/a", &[("Content-Type", content_type)]), b"\xffP");
        let event = event(api, None, client).await;
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&body, &json!(encoded)), "{content_type}");
    }
}

#[tokio::test]
async fn an_unknown_route_is_what_each_api_makes_of_it() {
    for (kind, headers, status, body, error_type) in [
        (
            ApiKind::Rest,
            vec![],
            403,
            r#"{"message":"Missing Authentication Token"}"#,
            Some("MissingAuthenticationTokenException"),
        ),
        (
            ApiKind::Rest,
            vec![("authorization", "Bearer x")],
            403,
            r#"{"message":"Invalid key=value pair (missing equal-sign) in Authorization header"}"#,
            Some("IncompleteSignatureException"),
        ),
        (ApiKind::Http, vec![], 404, r#"{"message":"Not Found"}"#, None),
    ] {
        let gateway = gateway(api(kind, &[("GET", "/a")]), |_| Ok(Value::Null));
        let answer = gateway.answer(request("PUT", "/a", &headers)).await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (status, body));
        assert_eq!(header(&answer, "x-amzn-errortype"), error_type);
    }
}

#[tokio::test]
async fn more_than_ten_megabytes_are_refused_in_words_that_no_template_changes() {
    let mut rest = api(ApiKind::Rest, &[("POST", "/a")]);
    rest.gateway_responses.insert(
        "REQUEST_TOO_LARGE".to_owned(),
        GatewayResponse { status: Some(499), ..GatewayResponse::default() },
    );
    for (api, body) in [
        (rest, r#"{"message":"Request Too Long"}"#),
        (api(ApiKind::Http, &[("POST", "/a")]), r#"{"message":"Request Entity Too Large"}"#),
    ] {
        let mut client = request("POST", "/a", &[]);
        client.body = None;
        let answer = gateway(api, |_| Ok(Value::Null)).answer(client).await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (413, body));
    }
}

#[tokio::test]
async fn a_rest_answer_is_remapped_as_documented() {
    let answer = answered(
        ApiKind::Rest,
        json!({
            "statusCode": 401,
            "headers": {"WWW-Authenticate": "Bearer", "Server": "x", "X-Plain": "1", "Date": "today"},
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"], "x-plain": ["2"], "Host": ["gone"], "Content-Length": ["9"]},
            "body": "no",
        }),
    )
    .await;
    assert_eq!((answer.status().as_u16(), text(&answer)), (401, "no"));
    for (name, value) in [
        ("x-amzn-remapped-www-authenticate", Some("Bearer")),
        ("www-authenticate", None),
        ("x-amzn-remapped-server", Some("x")),
        ("x-amzn-remapped-date", Some("today")),
        ("x-plain", Some("2")),
        ("host", None),
        ("content-length", None),
        ("content-type", Some("application/json")),
        ("x-amzn-requestid", Some("00000000-0000-4000-8000-000000000007")),
    ] {
        assert_eq!(header(&answer, name), value, "{name}");
    }
    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
}

#[tokio::test]
async fn an_http_answer_keeps_its_headers_and_may_be_a_bare_value() {
    let answer = answered(
        ApiKind::Http,
        json!({"statusCode": "401", "headers": {"WWW-Authenticate": "Bearer"}, "cookies": ["a=1", "b=2"], "body": "aGk=", "isBase64Encoded": true}),
    )
    .await;
    assert_eq!((answer.status().as_u16(), text(&answer)), (401, "hi"));
    assert_eq!(header(&answer, "www-authenticate"), Some("Bearer"));
    assert_eq!(header(&answer, "content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 2);
    for (output, body) in [(json!("Hello"), "Hello"), (json!({"message": "Hello"}), r#"{"message":"Hello"}"#)]
    {
        let answer = answered(ApiKind::Http, output).await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (200, body));
        assert_eq!(header(&answer, "content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn base64_of_a_rest_answer_is_decoded_for_declared_media_types_only() {
    let output = json!({"statusCode": 200, "body": "aGk=", "isBase64Encoded": true});
    for (declared, body) in [(vec!["image/png".to_owned()], "hi"), (Vec::new(), "aGk=")] {
        let mut api = api(ApiKind::Rest, &[("GET", "/a")]);
        api.binary_media_types = declared;
        let output = output.clone();
        let answer = gateway(api, move |_| Ok(output.clone()))
            .answer(request("GET", "/a", &[("Accept", "image/png")]))
            .await;
        assert_eq!(text(&answer), body);
    }
}

#[tokio::test]
async fn output_that_is_no_answer_is_502_on_rest_and_500_on_http() {
    for output in [
        json!({"statusCode": 200, "body": {"not": "text"}}),
        json!({"statusCode": 99_999}),
        json!({"statusCode": "ok"}),
        json!({"statusCode": 200, "headers": {"a": ["b"]}}),
        json!({"statusCode": 200, "headers": {"a b": "c"}}),
        json!({"statusCode": 200, "headers": {"a": "b\nc"}}),
    ] {
        let rest = answered(ApiKind::Rest, output.clone()).await;
        assert_eq!(
            (rest.status().as_u16(), text(&rest)),
            (502, r#"{"message": "Internal server error"}"#),
            "{output}"
        );
        let http = answered(ApiKind::Http, output.clone()).await;
        assert_eq!(
            (http.status().as_u16(), text(&http)),
            (500, r#"{"message":"Internal Server Error"}"#),
            "{output}"
        );
    }
    for output in
        [json!("text"), json!({"statusCode": 200, "unknown": 1}), json!({"multiValueHeaders": {"a": "b"}})]
    {
        assert_eq!(answered(ApiKind::Rest, output).await.status(), 502);
    }
}

#[tokio::test]
async fn a_function_that_fails_is_502_on_rest_and_500_on_http() {
    for (kind, status) in [(ApiKind::Rest, 502), (ApiKind::Http, 500)] {
        let gateway = gateway(api(kind, &[("GET", "/a")]), |_| Err(fails("secret reason")));
        let answer = gateway.answer(request("GET", "/a", &[])).await;
        assert_eq!(answer.status(), status);
        assert!(!text(&answer).contains("secret"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_functions_own_timeout_is_a_failure_and_the_gateways_is_a_timeout() {
    for (kind, timeout, status, body) in [
        (ApiKind::Rest, 3, 502, r#"{"message": "Internal server error"}"#),
        (ApiKind::Rest, 60, 504, r#"{"message": "Endpoint request timed out"}"#),
        (ApiKind::Http, 3, 500, r#"{"message":"Internal Server Error"}"#),
        (ApiKind::Http, 60, 503, r#"{"message":"Service Unavailable"}"#),
    ] {
        let hangs = Deployed {
            invoke: Arc::new(|_| Box::pin(std::future::pending())),
            timeout: Duration::from_secs(timeout),
        };
        let functions = BTreeMap::from([("F".to_owned(), hangs)]);
        let gateway = Gateway::new(api(kind, &[("GET", "/a")]), functions, None, source());
        let answer = gateway.answer(request("GET", "/a", &[])).await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (status, body));
    }
}

#[tokio::test]
async fn an_event_that_lambda_would_not_take_is_413() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let mut client = request("POST", "/a", &[("content-type", "text/plain")]);
        client.body = Some(Bytes::from(vec![b'x'; 6 * 1024 * 1024]));
        let gateway = gateway(api(kind, &[("POST", "/a")]), |_| Ok(serde_json::from_str(OK).unwrap()));
        assert_eq!(gateway.answer(client).await.status(), 413);
    }
}

fn worded(kind: &str, response: GatewayResponse) -> Api {
    let mut api = api(ApiKind::Rest, &[("GET", "/a")]);
    api.gateway_responses.insert(kind.to_owned(), response);
    api
}

#[tokio::test]
async fn a_gateway_response_is_worded_by_the_template() {
    let response = GatewayResponse {
        status: Some(404),
        headers: [
            ("Access-Control-Allow-Origin", "method.request.header.Origin"),
            ("Vary", "'Origin'"),
            ("X-Missing", "method.request.header.X-Missing"),
            ("X-Query", "method.request.querystring.q"),
            ("X-Address", "context.identity.sourceIp"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
        templates: BTreeMap::from([(
            "application/json".to_owned(),
            r#"{"id":"$context.requestId","m":$context.error.messageString,"t":"$context.error.message. $context.error.responseType$context.nothing"}"#.to_owned(),
        )]),
    };
    let gateway = gateway(worded("MISSING_AUTHENTICATION_TOKEN", response), |_| Ok(Value::Null));
    let answer = gateway.answer(request("GET", "/nowhere?q=1", &[("origin", "https://a.example")])).await;
    assert_eq!(answer.status(), 404);
    assert_eq!(
        text(&answer),
        r#"{"id":"00000000-0000-4000-8000-000000000007","m":"Missing Authentication Token","t":"Missing Authentication Token. MISSING_AUTHENTICATION_TOKEN"}"#
    );
    for (name, value) in [
        ("access-control-allow-origin", Some("https://a.example")),
        ("vary", Some("Origin")),
        ("x-missing", None),
        ("x-query", Some("1")),
        ("x-address", Some("203.0.113.7")),
        ("content-type", Some("application/json")),
        ("x-amzn-errortype", Some("MissingAuthenticationTokenException")),
    ] {
        assert_eq!(header(&answer, name), value, "{name}");
    }
}

#[tokio::test]
async fn an_unworded_response_takes_after_its_default() {
    let teapot = || GatewayResponse { status: Some(418), ..GatewayResponse::default() };
    let unknown = gateway(worded("DEFAULT_4XX", teapot()), |_| Err(fails("x")));
    assert_eq!(unknown.answer(request("GET", "/nowhere", &[])).await.status(), 418);
    assert_eq!(unknown.answer(request("GET", "/a", &[])).await.status(), 502);
    let failing = gateway(worded("DEFAULT_5XX", teapot()), |_| Err(fails("x")));
    assert_eq!(failing.answer(request("GET", "/a", &[])).await.status(), 418);
    assert_eq!(failing.answer(request("GET", "/nowhere", &[])).await.status(), 403);
}

#[tokio::test]
async fn an_http_api_answers_preflights_itself_and_before_its_authorizer() {
    let mut api = api(ApiKind::Http, &[("GET", "/a")]);
    let origin = "https://a.example";
    api.cors = Some(Cors::Managed(ManagedCors {
        origins: vec![origin.to_owned()],
        methods: vec!["GET".to_owned()],
        exposed: vec!["x-new".to_owned()],
        credentials: true,
        ..ManagedCors::default()
    }));
    let own = json!({"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "https://own.example"}});
    let gateway = gateway(api, move |_| Ok(own.clone()));
    let asks = [("origin", origin), ("access-control-request-method", "GET")];
    let preflight = gateway.answer(request("OPTIONS", "/a", &asks)).await;
    assert_eq!(preflight.status(), 204);
    assert_eq!(header(&preflight, "access-control-allow-origin"), Some(origin));
    let answer = gateway.answer(request("GET", "/a", &[("origin", origin)])).await;
    assert_eq!(header(&answer, "access-control-allow-origin"), Some(origin));
    assert_eq!(header(&answer, "access-control-expose-headers"), Some("x-new"));
    let stranger = gateway.answer(request("GET", "/a", &[("origin", "https://b.example")])).await;
    assert_eq!(header(&stranger, "access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_route_of_every_method_takes_preflights_to_its_authorizer() {
    let origin = "https://a.example";
    let asks = [("origin", origin), ("access-control-request-method", "GET")];
    for (routes, expected) in [
        (&[("ANY", "$default")][..], 401),
        (&[("ANY", "/a")], 401),
        (&[("GET", "/a")], 204),
        (&[("ANY", "$default"), ("GET", "/a")], 401),
        (&[("ANY", "$default"), ("OPTIONS", "/{proxy+}")], 204),
        (&[("ANY", "/a"), ("OPTIONS", "/a")], 204),
    ] {
        let mut api = api(ApiKind::Http, routes);
        api.cors =
            Some(Cors::Managed(ManagedCors { origins: vec![origin.to_owned()], ..ManagedCors::default() }));
        let authorizer = Authorizer {
            function: "F".to_owned(),
            payload: AuthorizerPayload::Http2Simple,
            identity: vec![IdentitySource::Header("Authorization".to_owned())],
            validation: None,
            ttl: Duration::ZERO,
        };
        api.authorizers.insert("A".to_owned(), authorizer);
        let guarded = api.routes.iter_mut().filter(|route| route.method != "OPTIONS");
        guarded.for_each(|route| route.authorizer = Some("A".to_owned()));
        let answer = gateway(api, |_| Err(fails("x"))).answer(request("OPTIONS", "/a", &asks)).await;
        assert_eq!(answer.status(), expected, "{routes:?}");
        assert_eq!(header(&answer, "access-control-allow-origin"), Some(origin), "{routes:?}");
    }
}

#[tokio::test]
async fn sams_cors_on_a_rest_api_is_a_mock_for_paths_without_options() {
    let mut api = api(ApiKind::Rest, &[("GET", "/a"), ("GET", "/b"), ("OPTIONS", "/b")]);
    api.cors = Some(Cors::Mock(vec![("Access-Control-Allow-Origin".to_owned(), "*".to_owned())]));
    let gateway = gateway(api, |_| Ok(json!({"statusCode": 200, "body": "own"})));
    let mocked = gateway.answer(request("OPTIONS", "/a", &[])).await;
    assert_eq!(header(&mocked, "access-control-allow-methods"), Some("GET,OPTIONS"));
    assert_eq!(text(&gateway.answer(request("OPTIONS", "/b", &[])).await), "own");
    assert_eq!(gateway.answer(request("OPTIONS", "/c", &[])).await.status(), 403);
}

#[tokio::test]
async fn what_the_authorizer_says_reaches_the_function_in_the_form_of_each_api() {
    for (kind, payload, expected) in [
        (
            ApiKind::Rest,
            AuthorizerPayload::RestRequest,
            json!({"principalId": "u", "integrationLatency": 0, "name": "Ada", "number": "1", "yes": "true"}),
        ),
        (
            ApiKind::Http,
            AuthorizerPayload::Http2Policy,
            json!({"lambda": {"name": "Ada", "number": 1, "yes": true}}),
        ),
    ] {
        let mut api = api(kind, &[("GET", "/a")]);
        let authorizer = Authorizer {
            function: "F".to_owned(),
            payload,
            identity: vec![IdentitySource::Header("Authorization".to_owned())],
            validation: None,
            ttl: Duration::ZERO,
        };
        api.authorizers.insert("A".to_owned(), authorizer);
        api.routes.iter_mut().for_each(|route| route.authorizer = Some("A".to_owned()));
        // One function plays both parts: an authorizer's event has a type.
        let says = |event: Value| -> Result<Value, FunctionError> {
            if event.get("type").is_some() {
                let statement = json!({"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"});
                return Ok(json!({
                    "principalId": "u",
                    "policyDocument": {"Statement": [statement]},
                    "context": {"name": "Ada", "number": 1, "yes": true},
                }));
            }
            let context = event["requestContext"]["authorizer"].to_string();
            Ok(json!({"statusCode": 200, "body": context}))
        };
        let answer = gateway(api, says).answer(request("GET", "/a", &[("authorization", "Bearer x")])).await;
        let said: Map<String, Value> = serde_json::from_str(text(&answer)).unwrap();
        assert_eq!(Value::Object(said), expected);
    }
}
