//! Accounts, sessions and tokens of an earlier edition.

use serde_json::json;

use super::fixture::Upgraded;
use crate::support::{NEW_PASSWORD, PASSWORD, Tokens, claims, tokens};

/// Ada's sessions that are live at the snapshot. The access token of the desktop has expired.
pub(super) const LIVE: [&str; 6] = ["phone", "laptop", "tablet", "copied", "watch", "desktop"];

/// Sessions that were revoked before it.
const REVOKED: [&str; 3] = ["signed out", "stolen", "frank, elsewhere"];

/// Whose password is no longer the one of the signup, who is locked, who is disabled.
const OTHERS: [&str; 3] = ["frank@example.com", "carol@example.com", "eve@example.com"];

fn sid(of: &Tokens) -> String {
    claims(&of.access)["sid"].as_str().expect("a sid").to_owned()
}

/// The ids of the sessions that a caller is shown.
pub(super) async fn listed(upgraded: &Upgraded, caller: &Tokens) -> Vec<String> {
    let call = upgraded.service.call("GET", "/auth/sessions").bearer(&caller.access);
    let reply = call.send().await.expect(200);
    let sessions = reply.body["sessions"].as_array().expect("a list");
    let mut ids: Vec<_> =
        sessions.iter().map(|session| session["sessionId"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn every_account_logs_in_as_the_same_user() {
    let upgraded = Upgraded::from_first().await;
    let mut logins = 0;
    for (address, user) in upgraded.signups().filter(|(address, _)| !OTHERS.contains(address)) {
        let reply = upgraded.service.try_login(address, PASSWORD).await.expect(200);
        assert_eq!(reply.body["user"]["userId"], user, "{address}");
        upgraded.service.try_login(address, NEW_PASSWORD).await.expect(401);
        logins += 1;
    }
    assert_eq!(logins, 12);
    upgraded.service.try_login("frank@example.com", PASSWORD).await.expect(401);
    upgraded.service.try_login("frank@example.com", NEW_PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_has_an_account_cannot_sign_up_again() {
    let upgraded = Upgraded::from_first().await;
    for (address, _) in upgraded.signups() {
        assert_eq!(upgraded.service.try_signup(address).await.expect(409).code(), "email_taken", "{address}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_tokens_are_accepted_until_they_expire() {
    let upgraded = Upgraded::from_first().await;
    for name in LIVE.into_iter().filter(|name| *name != "desktop").chain(["ruth 1", "frank"]) {
        let issued = upgraded.tokens(name);
        let reply = upgraded.service.me(&issued.access).await.expect(200);
        assert_eq!(reply.body["user"]["userId"], issued.user, "{name}");
    }
    for name in REVOKED.into_iter().chain(["desktop"]) {
        upgraded.service.me(&upgraded.tokens(name).access).await.expect(401);
    }
    upgraded.service.pass(3_600);
    upgraded.service.me(&upgraded.tokens("watch").access).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_tokens_are_rotated_within_their_session() {
    let upgraded = Upgraded::from_first().await;
    for name in LIVE {
        let issued = upgraded.tokens(name);
        let second = tokens(&upgraded.service.refresh(&issued.refresh).await.expect(200).body);
        assert_eq!((&second.user, sid(&second)), (&issued.user, sid(&issued)), "{name}");
        upgraded.service.me(&second.access).await.expect(200);
        upgraded.service.pass(60);
        let third = tokens(&upgraded.service.refresh(&second.refresh).await.expect(200).body);
        upgraded.service.me(&third.access).await.expect(200);
    }
    for name in REVOKED.into_iter().chain(["signup of ada@example.com"]) {
        upgraded.service.refresh(&upgraded.tokens(name).refresh).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_is_repeated_in_its_grace_period_and_with_its_idempotency_key() {
    let upgraded = Upgraded::from_first().await;
    let service = &upgraded.service;
    let repeated = service.refresh(&upgraded.tokens("watch, before").refresh).await.expect(200);
    let generation = |token: &str| claims(token)["gen"].clone();
    let successor = upgraded.tokens("watch");
    assert_eq!(generation(&tokens(&repeated.body).refresh), generation(&successor.refresh));
    service.refresh(&successor.refresh).await.expect(200);
    let before = upgraded.tokens("tablet, before");
    let repeated = service.refresh_with_key(&before.refresh, "first-edition-key").await.expect(200);
    service.refresh(&tokens(&repeated.body).refresh).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_refresh_token_revokes_its_session() {
    let upgraded = Upgraded::from_first().await;
    upgraded.service.pass(60);
    for name in ["laptop", "tablet", "copied"] {
        let before = upgraded.tokens(&format!("{name}, before"));
        upgraded.service.refresh(&before.refresh).await.expect(401);
        let current = upgraded.tokens(name);
        upgraded.service.me(&current.access).await.expect(401);
        upgraded.service.refresh(&current.refresh).await.expect(401);
    }
    assert_eq!(upgraded.service.audited("refresh_token_reused"), ["superseded"; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn live_sessions_are_listed() {
    let upgraded = Upgraded::from_first().await;
    let mut live = LIVE.map(|name| sid(&upgraded.tokens(name)));
    live.sort();
    assert_eq!(listed(&upgraded, &upgraded.tokens("phone")).await, live);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_is_revoked_by_its_id_and_by_logout() {
    let upgraded = Upgraded::from_first().await;
    let (service, phone) = (&upgraded.service, upgraded.tokens("phone"));
    let path = format!("/auth/sessions/{}", sid(&upgraded.tokens("laptop")));
    service.call("DELETE", &path).bearer(&phone.access).send().await.expect(204);
    service.logout(&upgraded.tokens("tablet").refresh).await.expect(204);
    service.call("POST", "/auth/logout").bearer(&upgraded.tokens("copied").access).send().await.expect(204);
    for name in ["laptop", "tablet", "copied"] {
        service.me(&upgraded.tokens(name).access).await.expect(401);
        service.refresh(&upgraded.tokens(name).refresh).await.expect(401);
    }
    let mut left = ["phone", "watch", "desktop"].map(|name| sid(&upgraded.tokens(name)));
    left.sort();
    assert_eq!(listed(&upgraded, &phone).await, left);
}

#[tokio::test(flavor = "multi_thread")]
async fn revoke_all_revokes_them() {
    let upgraded = Upgraded::from_first().await;
    let call = upgraded.service.call("POST", "/auth/revoke-all").bearer(&upgraded.tokens("phone").access);
    assert_eq!(call.send().await.expect(200).body["revokedSessions"], LIVE.len());
    for name in LIVE {
        upgraded.service.me(&upgraded.tokens(name).access).await.expect(401);
        upgraded.service.refresh(&upgraded.tokens(name).refresh).await.expect(401);
    }
    upgraded.service.me(&upgraded.tokens("frank").access).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_change_revokes_them() {
    let upgraded = Upgraded::from_first().await;
    let body = json!({"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD});
    let phone = upgraded.tokens("phone");
    let reply = upgraded.service.change_password(&phone.access, &body).await.expect(200);
    assert_eq!(reply.body["revokedSessions"], LIVE.len() - 1);
    for name in LIVE.into_iter().filter(|name| *name != "phone") {
        upgraded.service.me(&upgraded.tokens(name).access).await.expect(401);
        upgraded.service.refresh(&upgraded.tokens(name).refresh).await.expect(401);
    }
    upgraded.service.try_login("ada@example.com", PASSWORD).await.expect(401);
    upgraded.service.try_login("ada@example.com", NEW_PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_changed_once_is_changed_again() {
    let upgraded = Upgraded::from_first().await;
    let body = json!({"currentPassword": NEW_PASSWORD, "newPassword": PASSWORD});
    upgraded.service.change_password(&upgraded.tokens("frank").access, &body).await.expect(200);
    upgraded.service.try_login("frank@example.com", NEW_PASSWORD).await.expect(401);
    upgraded.service.try_login("frank@example.com", PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_stays_out() {
    let upgraded = Upgraded::from_first().await;
    let eve = upgraded.tokens("eve");
    upgraded.service.try_login("eve@example.com", PASSWORD).await.expect(403);
    upgraded.service.refresh(&eve.refresh).await.expect(403);
    upgraded.service.me(&eve.access).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_changed() {
    let upgraded = Upgraded::from_first().await;
    let call = upgraded.service.call("PATCH", "/auth/me").bearer(&upgraded.tokens("phone").access);
    let reply = call.json(&json!({"displayName": "Ada"})).send().await.expect(200);
    assert_eq!(reply.body["user"]["displayName"], "Ada");
}
