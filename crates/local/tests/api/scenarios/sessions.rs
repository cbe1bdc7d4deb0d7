//! A user's sessions: listed, ended one by one, ended all at once.

use serde_json::{Value, json};

use super::world::{World, error_code};
use crate::support::{NEW_PASSWORD, PASSWORD, Tokens, claims, tokens};

#[tokio::test(flavor = "multi_thread")]
async fn a_user_sees_their_sessions_and_which_one_is_this() {
    let world = World::open().await;
    let person = world.person().await;
    let body = json!({"email": person.email, "password": PASSWORD});
    let reply = world.call("POST", "/auth/login").header("user-agent", "phone/1.0").json(&body).send().await;
    let phone = tokens(&reply.expect(200).body);
    let listed = sessions(&world, &phone).await;
    assert_eq!(listed.len(), 2, "{listed:?}");
    let this = listed.iter().find(|session| session["sessionId"] == claims(&phone.access)["sid"]);
    let this = this.expect("the session that asks");
    assert_eq!((&this["current"], &this["userAgent"]), (&json!(true), &json!("phone/1.0")));
    assert_eq!(this["ip"], "127.0.0.1", "from the gateway's request context");
    assert_eq!(listed.iter().filter(|session| session["current"] == true).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_its_user_ends_is_over_at_once() {
    let world = World::open().await;
    let person = world.person().await;
    let other = world.login(&person).await;
    let stranger = world.person().await;
    let sid = claims(&other.access)["sid"].as_str().expect("a sid").to_owned();
    let end = |tokens: &Tokens| {
        world.call("DELETE", &format!("/auth/sessions/{sid}")).bearer(&tokens.access).send()
    };
    end(&stranger.tokens).await.expect(204);
    world.me(&other.access).await.expect(200);
    end(&person.tokens).await.expect(204);
    world.me(&other.access).await.expect(401);
    world.refresh(&other.refresh).await.expect(401);
    assert_eq!(sessions(&world, &person.tokens).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_all_ends_every_session_and_counts_them() {
    let world = World::open().await;
    let person = world.person().await;
    let mut all = vec![person.tokens.clone()];
    for _ in 0..2 {
        all.push(world.login(&person).await);
    }
    let reply = world.call("POST", "/auth/revoke-all").bearer(&person.tokens.access).send().await.expect(200);
    assert_eq!(reply.body["revokedSessions"], 3);
    for tokens in all {
        world.me(&tokens.access).await.expect(401);
        assert_eq!(error_code(&world.refresh(&tokens.refresh).await.expect(401)), "invalid_grant");
    }
    world.login(&person).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_ends_the_other_sessions_and_their_password() {
    let world = World::open().await;
    let person = world.person().await;
    let other = world.login(&person).await;
    let change = async |current: &str| {
        let body = json!({"currentPassword": current, "newPassword": NEW_PASSWORD});
        world.call("POST", "/auth/password").bearer(&person.tokens.access).json(&body).send().await
    };
    assert_eq!(error_code(&change("not the password").await.expect(401)), "invalid_credentials");
    let changed = change(PASSWORD).await.expect(200);
    assert_eq!(changed.body["revokedSessions"], 1);
    world.me(&other.access).await.expect(401);
    world.me(&person.tokens.access).await.expect(401);
    world.me(&tokens(&changed.body).access).await.expect(200);
    world.try_login(&person.email, PASSWORD).await.expect(401);
    world.try_login(&person.email, NEW_PASSWORD).await.expect(200);
}

async fn sessions(world: &World, tokens: &Tokens) -> Vec<Value> {
    let reply = world.call("GET", "/auth/sessions").bearer(&tokens.access).send().await.expect(200);
    reply.body["sessions"].as_array().expect("a list").clone()
}
