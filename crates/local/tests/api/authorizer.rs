//! The authorizer, with every payload that API Gateway sends.

use auth_core::Platform;
use auth_core::audit::{AuditLog, Event};
use auth_core::random::Random;
use authorizer::{Authorizer, SessionCheck, Sessions, TokenAlone};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use local::api::ApiKind;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{Service, Tokens, claims};

const EVENTS: [(&str, &str); 5] = [
    ("authorizer-token", include_str!("../../../../events/authorizer-token.json")),
    ("authorizer-request", include_str!("../../../../events/authorizer-request.json")),
    ("authorizer-http-1", include_str!("../../../../events/authorizer-http-1.json")),
    ("authorizer-http-2", include_str!("../../../../events/authorizer-http-2.json")),
    ("authorizer-websocket", include_str!("../../../../events/authorizer-websocket.json")),
];

/// The authorizer of a running service, called directly.
struct Called<S = Option<Sessions>> {
    authorizer: Authorizer<S>,
    audit: AuditLog,
}

impl Called {
    fn of(service: &Service, settings: &[(&str, &str)]) -> Self {
        let mut environment = service.stack.environment("AuthorizerFunction");
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let lookup = |name: &str| environment.get(name).cloned();
        let platform = platform(service);
        let audit = platform.audit.clone();
        Self { authorizer: authorizer::build(&lookup, platform).expect("the authorizer starts"), audit }
    }
}

impl Called<TokenAlone> {
    fn without_table(service: &Service) -> Self {
        let environment = service.stack.environment("TokenAuthorizerFunction");
        let lookup = |name: &str| environment.get(name).cloned();
        let platform = platform(service);
        let audit = platform.audit.clone();
        let built = authorizer::build_without_table(&lookup, platform);
        Self { authorizer: built.expect("the authorizer starts"), audit }
    }
}

fn platform(service: &Service) -> Platform {
    let clock = service.stack.clock().clone();
    Platform { clock, random: Random::system(), audit: AuditLog::memory() }
}

impl<S: SessionCheck> Called<S> {
    async fn ask(&self, event: &str) -> Result<Value, Diagnostic> {
        let event = LambdaEvent::new(serde_json::from_str(event).expect("an event"), Context::default());
        let answer = self.authorizer.clone().oneshot(event).await;
        answer.map(|answer| serde_json::to_value(answer).expect("JSON")).map_err(Diagnostic::from)
    }
}

