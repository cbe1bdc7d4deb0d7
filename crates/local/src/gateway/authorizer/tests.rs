//! The rules around an authorizer, one row each.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use regex_lite::Regex;
use serde_json::{Value, json};

use super::super::testing::{api, fails, function, request, source};
use super::super::{Gateway, Source};
use crate::api::{Api, ApiKind, Authorizer, AuthorizerPayload, IdentitySource};
use crate::invoke::FunctionError;

const BEARER: &[(&str, &str)] = &[("Authorization", "Bearer x")];

fn authorizer(payload: AuthorizerPayload) -> Authorizer {
    Authorizer {
        function: "A".to_owned(),
        payload,
        identity: vec![IdentitySource::Header("Authorization".to_owned())],
        validation: None,
        ttl: Duration::ZERO,
    }
}

fn guarded(authorizer: Authorizer) -> Api {
    let rest = matches!(authorizer.payload, AuthorizerPayload::RestToken | AuthorizerPayload::RestRequest);
    let mut api =
        api(if rest { ApiKind::Rest } else { ApiKind::Http }, &[("GET", "/a/{id}"), ("POST", "/a/{id}")]);
    api.authorizers.insert("Guard".to_owned(), authorizer);
    api.routes.iter_mut().for_each(|route| route.authorizer = Some("Guard".to_owned()));
    api
}

/// A guarded function behind an authorizer that answers `says`, how often it was asked, and what it was asked last.
struct Guarded {
    gateway: Gateway,
    asked: Arc<AtomicUsize>,
    event: Arc<Mutex<Value>>,
}

impl Guarded {
    fn new(authorizer: Authorizer, says: Result<Value, FunctionError>) -> Self {
        Self::at(authorizer, says, source())
    }

