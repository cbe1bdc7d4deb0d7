//! `POST /auth/password`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::http::Reply;
use crate::support::table::{Table, text};
use crate::support::tap::{Fault, Tap, Target};
use crate::support::{NEW_PASSWORD, PASSWORD, Service, Tokens, claims, tapped, tokens};

/// The two passwords as a body.
pub(crate) fn passwords(current: &str, new: &str) -> Value {
    json!({"currentPassword": current, "newPassword": new})
}

/// A wrong current password and a good new one.
async fn guess(service: &Service, caller: &Tokens, number: u32) -> Reply {
    service.change_password(&caller.access, &passwords(&format!("guess number {number}"), NEW_PASSWORD)).await
}

async fn change(service: &Service, caller: &Tokens) -> Reply {
    service.change_password(&caller.access, &passwords(PASSWORD, NEW_PASSWORD)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_ends_the_other_sessions_on_their_next_request() {
    let service = Service::start(&[]).await;
    let (phone, laptop) = (service.signup("ada@example.com").await, service.login("ada@example.com").await);
    let mine = service.login("ada@example.com").await;
    let other = service.signup("bob@example.com").await;
    let reply = change(&service, &mine).await.expect(200);
    assert_eq!(reply.body["revokedSessions"], 2);
    for ended in [&phone, &laptop] {
        service.me(&ended.access).await.expect(401);
        assert_eq!(service.refresh(&ended.refresh).await.expect(401).code(), "invalid_grant");
    }
    service.me(&other.access).await.expect(200);
    service.login("bob@example.com").await;
    assert_eq!(service.audited("password_changed"), [""]);
    assert_eq!(service.audited("sessions_revoked"), ["password_changed"]);
    assert_eq!(
        service.audited("login"),
        ["", "", "password_changed", ""],
        "the new session, then that of bob"
    );
    let sessions = Table::of(&service).await.items_of("SESSION#").await;
    let reasons = sessions.iter().map(|session| text(session, "revoked_reason"));
    assert_eq!(reasons.filter(|reason| *reason == "password_changed").count(), 3, "and the one that asked");
}

/// OWASP ASVS 5.0 V7.2.4: whoever has a copy of the old tokens is signed out.
#[tokio::test(flavor = "multi_thread")]
async fn the_session_that_changes_the_password_is_replaced_by_a_new_one() {
    let service = Service::start(&[]).await;
    let old = service.signup("ada@example.com").await;
    let reply = change(&service, &old).await.expect(200);
    assert_eq!(reply.header("cache-control"), "no-store");
    let new = tokens(&reply.body);
    assert_eq!((&new.user, &reply.body["tokenType"]), (&old.user, &json!("Bearer")));
    assert_ne!(claims(&new.access)["sid"], claims(&old.access)["sid"]);
    service.me(&old.access).await.expect(401);
    service.refresh(&old.refresh).await.expect(401);
    let next = tokens(&service.refresh(&new.refresh).await.expect(200).body);
    service.me(&next.access).await.expect(200);
    let listed = service.call("GET", "/auth/sessions").bearer(&next.access).send().await.expect(200);
    assert_eq!(listed.body["sessions"].as_array().map(Vec::len), Some(1));
    // The asking session is over: its request is not repeated, the new password signs in.
    assert_eq!(change(&service, &old).await.expect(401).code(), "invalid_token");
    service.try_login("ada@example.com", NEW_PASSWORD).await.expect(200);
}

/// An authorizer that renews tokens hands none of the old session over beside those of the new one.
#[tokio::test(flavor = "multi_thread")]
async fn no_renewed_token_of_the_old_session_comes_with_the_new_ones() {
    let service = Service::start(&[("RENEWAL", "rotate")]).await;
    let old = service.signup("ada@example.com").await;
    service.pass(3_500);
    let call = service.call("POST", "/auth/password").bearer(&old.access);
    let call = call.header("x-refresh-token", &old.refresh).json(&passwords(PASSWORD, NEW_PASSWORD));
    let reply = call.send().await.expect(200);
    for name in ["x-new-token", "x-new-access-token", "x-new-refresh-token"] {
        assert!(!reply.headers.contains_key(name), "{name}");
    }
    service.me(&tokens(&reply.body).access).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_password_signs_nobody_in_any_more_and_the_new_one_does() {
    let service = Service::start(&[]).await;
    let ada = service.signup("Ada@example.com").await;
    let ada = tokens(&change(&service, &ada).await.expect(200).body);
    assert_eq!(
        service.try_login("ada@example.com", PASSWORD).await.expect(401).code(),
        "invalid_credentials"
    );
    service.try_login("ada@example.com", NEW_PASSWORD).await.expect(200);
    let back = passwords(NEW_PASSWORD, PASSWORD);
    service.change_password(&ada.access, &back).await.expect(200);
    service.try_login("ada@example.com", NEW_PASSWORD).await.expect(401);
    service.login("ada@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_current_password_changes_nothing_and_is_no_invalid_token() {
    let service = Service::start(&[]).await;
    let (mine, phone) = (service.signup("ada@example.com").await, service.login("ada@example.com").await);
    let reply = guess(&service, &mine, 0).await.expect(401);
    assert_eq!(reply.code(), "invalid_credentials", "an access token that is good is not to be renewed");
    assert_eq!(reply.body["errorDescription"], "The current password is wrong.");
    let challenge = reply.header("x-amzn-remapped-www-authenticate");
    assert_eq!(challenge, r#"Latchkey error="invalid_credentials""#);
    assert_eq!(service.audited("password_changed"), ["wrong_password"]);
    assert_eq!(service.audited("sessions_revoked").len(), 0);
    service.me(&phone.access).await.expect(200);
    service.login("ada@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_keeps_the_rules_of_the_signup() {
    let service = Service::start(&[("LOGIN_LIMIT_PER_ADDRESS", "1")]).await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD, "lastName": "Thistlewood"});
    let signup = service.call("POST", "/auth/signup").json(&body).send().await.expect(201);
    let access = signup.body["accessToken"].as_str().expect("a token");
    let long = "xkqv bnwp".repeat(15);
    for weak in ["short", "password", "ada@example.com", "Thistlewood1", long.as_str()] {
        let reply = service.change_password(access, &passwords(PASSWORD, weak)).await.expect(400);
        assert_eq!(reply.code(), "weak_password", "{weak}");
    }
    let same = service.change_password(access, &passwords(PASSWORD, PASSWORD)).await.expect(400);
    let what = (same.code(), same.body["errorDescription"].as_str());
    assert_eq!(what, ("invalid_request", Some("newPassword is the current password")));
    // None of them was an attempt.
    service.change_password(access, &passwords(PASSWORD, NEW_PASSWORD)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_passwords_are_asked_for_in_either_spelling_and_in_nfc() {
    let service = Service::start(&[]).await;
    let ada = service.signup("ada@example.com").await;
    for (body, what) in [
        (json!({"newPassword": NEW_PASSWORD}), "currentPassword is missing"),
        (json!({"currentPassword": PASSWORD}), "newPassword is missing"),
        (json!({"current_password": 7, "new_password": NEW_PASSWORD}), "currentPassword is not a string"),
    ] {
        let reply = service.change_password(&ada.access, &body).await.expect(400);
        assert_eq!(reply.body["errorDescription"], what);
    }
    let snake = json!({"current_password": PASSWORD, "new_password": "plu\u{308}m kettle o\u{308}rbit"});
    let ada = tokens(&service.change_password(&ada.access, &snake).await.expect(200).body);
    let composed = passwords("plüm kettle örbit", NEW_PASSWORD);
    service.change_password(&ada.access, &composed).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_guesses_at_once_no_more_than_the_limit_is_verified() {
    let service = Arc::new(Service::start(&[]).await);
    let ada = service.signup("ada@example.com").await;
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let (service, ada) = (Arc::clone(&service), ada.clone());
            tokio::spawn(async move { guess(&service, &ada, number).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.expect("no panic"));
    }
    let count = |status| statuses.iter().filter(|s| **s == status).count();
    assert_eq!((count(401), count(429)), (10, 40));
    assert_eq!(service.audited("password_changed"), vec!["wrong_password"; 10]);
    assert_eq!(service.audited("limit_reached"), vec!["password_session"; 40]);
    let reply = change(&service, &ada).await.expect(429);
    assert_eq!(reply.code(), "too_many_attempts");
    let wait: u64 = reply.header("retry-after").parse().expect("seconds");
    assert!((1..=900).contains(&wait), "{wait}");
    // Another session of the user has attempts left, until the user's own limit is reached.
    let other = service.login("ada@example.com").await;
    for number in 0..9 {
        guess(&service, &other, number).await.expect(401);
    }
    let third = service.login("ada@example.com").await;
    guess(&service, &third, 0).await.expect(401);
    change(&service, &third).await.expect(429);
    assert_eq!(service.audited("limit_reached").last().map(String::as_str), Some("password_user"));
    service.pass(900);
    change(&service, &third).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_at_the_login_keep_no_signed_in_user_from_a_change() {
    let settings = [("LOGIN_LIMIT_PER_IP", "60"), ("LOGIN_LOCK_FAILURES", "15")];
    let service = Service::start(&settings).await;
    let ada = service.signup("ada@example.com").await;
    for number in 0..60 {
        service.try_login("ada@example.com", &format!("guess number {number}")).await;
    }
    assert_eq!(service.audited("address_locked").len(), 1);
    service.try_login("ada@example.com", PASSWORD).await.expect(429);
    change(&service, &ada).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_of_a_signed_in_thief_keep_nobody_from_signing_in() {
    let service = Service::start(&[("LOGIN_LOCK_FAILURES", "5"), ("LOGIN_LIMIT_PER_ADDRESS", "6")]).await;
    let ada = service.signup("ada@example.com").await;
    for number in 0..8 {
        guess(&service, &ada, number).await;
    }
    assert_eq!(service.audited("password_changed"), ["wrong_password"; 5]);
    service.login("ada@example.com").await;
}

/// The estimate of a password costs CPU time.
#[tokio::test(flavor = "multi_thread")]
async fn weak_new_passwords_count_for_their_session_alone() {
    let service = Service::start(&[("LOGIN_LIMIT_PER_ADDRESS", "1")]).await;
    let ada = service.signup("ada@example.com").await;
    for _ in 0..10 {
        service.change_password(&ada.access, &passwords(PASSWORD, "password")).await.expect(400);
    }
    service.change_password(&ada.access, &passwords(PASSWORD, "password")).await.expect(429);
    let other = service.login("ada@example.com").await;
    change(&service, &other).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn consecutive_failures_lock_the_users_changes_and_a_change_ends_them() {
    let settings =
        [("LOGIN_LOCK_FAILURES", "3"), ("LOGIN_LIMIT_PER_ADDRESS", "0"), ("LOGIN_LIMIT_PER_IP", "0")];
    let service = Service::start(&settings).await;
    let ada = service.signup("ada@example.com").await;
    for number in 0..2 {
        guess(&service, &ada, number).await.expect(401);
    }
    let ada = tokens(&change(&service, &ada).await.expect(200).body);
    let back = |current: &str| passwords(current, PASSWORD);
    for number in 0..2 {
        service.change_password(&ada.access, &back(&format!("guess {number}"))).await.expect(401);
    }
    assert_eq!(service.audited("address_locked").len(), 0);
    service.change_password(&ada.access, &back("nor this one")).await.expect(401);
    assert_eq!(service.audited("address_locked").len(), 1);
    let reply = service.change_password(&ada.access, &back(NEW_PASSWORD)).await.expect(429);
    assert_eq!(reply.header("retry-after"), "86400");
    service.try_login("ada@example.com", NEW_PASSWORD).await.expect(200);
    service.me(&ada.access).await.expect(200);
}

/// A change that is cut off after the password was written: its own session could not be ended.
async fn cut_off(service: &Service, tap: &Tap, caller: &Tokens) {
    let session = format!("SESSION#{}", claims(&caller.access)["sid"].as_str().expect("a sid"));
    tap.spoil(Target::of("UpdateItem", session.leak()), Fault::Refuse("ThrottlingException"));
    change(service, caller).await.expect(503);
    tap.heal();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_from_the_same_session_is_a_success_that_ends_what_is_left() {
    let (_engine, service, tap) = tapped(&[]).await;
    let (mine, phone) = (service.signup("ada@example.com").await, service.login("ada@example.com").await);
    cut_off(&service, &tap, &mine).await;
    service.me(&mine.access).await.expect(200);
    let begun = service.try_login("ada@example.com", NEW_PASSWORD).await.expect(200);
    let begun = tokens(&begun.body);
    // Whoever knows the old and the new password has not made this change.
    let foreign = change(&service, &begun).await.expect(401);
    assert_eq!(foreign.code(), "invalid_credentials");
    let reply = change(&service, &mine).await.expect(200);
    assert_eq!(reply.body["revokedSessions"], 1);
    service.me(&begun.access).await.expect(401);
    service.me(&phone.access).await.expect(401);
    service.me(&mine.access).await.expect(401);
    service.me(&tokens(&reply.body).access).await.expect(200);
    service.try_login("ada@example.com", NEW_PASSWORD).await.expect(200);
    assert_eq!(service.audited("password_changed"), ["", "wrong_password", "repeated"]);
}

/// Whichever answer arrives, its tokens are those of the one new session.
#[tokio::test(flavor = "multi_thread")]
async fn every_repetition_of_a_change_is_answered_with_the_same_session() {
    let (engine, service, tap) = tapped(&[]).await;
    let mine = service.signup("ada@example.com").await;
    cut_off(&service, &tap, &mine).await;
    cut_off(&service, &tap, &mine).await;
    let new = tokens(&change(&service, &mine).await.expect(200).body);
    let table = Table::of(&engine).await;
    let named = text(&table.items_of("CREDENTIAL").await[0], "changed_to").to_owned();
    assert_eq!(claims(&new.access)["sid"], named.as_str());
    assert_eq!(table.items_of("SESSION#").await.len(), 2, "the old one and the new one");
}

/// The new session of a change that was cut off was ended by its owner before the change was repeated.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_that_has_ended_is_not_handed_out_by_a_repetition() {
    let (engine, service, tap) = tapped(&[]).await;
    let mine = service.signup("ada@example.com").await;
    cut_off(&service, &tap, &mine).await;
    let table = Table::of(&engine).await;
    let named = text(&table.items_of("CREDENTIAL").await[0], "changed_to").to_owned();
    let path = format!("/auth/sessions/{named}");
    service.call("DELETE", &path).bearer(&mine.access).send().await.expect(204);
    let new = tokens(&change(&service, &mine).await.expect(200).body);
    assert_ne!(claims(&new.access)["sid"], named.as_str());
    service.me(&new.access).await.expect(200);
}

/// The second look at a password in a request is counted like the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_gets_nobody_more_guesses() {
    let (_engine, service, tap) = tapped(&[("LOGIN_LIMIT_PER_ADDRESS", "5")]).await;
    let ada = service.signup("ada@example.com").await;
    cut_off(&service, &tap, &ada).await;
    let mut looked_at = 0;
    let statuses = loop {
        let body =
            passwords(&format!("guess number {looked_at}"), &format!("Guess-Quartz-Meadow-{looked_at}"));
        match service.change_password(&ada.access, &body).await.status {
            401 => looked_at += 2,
            status => break status,
        }
    };
    assert_eq!((statuses, looked_at), (429, 4), "the fifth is looked at and the sixth is not");
    assert_eq!(
        service.audited("password_changed"),
        ["", "wrong_password", "wrong_password", "wrong_password"],
        "the third is a guess too"
    );
    let body = passwords("not it", NEW_PASSWORD);
    service.change_password(&ada.access, &body).await.expect(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_changes_nothing() {
    let service = Service::start(&[]).await;
    let ada = service.signup("ada@example.com").await;
    let table = Table::of(&service).await;
    let before = table.items_of("CREDENTIAL").await;
    table.set(&table.items_of("PROFILE").await[0], "status", "disabled").await;
    assert_eq!(change(&service, &ada).await.expect(403).code(), "forbidden");
    assert_eq!(table.items_of("CREDENTIAL").await, before);
    assert_eq!(service.audited("password_changed"), ["user_disabled"]);
}

/// With the check off an access token holds until it ends. This is worth a look all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_ended_session_changes_no_password_even_where_the_authorizer_does_not_look() {
    let service = Service::start(&[("SESSION_CHECK", "off")]).await;
    let ada = service.signup("ada@example.com").await;
    service.logout(&ada.refresh).await.expect(204);
    service.me(&ada.access).await.expect(200);
    let reply = change(&service, &ada).await.expect(401);
    assert_eq!(reply.code(), "invalid_token");
    assert_eq!(service.audited("password_changed"), ["session_ended"]);
    service.login("ada@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_is_asked_for() {
    let service = Service::start(&[]).await;
    let ada = service.signup("ada@example.com").await;
    let body = passwords(PASSWORD, NEW_PASSWORD);
    let reply = service.call("POST", "/auth/password").json(&body).send().await.expect(401);
    assert_eq!(reply.code(), "invalid_token");
    service.change_password(&ada.refresh, &body).await.expect(401);
    service.login("ada@example.com").await;
}

/// A profile that names somebody else's address gives nobody else's password away.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_another_user_is_not_looked_at() {
    let service = Service::start(&[]).await;
    let (ada, _) = (service.signup("ada@example.com").await, service.signup("bob@example.com").await);
    let table = Table::of(&service).await;
    let profiles = table.items_of("PROFILE").await;
    let profile = profiles.iter().find(|profile| text(profile, "email") == "ada@example.com");
    table.set(profile.expect("a profile"), "email", "bob@example.com").await;
    assert_eq!(change(&service, &ada).await.expect(500).code(), "internal_error");
    service.login("bob@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_cookies_the_page_that_asked_reads_the_answer_and_gets_another_cookie() {
    let origin = "https://app.example.com";
    let service = Service::start(&[("TOKEN_DELIVERY", "cookie"), ("CORS_ALLOWED_ORIGINS", origin)]).await;
    let signup = service.call("POST", "/auth/signup").header("origin", origin);
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let signup = signup.json(&body).send().await.expect(201);
    let access = signup.body["accessToken"].as_str().expect("a token");
    let cookie_of = |reply: &Reply| reply.cookies()[0].split(';').next().expect("a cookie").to_owned();
    let call = |body: &Value| {
        let call = service.call("POST", "/auth/password").bearer(access).header("origin", origin);
        call.header("cookie", &cookie_of(&signup)).json(body)
    };
    let refused = call(&passwords("not it at all", NEW_PASSWORD)).send().await.expect(401);
    assert!(refused.cookies().is_empty(), "{:?}", refused.cookies());
    let changed = call(&passwords(PASSWORD, NEW_PASSWORD)).send().await.expect(200);
    for reply in [&refused, &changed] {
        assert_eq!(reply.header("access-control-allow-origin"), origin);
        assert_eq!(reply.header("access-control-allow-credentials"), "true");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    assert!(changed.body.get("refreshToken").is_none(), "{}", changed.body);
    let refresh = |cookie: String| {
        service.call("POST", "/auth/refresh").header("origin", origin).header("cookie", &cookie)
    };
    refresh(cookie_of(&signup)).send().await.expect(401);
    refresh(cookie_of(&changed)).send().await.expect(200);
}
