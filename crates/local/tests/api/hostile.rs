//! What an attacker cannot do: with the source, an account and the network; with a copy of the table; with a copy of the logs.
//! `docs/threat-model.md` names the test of each.

use auth_core::secret::Secret;
use auth_core::session::{Generation, SessionId};
use auth_core::token::TokenNames;
use auth_core::token::refresh::{RefreshKey, RefreshKeys};
use auth_core::user::UserId;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::support::http::Reply;
use crate::support::table::Table;
use crate::support::{PASSWORD, Service, Tokens, claims};

/// Tries a text in every place where a credential belongs. None of them may open.
async fn opens_nothing(service: &Service, email: &str, text: &str) {
    let what = text.escape_debug();
    let header = text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if header {
        assert!(service.me(text).await.status == 401, "{what} as an access token");
        let call = service.call("POST", "/auth/refresh").bearer(text);
        assert!(matches!(call.send().await.status, 400 | 401), "{what} as a refresh token in a header");
    }
    assert!(matches!(service.refresh(text).await.status, 400 | 401), "{what} as a refresh token");
    assert_eq!(service.try_login(email, text).await.status, 401, "{what} as a password");
}

/// What every answer says to a browser that takes it for something else than data.
fn assert_protected(what: &str, reply: &Reply) {
    let policy = reply.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'") || policy == "sandbox", "{what}: {policy}");
    assert_eq!(reply.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(reply.header("strict-transport-security"), "max-age=31536000", "{what}");
    assert!(!reply.header("cache-control").is_empty(), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_how_a_browser_may_use_it() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    for (what, reply) in [
        ("tokens", service.try_login("ada@example.com", PASSWORD).await.expect(200)),
        ("an error", service.try_login("ada@example.com", "wrong password").await.expect(401)),
        ("a user", service.me(&tokens.access).await.expect(200)),
        ("no content", service.logout(&tokens.refresh).await.expect(204)),
        ("a document", service.call("GET", "/.well-known/jwks.json").send().await.expect(200)),
        ("no token", service.call("GET", "/auth/me").send().await.expect(401)),
        ("no route", service.call("GET", "/nothing").send().await.expect(404)),
    ] {
        assert_protected(what, &reply);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_asked_for_is_not_taken() {
    let service = Service::start(&[]).await;
    let wish = json!({
        "email": "eve@example.com", "password": PASSWORD, "userId": "7f3c9a52-1f0e-4b7b-9d3e-2a6c5b8e4d10",
        "emailVerified": true, "email_verified": true, "status": "active", "role": "admin", "createdAt": 0,
        "sid": "A".repeat(43), "sessionId": "A".repeat(43), "generation": 9, "expires_at": 0, "pk": "USER#x",
    });
    let reply = service.call("POST", "/auth/signup").json(&wish).send().await.expect(201);
    assert_eq!(reply.body["user"]["emailVerified"], false);
    assert_ne!(reply.body["user"]["userId"], wish["userId"]);
    let access = reply.body["accessToken"].as_str().expect("a token");
    assert_ne!(claims(access)["sid"], wish["sid"], "a session that the attacker chose");
    assert!(claims(access).get("role").is_none());
    let change = json!({
        "displayName": "Eve", "email": "ada@example.com", "emailVerified": true, "status": "active",
        "userId": "x", "passwordHash": "x", "password": "another password",
    });
    let changed = service.call("PATCH", "/auth/me").bearer(access).json(&change).send().await.expect(200);
    let mut expected = reply.body["user"].clone();
    expected["displayName"] = json!("Eve");
    assert_eq!(changed.body["user"], expected);
    service.try_login("eve@example.com", "another password").await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_brings_a_principal_of_their_own() {
    let service = Service::start(&[]).await;
    let ada = service.signup("ada@example.com").await;
    let eve = service.signup("eve@example.com").await;
    let sid = claims(&ada.access)["sid"].as_str().expect("a sid").to_owned();
    let request = || {
        let call = service.call("GET", "/auth/me").header("x-user-id", &ada.user).header("userid", &ada.user);
        let call = call.header("x-amzn-oidc-identity", &ada.user).header("x-session-id", &sid);
        call.header("x-forwarded-user", &ada.user)
    };
    request().send().await.expect(401);
    assert_eq!(request().bearer(&eve.access).send().await.expect(200).body["user"]["userId"], eve.user);
    let two = service.call("GET", "/auth/me").bearer(&eve.access).bearer(&ada.access).send().await;
    assert!(matches!(two.status, 200 | 401), "two headers are one caller or none");
    let query = format!("/auth/me?access_token={}", ada.access);
    service.call("GET", &query).send().await.expect(401);
}

/// A login begins a session of its own, whatever tokens the request brings (session fixation).
#[tokio::test(flavor = "multi_thread")]
async fn a_login_takes_over_no_session() {
    let service = Service::start(&[]).await;
    let eve = service.signup("eve@example.com").await;
    service.signup("ada@example.com").await;
    let body = json!({
        "email": "ada@example.com", "password": PASSWORD, "refreshToken": eve.refresh, "accessToken": eve.access,
        "sid": claims(&eve.access)["sid"],
    });
    let call = service.call("POST", "/auth/login").bearer(&eve.access);
    let call = call.header("cookie", &format!("__Secure-refresh_token={}", eve.refresh));
    let reply = call.json(&body).send().await.expect(200);
    let access = reply.body["accessToken"].as_str().expect("a token");
    assert_ne!(claims(access)["sid"], claims(&eve.access)["sid"]);
    service.me(&eve.access).await.expect(200);
    assert_eq!(service.me(access).await.expect(200).body["user"]["email"], "ada@example.com");
}

/// Texts that are keys, expressions or line ends elsewhere stay texts here.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_no_key_expression_or_header() {
    let service = Service::start(&[]).await;
    let ada = service.signup("ada@example.com").await;
    let hostile = [
        "USER#7f3c9a52-1f0e-4b7b-9d3e-2a6c5b8e4d10",
        "SESSION#",
        ":active",
        "#status = :x",
        "a = :b REMOVE pk",
        "{\"S\":\"x\"}",
        "attribute_exists(pk)",
        "$(id)",
        "${jndi:ldap://x}",
        "%0d%0aSet-Cookie: a=b",
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "../../etc/passwd",
    ];
    for text in hostile {
        let body = json!({"displayName": text, "firstName": text});
        let reply =
            service.call("PATCH", "/auth/me").bearer(&ada.access).json(&body).send().await.expect(200);
        assert_eq!(reply.body["user"]["displayName"], text);
        assert!(!format!("{:?}", reply.headers).contains(text), "{text}");
        let end = text.replace(['/', '#', ' ', '%', '<', '>', '"', '{', '}', '\''], "_");
        let end = service.call("DELETE", &format!("/auth/sessions/{end}")).bearer(&ada.access);
        assert!(matches!(end.send().await.status, 400 | 404), "{text}");
    }
    for text in ["a\r\nSet-Cookie: b=c", "a\nb", "a\u{2028}b", "a\u{202e}b", "a\0b"] {
        let body = json!({"displayName": text});
        service.call("PATCH", "/auth/me").bearer(&ada.access).json(&body).send().await.expect(400);
    }
    // `#` is allowed in an address, and is what keys are put together with.
    let other = service.signup("ada#credential@example.com").await;
    assert_ne!(other.user, ada.user);
    assert_eq!(service.login("ada@example.com").await.user, ada.user);
    let table = Table::of(&service).await;
    assert_eq!(table.items_of("CREDENTIAL").await.len(), 2);
}

/// An address can be locked by whoever knows it. Its owner stays signed in all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_address_keeps_its_sessions() {
    let service = Service::start(&[("LOGIN_LOCK_FAILURES", "3"), ("LOGIN_LIMIT_PER_ADDRESS", "2")]).await;
    let ada = service.signup("ada@example.com").await;
    for _ in 0..2 {
        service.try_login("ada@example.com", "not the password").await.expect(401);
    }
    service.try_login("ada@example.com", PASSWORD).await.expect(429);
    service.pass(900);
    service.try_login("ada@example.com", "not the password").await.expect(401);
    service.pass(900);
    service.try_login("ada@example.com", PASSWORD).await.expect(429);
    service.me(&ada.access).await.expect(200);
    service.refresh(&ada.refresh).await.expect(200);
}

/// What a cache keeps for others says nothing that a caller put there.
#[tokio::test(flavor = "multi_thread")]
async fn the_public_documents_repeat_nothing_of_the_request() {
    let service = Service::start(&[]).await;
    let event = include_str!("../../../../events/well-known-openid-configuration.json");
    let mut event: Value = serde_json::from_str(event).expect("JSON");
    for name in ["Host", "X-Forwarded-Host", "X-Original-Host", "Forwarded", "Referer", "Origin"] {
        event["headers"][name] = json!("evil.example");
        event["multiValueHeaders"][name] = json!(["evil.example"]);
    }
    let answer = service.stack.invoke("WellKnownFunction", &event).await.expect("an answer");
    assert_eq!(answer["statusCode"], 200);
    assert!(!answer.to_string().contains("evil.example"), "{answer}");
    // A whole URL's worth of host behind the gateway's own name; and a scheme that anybody on the way can read and change.
    let domain = event["requestContext"]["domainName"].as_str().expect("a domain").to_owned();
    for (name, value) in
        [("Host", format!("{domain}:@evil.example")), ("X-Forwarded-Proto", "http".to_owned())]
    {
        event["headers"][name] = json!(value);
        event["multiValueHeaders"][name] = json!([value]);
    }
    let answer = service.stack.invoke("WellKnownFunction", &event).await.expect("an answer");
    let document = answer["body"].as_str().expect("a body");
    assert!(!document.contains("evil.example") && !document.contains("http://"), "{document}");
}

/// The forgeries that are cheapest to try, over the wire: a 401, and a line in the audit log.
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_token_is_refused_and_noticed() {
    let service = Service::start(&[]).await;
    let Tokens { access, refresh, .. } = service.signup("ada@example.com").await;
    let parts: Vec<&str> = access.split('.').collect();
    // {"alg":"none","typ":"at+jwt"}
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", parts[1]);
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    let resigned = format!("{}.{}.{}", parts[0], parts[1], refresh.rsplit('.').next().expect("a signature"));
    for token in [none, unsigned, resigned, refresh, format!("{access}A"), "null".to_owned()] {
        assert_eq!(service.me(&token).await.expect(401).code(), "invalid_token");
    }
    assert_eq!(service.audited("access_token_refused").len(), 6);
}

/// Every attribute of every item, tried wherever a credential belongs, and as a key to make one with.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_the_table_signs_in_as_nobody() {
    let unlimited =
        [("LOGIN_LIMIT_PER_ADDRESS", "0"), ("LOGIN_LIMIT_PER_IP", "0"), ("LOGIN_LOCK_FAILURES", "0")];
    let service = Service::start(&unlimited).await;
    let ada = service.signup("ada@example.com").await;
    service.refresh_with_key(&ada.refresh, "a-key-of-the-client's").await.expect(200);
    let mut texts = Vec::new();
    for item in Table::of(&service).await.items().await {
        texts.extend(item.into_values().filter_map(|value| match value {
            AttributeValue::S(text) | AttributeValue::N(text) => Some(text),
            _ => None,
        }));
    }
    texts.sort();
    texts.dedup();
    texts.retain(|text| !text.is_empty());
    assert!(texts.len() > 15, "{texts:?}");
    for text in &texts {
        opens_nothing(&service, "ada@example.com", text).await;
        if let Some((_, id)) = text.split_once('#') {
            opens_nothing(&service, "ada@example.com", id).await;
        }
        opens_nothing(&service, "ada@example.com", &minted_with(text, &ada)).await;
    }
    service.login("ada@example.com").await;
}

/// The refresh token of the session's present state, under a key made of `text`.
fn minted_with(text: &str, of: &Tokens) -> String {
    let names = TokenNames { issuer: "urn:latchkey".into(), audience: "urn:latchkey:api".into() };
    let key = RefreshKey::derive(&Secret::new(text.repeat(32))).expect("a key");
    let claims = claims(&of.access);
    let time = |name: &str| serde_json::from_value(claims[name].clone()).expect("a time");
    let sid = SessionId::parse(claims["sid"].as_str().expect("a sid")).expect("a sid");
    let user = UserId::parse(&of.user).expect("an id");
    let generation = Generation::from_number(1);
    let keys = RefreshKeys::new(&names, key, Vec::new());
    keys.mint(&user, &sid, generation, time("iat"), time("exp")).expect("a token")
}

/// Everything that audit lines say of a day with every event, and what it opens.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_the_logs_learns_no_secret_and_signs_in_as_nobody() {
    let unlimited =
        [("LOGIN_LIMIT_PER_ADDRESS", "0"), ("LOGIN_LIMIT_PER_IP", "0"), ("LOGIN_LOCK_FAILURES", "0")];
    let service = Service::start(&unlimited).await;
    let name = json!({"displayName": "Augusta Ada"});
    let ada = service.signup("ada@example.com").await;
    let bob = service.signup("bob@example.com").await;
    service.try_login("ada@example.com", "plum-kettle-orbit-4173").await.expect(401);
    service.try_login("nobody@example.com", PASSWORD).await.expect(401);
    service.try_signup("ada@example.com").await.expect(409);
    let change = service.call("PATCH", "/auth/me").bearer(&ada.access).json(&name);
    change.send().await.expect(200);
    let next = service.refresh_with_key(&ada.refresh, "a-key-of-the-client's").await.expect(200);
    service.pass(11);
    service.refresh(&bob.refresh).await.expect(200);
    service.pass(11);
    service.refresh(&bob.refresh).await.expect(401);
    service.refresh("not.a.token").await.expect(401);
    service.me(&bob.access).await.expect(401);
    service.logout(next.body["refreshToken"].as_str().expect("a token")).await.expect(204);
    let live = service.login("ada@example.com").await;

    let entries = service.stack.audit().entries();
    let lines: Vec<Value> =
        entries.iter().map(|entry| serde_json::to_value(entry).expect("an entry is JSON")).collect();
    assert!(lines.len() >= 11, "{}", lines.len());
    let everything = json!(lines).to_string();
    for secret in [
        PASSWORD,
        "plum-kettle-orbit-4173",
        "ada@example.com",
        "nobody@example.com",
        "Augusta",
        "a-key-of-the-client's",
        "$argon2id$",
        "eyJ",
        live.refresh.rsplit('.').next().expect("a signature"),
        live.access.rsplit('.').next().expect("a signature"),
    ] {
        assert!(!everything.contains(secret), "{secret} is in the log");
    }
    let mut texts: Vec<&str> = lines
        .iter()
        .filter_map(Value::as_object)
        .flat_map(|line| line.values())
        .filter_map(Value::as_str)
        .collect();
    texts.sort_unstable();
    texts.dedup();
    texts.retain(|text| !text.is_empty());
    for text in texts {
        opens_nothing(&service, "ada@example.com", text).await;
        opens_nothing(&service, "ada@example.com", &minted_with(text, &live)).await;
    }
    service.me(&live.access).await.expect(200);
}