    fn at(authorizer: Authorizer, says: Result<Value, FunctionError>, source: Source) -> Self {
        let (asked, event) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Value::Null)));
        let (counted, noted) = (Arc::clone(&asked), Arc::clone(&event));
        let guard = function(move |event| {
            counted.fetch_add(1, Ordering::SeqCst);
            *noted.lock().unwrap() = event;
            says.clone()
        });
        let open = function(|_| Ok(json!({"statusCode": 200, "body": "in"})));
        let functions = BTreeMap::from([("A".to_owned(), guard), ("F".to_owned(), open)]);
        Self { gateway: Gateway::new(guarded(authorizer), functions, None, source), asked, event }
    }

    async fn status(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> u16 {
        self.gateway.answer(request(method, target, headers)).await.status().as_u16()
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn policy(effect: &str, resource: &str) -> Value {
    let statement = json!({"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource});
    json!({"principalId": "u", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}})
}

fn with_context(context: &Value) -> Value {
    let mut answer = policy("Allow", "*");
    answer["context"] = context.clone();
    answer
}

#[tokio::test]
async fn every_answer_of_an_authorizer_has_its_status() {
    use AuthorizerPayload::{Http1, Http2Policy, Http2Simple, RestRequest, RestToken};
    let allow = policy("Allow", "*");
    for (payload, says, status) in [
        (RestToken, Ok(allow.clone()), 200),
        (RestRequest, Ok(allow.clone()), 200),
        (
            RestRequest,
            Ok(policy("Allow", "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/a/1")),
            200,
        ),
        (
            RestRequest,
            Ok(policy("Allow", "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/a/2")),
            403,
        ),
        (RestRequest, Ok(policy("Deny", "*")), 403),
        (RestRequest, Ok(with_context(&json!({"a": "b", "n": 1, "t": true}))), 200),
        (RestRequest, Ok(with_context(&json!({"a": {"nested": 1}}))), 500),
        (RestRequest, Ok(with_context(&json!({"a": ["b"]}))), 500),
        (RestRequest, Ok(with_context(&json!("text"))), 500),
        (RestRequest, Ok(json!({"principalId": "u"})), 500),
        (RestRequest, Ok(json!({"policyDocument": allow["policyDocument"]})), 500),
        (RestRequest, Ok(json!({"isAuthorized": true})), 500),
        (RestRequest, Ok(Value::Null), 500),
        (RestRequest, Err(fails("Unauthorized")), 401),
        (RestToken, Err(fails("Unauthorized")), 401),
        (RestRequest, Err(fails("unauthorized")), 500),
        (RestRequest, Err(fails("Unauthorized: token expired")), 500),
        (Http1, Ok(allow.clone()), 200),
        (Http2Policy, Ok(allow.clone()), 200),
        (Http2Policy, Ok(with_context(&json!({"a": {"nested": 1}}))), 200),
        (Http2Policy, Ok(policy("Deny", "*")), 403),
        (Http2Policy, Ok(json!({"isAuthorized": true})), 500),
        (Http2Policy, Err(fails("Unauthorized")), 401),
        (Http2Policy, Err(fails("anything")), 500),
        (Http2Simple, Ok(json!({"isAuthorized": true})), 200),
        (Http2Simple, Ok(json!({"isAuthorized": false})), 403),
        (Http2Simple, Ok(json!({"isAuthorized": "yes"})), 500),
        (Http2Simple, Ok(allow), 500),
    ] {
        let guarded = Guarded::new(authorizer(payload), says.clone());
        assert_eq!(guarded.status("GET", "/a/1", BEARER).await, status, "{payload:?} {says:?}");
    }
}

#[tokio::test]
async fn without_its_identity_sources_an_authorizer_is_not_called() {
    let everything = vec![
        IdentitySource::Header("X-Key".to_owned()),
        IdentitySource::Query("key".to_owned()),
        IdentitySource::Context("identity.sourceIp".to_owned()),
    ];
    for (payload, missing) in
        [(AuthorizerPayload::RestRequest, "/a/1?key=k"), (AuthorizerPayload::Http2Policy, "/a/1?key=k")]
    {
        let all = Authorizer { identity: everything.clone(), ..authorizer(payload) };
        let guarded = Guarded::new(all, Ok(policy("Allow", "*")));
        assert_eq!(guarded.status("GET", missing, &[]).await, 401);
        assert_eq!(guarded.status("GET", missing, &[("x-key", "")]).await, 401);
        assert_eq!(guarded.status("GET", "/a/1", &[("x-key", "k")]).await, 401);
        assert_eq!(guarded.status("GET", "/a/1?key=", &[("x-key", "k")]).await, 401);
        assert_eq!(guarded.status("GET", "/a/1?KEY=k", &[("x-key", "k")]).await, 401);
        assert_eq!(guarded.asked(), 0);
        assert_eq!(guarded.status("GET", missing, &[("x-key", "k")]).await, 200);
        assert_eq!(guarded.asked(), 1);
    }
}

#[tokio::test]
async fn a_token_that_does_not_look_like_one_is_refused_without_a_call() {
    let validation = Some(Regex::new("^(?:Bearer [a-z]+)$").unwrap());
    let token = Authorizer { validation, ..authorizer(AuthorizerPayload::RestToken) };
    let guarded = Guarded::new(token, Ok(policy("Allow", "*")));
    assert_eq!(guarded.status("GET", "/a/1", &[]).await, 401);
    assert_eq!(guarded.status("GET", "/a/1", &[("Authorization", "Bearer X1")]).await, 401);
    assert_eq!(guarded.asked(), 0);
    assert_eq!(guarded.status("GET", "/a/1", BEARER).await, 200);
}

#[tokio::test]
async fn an_authorizer_is_sent_the_documented_payload() {
    let arn = "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/a/1";
    let token = Guarded::new(authorizer(AuthorizerPayload::RestToken), Ok(policy("Allow", "*")));
    token.status("GET", "/a/1", BEARER).await;
    assert_eq!(
        *token.event.lock().unwrap(),
        json!({"type": "TOKEN", "methodArn": arn, "authorizationToken": "Bearer x"})
    );

    let rest = Guarded::new(authorizer(AuthorizerPayload::RestRequest), Ok(policy("Allow", "*")));
    rest.status("GET", "/a/1", BEARER).await;
    let event = rest.event.lock().unwrap().clone();
    for (name, value) in [
        ("type", json!("REQUEST")),
        ("methodArn", json!(arn)),
        ("resource", json!("/a/{id}")),
        ("path", json!("/a/1")),
        ("httpMethod", json!("GET")),
        ("queryStringParameters", json!({})),
        ("pathParameters", json!({"id": "1"})),
        ("stageVariables", json!({})),
    ] {
        assert_eq!(event[name], value, "{name}");
    }
    assert_eq!(event["headers"]["Authorization"], "Bearer x");
    assert_eq!((event.get("body"), event.get("version")), (None, None));

    let arn = "arn:aws:execute-api:us-east-1:123456789012:api/$default/GET/a/1";
    let second = Guarded::new(authorizer(AuthorizerPayload::Http2Policy), Ok(policy("Allow", "*")));
    second.status("GET", "/a/1", BEARER).await;
    let event = second.event.lock().unwrap().clone();
    for (name, value) in [
        ("version", json!("2.0")),
        ("type", json!("REQUEST")),
        ("routeArn", json!(arn)),
        ("identitySource", json!(["Bearer x"])),
        ("routeKey", json!("GET /a/{id}")),
        ("rawPath", json!("/a/1")),
        ("pathParameters", json!({"id": "1"})),
    ] {
        assert_eq!(event[name], value, "{name}");
    }
    assert_eq!((event.get("body"), event.get("isBase64Encoded")), (None, None));

    let first = Guarded::new(authorizer(AuthorizerPayload::Http1), Ok(policy("Allow", "*")));
    first.status("GET", "/a/1", BEARER).await;
    let event = first.event.lock().unwrap().clone();
    for (name, value) in [
        ("version", json!("1.0")),
        ("type", json!("REQUEST")),
        ("methodArn", json!(arn)),
        ("identitySource", json!("Bearer x")),
        ("authorizationToken", json!("Bearer x")),
        ("resource", json!("/a/{id}")),
    ] {
        assert_eq!(event[name], value, "{name}");
    }
}

#[tokio::test]
async fn an_answer_is_kept_for_its_identity_and_its_time_and_judged_anew() {
    let now = Arc::new(AtomicU64::new(1_000_000));
    let moves = Arc::clone(&now);
    let clock = Source { epoch_ms: Arc::new(move || moves.load(Ordering::SeqCst)), ..source() };
    let kept = Authorizer { ttl: Duration::from_secs(60), ..authorizer(AuthorizerPayload::RestRequest) };
    let guarded = Guarded::at(kept, Ok(policy("Allow", "*/GET/*")), clock);
    assert_eq!(guarded.status("GET", "/a/1", BEARER).await, 200);
    assert_eq!(guarded.status("GET", "/a/2", BEARER).await, 200);
    assert_eq!(guarded.status("POST", "/a/1", BEARER).await, 403);
    assert_eq!(guarded.asked(), 1);
    guarded.status("GET", "/a/1", &[("Authorization", "Bearer y")]).await;
    assert_eq!(guarded.asked(), 2);
    now.fetch_add(60_000, Ordering::SeqCst);
    guarded.status("GET", "/a/1", BEARER).await;
    assert_eq!(guarded.asked(), 3);
}

#[tokio::test]
async fn without_a_time_to_live_every_request_is_asked_about() {
    let guarded = Guarded::new(authorizer(AuthorizerPayload::RestRequest), Ok(policy("Allow", "*")));
    for _ in 0..3 {
        guarded.status("GET", "/a/1", BEARER).await;
    }
    assert_eq!(guarded.asked(), 3);
}

#[tokio::test]
async fn a_refusal_says_what_api_gateway_says() {
    for (says, headers, status, error_type, body) in [
        (Err(fails("Unauthorized")), BEARER, 401, "UnauthorizedException", r#"{"message":"Unauthorized"}"#),
        (Ok(Value::Null), &[][..], 401, "UnauthorizedException", r#"{"message":"Unauthorized"}"#),
        (
            Ok(policy("Allow", "nothing")),
            BEARER,
            403,
            "AccessDeniedException",
            r#"{"Message":"User is not authorized to access this resource"}"#,
        ),
        (
            Ok(policy("Deny", "*")),
            BEARER,
            403,
            "AccessDeniedException",
            r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#,
        ),
        (Err(fails("x")), BEARER, 500, "AuthorizerFailureException", r#"{"message":null}"#),
        (Ok(Value::Null), BEARER, 500, "AuthorizerConfigurationException", r#"{"message":null}"#),
    ] {
        let guarded = Guarded::new(authorizer(AuthorizerPayload::RestRequest), says);
        let answer = guarded.gateway.answer(request("GET", "/a/1", headers)).await;
        assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (status, body.as_bytes()));
        assert_eq!(answer.headers()["x-amzn-errortype"], error_type);
    }
}