fn with_token(event: &str, tokens: &Tokens) -> String {
    event.replace("REPLACE_WITH_ACCESS_TOKEN", &tokens.access)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_payload_with_a_valid_token_is_allowed_on_the_whole_stage() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let authorizer = Called::of(&service, &[]);
    for (name, event) in EVENTS {
        let answer = authorizer.ask(&with_token(event, &tokens)).await.expect(name);
        assert_eq!(answer["principalId"], tokens.user, "{name}");
        let statement = &answer["policyDocument"]["Statement"];
        assert_eq!(
            (&statement[0]["Effect"], &statement[0]["Action"]),
            (&json!("Allow"), &json!("execute-api:Invoke"))
        );
        let event: Value = serde_json::from_str(event).expect("JSON");
        let arn = event["methodArn"].as_str().or_else(|| event["routeArn"].as_str()).expect("an ARN");
        let stage: Vec<&str> = arn.splitn(3, '/').collect();
        assert_eq!(statement[0]["Resource"], format!("{}/{}/*", stage[0], stage[1]), "{name}");
        assert_eq!(statement.as_array().map(Vec::len), Some(1));
        let sid = claims(&tokens.access)["sid"].clone();
        assert_eq!(
            answer["context"],
            json!({"userId": tokens.user, "sessionId": sid, "email": "ada@example.com", "emailVerified": "false"}),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_payload_2_has_simple_answers() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let authorizer = Called::of(&service, &[("AUTHORIZER_RESPONSE", "simple")]);
    for (name, event) in EVENTS {
        let answer = authorizer.ask(&with_token(event, &tokens)).await.expect(name);
        assert_eq!(answer["isAuthorized"] == true, name == "authorizer-http-2", "{name}");
        assert_eq!(answer["policyDocument"].is_null(), name == "authorizer-http-2", "{name}");
        assert_eq!(answer["context"]["userId"], tokens.user);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_valid_token_is_exactly_unauthorized() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let ended = service.login("ada@example.com").await;
    service.logout(&ended.refresh).await.expect(204);
    let authorizer = Called::of(&service, &[]);
    let forged = format!("{}x", tokens.access);
    for (name, event) in EVENTS {
        for token in ["", "nonsense", &forged, &tokens.refresh, &ended.access] {
            let refused =
                authorizer.ask(&event.replace("REPLACE_WITH_ACCESS_TOKEN", token)).await.expect_err(name);
            assert_eq!(refused.error_message, "Unauthorized", "{name} {token}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_cannot_answer_lets_nobody_pass_and_signs_nobody_out() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let closed = Called::of(&service, &[("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")]);
    let unchecked = Called::of(
        &service,
        &[("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"), ("SESSION_CHECK", "off")],
    );
    for (name, event) in EVENTS {
        let refused = closed.ask(&with_token(event, &tokens)).await.expect_err(name);
        assert_eq!(refused.error_message, "the session could not be checked");
        unchecked.ask(&with_token(event, &tokens)).await.expect(name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_session_check_a_token_holds_until_its_end() {
    let service = Service::start(&[("SESSION_CHECK", "off"), ("ACCESS_TOKEN_EXPIRY", "5m")]).await;
    let tokens = service.signup("ada@example.com").await;
    service.logout(&tokens.refresh).await.expect(204);
    service.me(&tokens.access).await.expect(200);
    service.pass(300);
    service.me(&tokens.access).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_live_session_both_authorizers_say_and_record_the_same() {
    let service = Service::start(&[("AUTHORIZER_RESPONSE", "simple")]).await;
    let tokens = service.signup("ada@example.com").await;
    let (with, without) = (Called::of(&service, &[]), Called::without_table(&service));
    let forged = format!("{}x", tokens.access);
    for (name, event) in EVENTS {
        let event = |token| event.replace("REPLACE_WITH_ACCESS_TOKEN", token);
        let passes = event(&tokens.access);
        assert_eq!(with.ask(&passes).await.expect(name), without.ask(&passes).await.expect(name), "{name}");
        for token in ["", "nonsense", &forged, &tokens.refresh] {
            let refused = without.ask(&event(token)).await.expect_err(name);
            assert_eq!(refused.error_message, "Unauthorized", "{name} {token}");
            with.ask(&event(token)).await.expect_err(name);
        }
    }
    service.pass(3_600);
    for (name, event) in EVENTS {
        without.ask(&with_token(event, &tokens)).await.expect_err(name);
        with.ask(&with_token(event, &tokens)).await.expect_err(name);
    }
    let lines = |audit: &AuditLog| -> Vec<Value> {
        audit.entries().iter().map(|entry| serde_json::to_value(entry).expect("JSON")).collect()
    };
    assert_eq!(lines(&with.audit), lines(&without.audit));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_to_look_at_either_authorizer_lets_an_ended_session_pass() {
    let service = Service::start(&[]).await;
    let ended = service.signup("ada@example.com").await;
    service.logout(&ended.refresh).await.expect(204);
    let (with, off) = (Called::of(&service, &[]), Called::of(&service, &[("SESSION_CHECK", "off")]));
    let without = Called::without_table(&service);
    for (name, event) in EVENTS {
        with.ask(&with_token(event, &ended)).await.expect_err(name);
        let passes = off.ask(&with_token(event, &ended)).await.expect(name);
        assert_eq!(passes, without.ask(&with_token(event, &ended)).await.expect(name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_are_null_or_of_another_kind_let_nobody_else_in() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let authorizer = Called::of(&service, &[]);
    for (name, event) in EVENTS {
        let event: Value = serde_json::from_str(&with_token(event, &tokens)).expect("JSON");
        for member in
            ["headers", "queryStringParameters", "requestContext", "authorizationToken", "type", "version"]
        {
            for value in [Value::Null, json!({}), json!({"Authorization": 1})] {
                let mut event = event.clone();
                event[member] = value;
                let answer = serde_json::from_value(event)
                    .ok()
                    .map(|event| LambdaEvent::new(event, Context::default()));
                if let Some(event) = answer
                    && let Ok(answer) = authorizer.authorizer.clone().oneshot(event).await
                {
                    let answer = serde_json::to_value(answer).expect("JSON");
                    assert_eq!(answer["context"]["userId"], tokens.user, "{name} {member}");
                }
            }
        }
    }
}

/// An HTTP API 1.0 puts all identity sources into `authorizationToken`.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_identity_source_does_not_hide_the_token() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let mut event: Value = serde_json::from_str(&with_token(EVENTS[2].1, &tokens)).expect("JSON");
    event["authorizationToken"] = json!(format!("tenant-1,Bearer {}", tokens.access));
    event["identitySource"] = event["authorizationToken"].clone();
    Called::of(&service, &[]).ask(&event.to_string()).await.expect("allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_names_no_stage_is_an_error_and_no_panic() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let authorizer = Called::of(&service, &[]);
    for arn in ["", "é", "arn:aws:lambda:eu-west-1:1:function/x/y", "arn:aws:execute-api:eu-west-1:1:api"] {
        let event = json!({"type": "TOKEN", "authorizationToken": format!("Bearer {}", tokens.access), "methodArn": arn});
        let refused = authorizer.ask(&event.to_string()).await.expect_err(arn);
        assert_ne!(refused.error_message, "Unauthorized", "{arn}");
    }
}

/// A `TOKEN` authorizer sees no headers but its token, and the answer to a WebSocket's `$connect` has none.
#[tokio::test(flavor = "multi_thread")]
async fn every_payload_is_renewed_that_has_a_way_back() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    service.pass(3_500);
    let (access, rotate) = ([("RENEWAL", "access")], [("RENEWAL", "rotate")]);
    let (access, rotate) = (Called::of(&service, &access), Called::of(&service, &rotate));
    for (name, event) in EVENTS {
        let mut event: Value = serde_json::from_str(&with_token(event, &tokens)).expect("JSON");
        if !event["headers"].is_null() {
            event["headers"]["X-Refresh-Token"] = json!(tokens.refresh);
        }
        let context = |answer: Value| answer["context"].clone();
        let minted = context(access.ask(&event.to_string()).await.expect(name));
        assert_eq!(minted["newAccessToken"].is_string(), name != "authorizer-websocket", "{name}");
        assert!(minted["newRefreshToken"].is_null());
        let rotated = context(rotate.ask(&event.to_string()).await.expect(name));
        let has_way = !["authorizer-websocket", "authorizer-token"].contains(&name);
        for token in ["newAccessToken", "newRefreshToken"] {
            assert_eq!(rotated[token].is_string(), has_way, "{name}: {token}");
        }
        assert!(
            rotated.as_object().expect("a map").values().all(Value::is_string),
            "flat strings: {rotated}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_line_says_who_was_refused_in_which_request() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let service = Service::start_behind(&[], kind, None).await;
        let call = service.call("GET", "/auth/me").header("user-agent", "phone/1.0").bearer("a.b.c");
        call.send().await.expect(401);
        let [line] = &service.stack.audit().entries()[..] else { panic!("not one audit line") };
        assert_eq!((line.event, line.reason), (Event::AccessTokenRefused, Some("malformed")));
        assert_eq!((line.ip.as_str(), line.user_agent.as_str()), ("127.0.0.1", "phone/1.0"));
        assert!(!line.request_id.is_empty());
    }
}
