//! `GET /auth/sessions`, `DELETE /auth/sessions/{sessionId}`, `POST /auth/revoke-all`.

use serde_json::json;

use crate::support::table::Table;
use crate::support::{Service, claims};

/// A gateway that sends every method to the function is no reason to end sessions.
#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_means_nothing_does_nothing() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let event = include_str!("../../../../events/sessions-revoke-all.json");
    let sid = claims(&tokens.access)["sid"].as_str().expect("a sid").to_owned();
    let event = event
        .replace("7f3c9a52-1f0e-4b7b-9d3e-2a6c5b8e4d10", &tokens.user)
        .replace("q3Vn0eYk5rT8wZb1XcD6uJm4sLg7hPf2aQi9oRt0yEs", &sid);
    let (put, delete) = (("\"POST\"", "\"PUT\""), ("\"POST\"", "\"DELETE\""));
    for (from, to) in [put, delete, ("/auth/revoke-all", "/auth/sessions")] {
        let event = serde_json::from_str(&event.replace(from, to)).expect("JSON");
        let answer = service.stack.invoke("SessionsFunction", &event).await.expect("an answer");
        assert_eq!(answer["statusCode"], 404, "{to}");
    }
    service.me(&tokens.access).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_sees_their_live_sessions_and_which_one_is_this() {
    let service = Service::start(&[("REFRESH_TOKEN_EXPIRY", "2h")]).await;
    service.signup("bob@example.com").await;
    let old = service.signup("ada@example.com").await;
    let began = service.now();
    service.pass(3_600);
    let body = json!({"email": "ada@example.com", "password": crate::support::PASSWORD});
    let new = service
        .call("POST", "/auth/login")
        .header("user-agent", "phone/1.0")
        .json(&body)
        .send()
        .await
        .expect(200);
    let access = new.body["accessToken"].as_str().expect("a token");
    let reply = service.call("GET", "/auth/sessions").bearer(access).send().await.expect(200);
    let sessions = reply.body["sessions"].as_array().expect("a list").clone();
    assert_eq!(sessions.len(), 2, "{}", reply.body);
    assert_eq!(sessions[0]["sessionId"], claims(access)["sid"]);
    assert_eq!((&sessions[0]["current"], &sessions[0]["userAgent"]), (&json!(true), &json!("phone/1.0")));
    assert_eq!((&sessions[0]["ip"], &sessions[0]["createdAt"]), (&json!("127.0.0.1"), &json!(service.now())));
    assert_eq!((&sessions[1]["current"], &sessions[1]["createdAt"]), (&json!(false), &json!(began)));
    assert_eq!(sessions[1]["expiresAt"], began + 7_200);
    service.logout(&old.refresh).await.expect(204);
    let reply = service.call("GET", "/auth/sessions").bearer(access).send().await.expect(200);
    assert_eq!(reply.body["sessions"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_over_is_not_listed() {
    let service = Service::start(&[("REFRESH_TOKEN_EXPIRY", "2h")]).await;
    service.signup("ada@example.com").await;
    service.pass(7_200);
    let new = service.login("ada@example.com").await;
    let reply = service.call("GET", "/auth/sessions").bearer(&new.access).send().await.expect(200);
    assert_eq!(reply.body["sessions"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_ends_one_of_their_sessions_and_nobody_elses() {
    let service = Service::start(&[]).await;
    let mine = service.signup("ada@example.com").await;
    let phone = service.login("ada@example.com").await;
    let other = service.signup("bob@example.com").await;
    let delete = |token: String, of: &str| {
        let sid = claims(of)["sid"].as_str().expect("a sid").to_owned();
        service.call("DELETE", &format!("/auth/sessions/{sid}")).bearer(&token)
    };
    delete(mine.access.clone(), &phone.access).send().await.expect(204);
    service.me(&phone.access).await.expect(401);
    delete(mine.access.clone(), &phone.access).send().await.expect(204);
    delete(mine.access.clone(), &other.access).send().await.expect(204);
    service.me(&other.access).await.expect(200);
    assert_eq!(service.audited("session_ended").len(), 1);
    let reply = service.call("DELETE", "/auth/sessions/mine").bearer(&mine.access).send().await.expect(400);
    assert_eq!(reply.body["errorDescription"], "sessionId is not the identifier of a session");
}

#[tokio::test(flavor = "multi_thread")]
async fn revoke_all_ends_every_session_of_the_user() {
    let service = Service::start(&[("LOGIN_LIMIT_PER_IP", "0")]).await;
    let other = service.signup("bob@example.com").await;
    let mut mine = vec![service.signup("ada@example.com").await];
    for _ in 0..20 {
        mine.push(service.login("ada@example.com").await);
    }
    service.logout(&mine[0].refresh).await.expect(204);
    let reply = service.call("POST", "/auth/revoke-all").bearer(&mine[1].access).send().await.expect(200);
    assert_eq!(reply.body, json!({"revokedSessions": 20}));
    for tokens in &mine {
        service.me(&tokens.access).await.expect(401);
        service.refresh(&tokens.refresh).await.expect(401);
    }
    service.me(&other.access).await.expect(200);
    service.login("ada@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_record_is_gone_is_over() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let table = Table::of(&service).await;
    table.delete(&table.items_of("SESSION#").await[0]).await;
    service.me(&tokens.access).await.expect(401);
    assert_eq!(service.audited("access_token_refused"), ["unknown_session"]);
    assert_eq!(service.refresh(&tokens.refresh).await.expect(401).code(), "invalid_grant");
    assert_eq!(service.audited("refresh_token_refused"), ["unknown_session"]);
    service.logout(&tokens.refresh).await.expect(204);
    assert_eq!(table.items_of("SESSION#").await.len(), 0, "nothing brings it back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_time_is_over_is_not_counted_as_ended() {
    let service = Service::start(&[("REFRESH_TOKEN_EXPIRY", "2h")]).await;
    service.signup("ada@example.com").await;
    service.pass(7_200);
    let new = service.login("ada@example.com").await;
    let reply = service.call("POST", "/auth/revoke-all").bearer(&new.access).send().await.expect(200);
    assert_eq!(reply.body, json!({"revokedSessions": 1}));
}
