//! `examples/protected-api` beside the service: a stack of its own that imports the authorizer.

use local::api::{ApiKind, AuthorizerPayload};
use local::neighbour::Neighbour;
use local::stack::Options;
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{ClientRequestBuilder, Message};

use crate::support::tap::{Fault, Tap, Target};
use crate::support::{PASSWORD, Service, example};

const CALLED: [ApiKind; 2] = [ApiKind::Rest, ApiKind::Http];
const ORIGIN: &str = "https://app.example.com";

fn neighbour(service: &Service, kind: ApiKind) -> &Neighbour {
    let of_kind = |neighbour: &&Neighbour| neighbour.api().kind == kind;
    service.stack.neighbours().iter().find(of_kind).expect("an API of this kind")
}

fn orders(service: &Service, kind: ApiKind) -> String {
    format!("{}/orders", neighbour(service, kind).url())
}

#[tokio::test(flavor = "multi_thread")]
async fn both_apis_tell_their_function_who_calls() {
    let service = Service::start_with_example(&[]).await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD, "displayName": "Ada"});
    let ada = service.call("POST", "/auth/signup").json(&body).send().await.expect(201).body;
    let token = ada["accessToken"].as_str().expect("a token");
    for kind in CALLED {
        let call = service.call_url("GET", &orders(&service, kind)).bearer(token).header("origin", ORIGIN);
        let answer = call.send().await.expect(200);
        assert_eq!((&answer.body["email"], &answer.body["name"]), (&json!("ada@example.com"), &json!("Ada")));
        assert_eq!(answer.body["orders"][0]["userId"], ada["user"]["userId"]);
        assert_eq!(answer.header("access-control-allow-origin"), ORIGIN, "{kind:?}");
    }
}

/// Each API for itself: the service's own goes on to look.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_imports_the_token_authorizer_lets_a_token_pass_until_it_ends() {
    let text = std::fs::read_to_string(example()).expect("the example");
    let imports = text.replace("-AuthorizerArn", "-TokenAuthorizerArn");
    assert_eq!(imports.matches("-TokenAuthorizerArn").count(), 3, "one for each of its APIs");
    let file = std::env::temp_dir().join(format!("latchkey-token-authorizer-{}.yaml", std::process::id()));
    std::fs::write(&file, imports).expect("a file");
    let options = Options { beside: Some(file.clone()), ..Options::for_testing() };
    let service = Service::start_with(&[], options).await;
    std::fs::remove_file(file).expect("the file");
    let ada = service.signup("ada@example.com").await;
    service.logout(&ada.refresh).await.expect(204);
    service.me(&ada.access).await.expect(401);
    for kind in CALLED {
        let call = |token: &str| service.call_url("GET", &orders(&service, kind)).bearer(token).send();
        call(&ada.access).await.expect(200);
        call(&ada.refresh).await.expect(401);
    }
    service.pass(3_600);
    for kind in CALLED {
        service.call_url("GET", &orders(&service, kind)).bearer(&ada.access).send().await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_apis_hand_renewed_tokens_to_the_page() {
    let service = Service::start_with_example(&[("RENEWAL", "rotate")]).await;
    let ada = service.signup("ada@example.com").await;
    service.pass(3_500);
    let mut successors = std::collections::BTreeSet::new();
    for kind in CALLED {
        let call = service.call_url("GET", &orders(&service, kind)).bearer(&ada.access);
        let call = call.header("origin", ORIGIN).header("x-refresh-token", &ada.refresh);
        let answer = call.send().await.expect(200);
        service.me(answer.header("x-new-token")).await.expect(200);
        successors.insert(answer.header("x-new-refresh-token").to_owned());
        assert_eq!(answer.header("cache-control"), "no-store", "{kind:?}");
        let exposed = answer.header("access-control-expose-headers").to_ascii_lowercase();
        assert!(exposed.contains("x-new-refresh-token"), "{kind:?}: {exposed}");
    }
    assert_eq!(successors.len(), 1, "{successors:?}");
    service.refresh(successors.first().expect("one")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_can_read_the_401_and_a_preflight_needs_no_token() {
    let service = Service::start_with_example(&[]).await;
    for kind in CALLED {
        let url = orders(&service, kind);
        for call in [service.call_url("GET", &url), service.call_url("GET", &url).bearer("nonsense")] {
            let answer = call.header("origin", ORIGIN).send().await.expect(401);
            assert_eq!(answer.header("access-control-allow-origin"), ORIGIN, "{kind:?}");
        }
        let preflight = service.call_url("OPTIONS", &url).header("origin", ORIGIN);
        let preflight = preflight.header("access-control-request-method", "GET");
        let answer = preflight.header("access-control-request-headers", "authorization").send().await;
        assert!(answer.status == 200 || answer.status == 204, "{kind:?}: {}", answer.status);
        assert_eq!(answer.header("access-control-allow-origin"), ORIGIN, "{kind:?}");
        assert!(answer.header("access-control-allow-headers").contains("authorization"), "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_holds_from_the_next_request_on_every_api() {
    let service = Service::start_with_example(&[]).await;
    let ada = service.signup("ada@example.com").await;
    for kind in CALLED {
        service.call_url("GET", &orders(&service, kind)).bearer(&ada.access).send().await.expect(200);
    }
    connect(&service, &ada.access).await.expect("a connection");
    service.logout(&ada.refresh).await.expect(204);
    for kind in CALLED {
        service.call_url("GET", &orders(&service, kind)).bearer(&ada.access).send().await.expect(401);
    }
    assert_eq!(refusal(connect(&service, &ada.access).await), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_http_api_takes_policies_and_simple_answers() {
    for (answers, payload) in
        [("policy", AuthorizerPayload::Http2Policy), ("simple", AuthorizerPayload::Http2Simple)]
    {
        let service = Service::start_with_example(&[("AUTHORIZER_RESPONSE", answers)]).await;
        let ada = service.signup("ada@example.com").await;
        let api = neighbour(&service, ApiKind::Http).api();
        assert_eq!(api.authorizers["Latchkey"].payload, payload);
        // The REST API and the WebSocket API get a policy whichever it is.
        for kind in CALLED {
            let call = service.call_url("GET", &orders(&service, kind)).bearer(&ada.access);
            call.send().await.expect(200);
        }
        connect(&service, &ada.access).await.expect("a connection");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_api_keeps_an_answer_of_the_authorizer() {
    let service = Service::start_with_example(&[]).await;
    for neighbour in service.stack.neighbours() {
        assert_eq!(neighbour.api().authorizers.len(), 1);
        assert!(neighbour.api().authorizers.values().all(|authorizer| authorizer.ttl.is_zero()));
        assert!(neighbour.api().routes.iter().all(|route| route.authorizer.is_some()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_passes_and_nobody_is_signed_out_when_the_table_is_away() {
    let engine = Service::start(&[]).await;
    let tap = Tap::start(engine.stack.store_endpoint()).await;
    let service = Service::start_with_example_at(&[], &tap.url).await;
    let ada = service.signup("ada@example.com").await;
    tap.spoil(Target::of("GetItem", "SESSION#"), Fault::Status(500));
    for (kind, status) in [(ApiKind::Rest, 503), (ApiKind::Http, 500)] {
        let call = service.call_url("GET", &orders(&service, kind)).bearer(&ada.access);
        let answer = call.header("origin", ORIGIN).send().await.expect(status);
        assert_eq!(answer.header("access-control-allow-origin"), ORIGIN, "{kind:?}");
    }
    assert_eq!(refusal(connect(&service, &ada.access).await), 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_opens_for_the_bearer_of_a_token_in_the_query() {
    let service = Service::start_with_example(&[]).await;
    let ada = service.signup("ada@example.com").await;
    let mut socket = connect(&service, &ada.access).await.expect("a connection");
    let conversation = tokio::task::spawn_blocking(move || {
        // The API has no route but `$connect`.
        socket.send(Message::text(r#"{"action":"orders"}"#)).expect("a message");
        let answer = socket.read().expect("an answer");
        socket.close(None).expect("a close");
        (answer, socket.read())
    });
    let (answer, last) = conversation.await.expect("a conversation");
    let answer: Value = serde_json::from_str(answer.to_text().expect("text")).expect("JSON");
    assert_eq!(answer["message"], "Forbidden");
    assert!(answer["connectionId"].as_str().is_some_and(|id| id.len() == 16));
    assert!(matches!(last, Ok(Message::Close(_))), "{last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_is_refused_before_it_is_one() {
    let service = Service::start_with_example(&[]).await;
    let ada = service.signup("ada@example.com").await;
    let url = neighbour(&service, ApiKind::WebSocket).url();
    assert_eq!(refusal(open(url.clone()).await), 401);
    // The header is no identity source of this API: 401, although the authorizer would take it.
    let request = ClientRequestBuilder::new(url.parse().expect("a URL"));
    let bearer = request.with_header("authorization", format!("Bearer {}", ada.access));
    assert_eq!(refusal(open(bearer).await), 401);
    assert!(service.audited("access_token_refused").is_empty(), "the authorizer was not asked");
    for token in ["nonsense", ada.refresh.as_str()] {
        assert_eq!(refusal(connect(&service, token).await), 401);
    }
    service.pass(3601);
    assert_eq!(refusal(connect(&service, &ada.access).await), 401);
    let plain = service.call_url("GET", &url.replace("ws://", "http://")).send().await.expect(426);
    assert_eq!(plain.header("upgrade"), "websocket");
}

type Socket = tungstenite::WebSocket<tungstenite::stream::MaybeTlsStream<std::net::TcpStream>>;

async fn connect(service: &Service, token: &str) -> Result<Socket, tungstenite::Error> {
    let url = neighbour(service, ApiKind::WebSocket).url();
    open(format!("{url}/?access_token={token}")).await
}

/// The client blocks.
async fn open(request: impl IntoClientRequest + Send + 'static) -> Result<Socket, tungstenite::Error> {
    let opening = tokio::task::spawn_blocking(|| tungstenite::connect(request));
    opening.await.expect("a client").map(|(socket, _)| socket)
}

/// The status in place of 101.
#[track_caller]
#[expect(clippy::panic, reason = "a test that fails may panic")]
fn refusal(outcome: Result<Socket, tungstenite::Error>) -> u16 {
    match outcome {
        Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("not refused by HTTP: {other:?}"),
    }
}
