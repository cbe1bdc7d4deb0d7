//! Functions of an earlier edition beside those of this one, as during a deployment and after a roll-back: the requests of the
//! old ones are sent to the table as they were recorded.

use std::time::Duration;

use serde_json::json;

use super::fixture::{Request, Upgraded, refuses_condition};
use super::sessions::listed;
use crate::support::table::{number, text};
use crate::support::tap::{Fault, Target};
use crate::support::{NEW_PASSWORD, PASSWORD, Tokens, claims, tokens};

fn sid(of: &Tokens) -> String {
    claims(&of.access)["sid"].as_str().expect("a sid").to_owned()
}

/// The request of the old edition that revokes a session.
fn revocation(upgraded: &Upgraded) -> Request {
    upgraded.recorded("logout", "UpdateItem").remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_old_function_rotated_is_repeated_and_rotated_on() {
    let upgraded = Upgraded::from_first().await;
    upgraded.send_all(&upgraded.recorded("refresh", "UpdateItem")).await;
    let (before, after) = (upgraded.tokens("phone"), upgraded.tokens("after refresh"));
    upgraded.service.refresh(&before.refresh).await.expect(200);
    upgraded.service.me(&after.access).await.expect(200);
    upgraded.service.refresh(&after.refresh).await.expect(200);
    upgraded.send_all(&upgraded.recorded("refresh with a key", "UpdateItem")).await;
    upgraded.service.pass(3_600);
    let before = upgraded.tokens("desktop");
    upgraded.service.refresh_with_key(&before.refresh, "first-edition-other-key").await.expect(200);
    upgraded.service.refresh(&before.refresh).await.expect(401);
    upgraded.service.refresh(&upgraded.tokens("after refresh with a key").refresh).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_rotated_here_an_old_function_does_not_rotate_again() {
    let upgraded = Upgraded::from_first().await;
    for (call, name) in [("refresh", "phone"), ("refresh with a key", "desktop")] {
        let second = tokens(&upgraded.service.refresh(&upgraded.tokens(name).refresh).await.expect(200).body);
        for request in upgraded.recorded(call, "UpdateItem") {
            assert!(refuses_condition(&upgraded.send(&request).await), "{call}");
        }
        upgraded.service.refresh(&second.refresh).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_of_an_old_login_is_listed_used_and_revoked() {
    let upgraded = Upgraded::from_first().await;
    upgraded.send_all(&upgraded.recorded("login", "PutItem")).await;
    let issued = upgraded.tokens("after login");
    upgraded.service.me(&issued.access).await.expect(200);
    assert!(listed(&upgraded, &upgraded.tokens("phone")).await.contains(&sid(&issued)));
    let second = tokens(&upgraded.service.refresh(&issued.refresh).await.expect(200).body);
    let call = upgraded.service.call("POST", "/auth/revoke-all").bearer(&upgraded.tokens("phone").access);
    call.send().await.expect(200);
    upgraded.service.me(&second.access).await.expect(401);
    upgraded.service.refresh(&second.refresh).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_of_an_old_signup_is_a_whole_one() {
    let upgraded = Upgraded::from_first().await;
    upgraded.send_all(&upgraded.recorded("signup", "TransactWriteItems")).await;
    let (hal, login) = (upgraded.tokens("after signup"), upgraded.service.login("hal@example.com").await);
    assert_eq!(login.user, hal.user);
    let mut both = vec![sid(&hal), sid(&login)];
    both.sort();
    assert_eq!(listed(&upgraded, &hal).await, both);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_old_function_revoked_is_over() {
    let upgraded = Upgraded::from_first().await;
    let caller = upgraded.tokens("phone");
    upgraded.send_all(&[revocation(&upgraded)]).await;
    let login = upgraded.service.login("ada@example.com").await;
    let session = upgraded.table.items_of(&format!("SESSION#{}", sid(&login))).await.remove(0);
    let key = json!({"pk": {"S": text(&session, "pk")}, "sk": {"S": text(&session, "sk")}});
    upgraded.send_all(&[revocation(&upgraded).about(&key)]).await;
    for ended in [&upgraded.tokens("laptop"), &login] {
        upgraded.service.me(&ended.access).await.expect(401);
        upgraded.service.refresh(&ended.refresh).await.expect(401);
        assert!(!listed(&upgraded, &caller).await.contains(&sid(ended)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_revoked_here_an_old_function_does_not_use() {
    let upgraded = Upgraded::from_first().await;
    upgraded.service.logout(&upgraded.tokens("phone").refresh).await.expect(204);
    upgraded.service.logout(&upgraded.tokens("laptop").refresh).await.expect(204);
    for request in upgraded.recorded("refresh", "UpdateItem").iter().chain([&revocation(&upgraded)]) {
        assert!(refuses_condition(&upgraded.send(request).await));
    }
    let read = &upgraded.recorded("me", "GetItem")[0];
    let phone = json!({
        "pk": {"S": format!("USER#{}", upgraded.tokens("phone").user)},
        "sk": {"S": format!("SESSION#{}", sid(&upgraded.tokens("phone")))},
    });
    let reply = upgraded.send(&read.clone().about(&phone)).await.expect(200);
    assert!(reply.body["Item"]["revoked_at"]["N"].is_string(), "{}", reply.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_revoke_all_finds_the_sessions_of_new_logins() {
    let upgraded = Upgraded::from_first().await;
    let login = upgraded.service.login("ruth@example.com").await;
    let query = upgraded.recorded("revoke all", "Query").remove(0);
    let found = upgraded.send(&query).await.expect(200);
    for session in found.body["Items"].as_array().expect("items") {
        let key = json!({"pk": query.body["ExpressionAttributeValues"][":user"], "sk": session["sk"]});
        upgraded.send_all(&[revocation(&upgraded).about(&key)]).await;
    }
    for ended in [&login, &upgraded.tokens("ruth 2")] {
        upgraded.service.me(&ended.access).await.expect(401);
        upgraded.service.refresh(&ended.refresh).await.expect(401);
    }
}

/// The write of the new hash, without the ones of the counts.
fn password_write(upgraded: &Upgraded) -> Request {
    let writes = upgraded.recorded("password", "UpdateItem").into_iter();
    let mut hashes = writes.filter(|one| one.body.to_string().contains("changed_by"));
    hashes.next().expect("a change")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_an_old_function_changed_is_the_only_one() {
    let upgraded = Upgraded::from_first().await;
    upgraded.send_all(&[password_write(&upgraded)]).await;
    let login = async |password| upgraded.service.try_login("frank@example.com", password).await;
    login(NEW_PASSWORD).await.expect(401);
    login("Velvet-Harbour-Thimble").await.expect(200);
}

/// The old edition moves no serial: the login still finds that the password has changed since it was verified.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_refused_that_an_old_function_changed_the_password_under() {
    let upgraded = Upgraded::from_first().await;
    upgraded.tap.spoil_next(1, Target::of("PutItem", "SESSION#"), Fault::Held(Duration::from_millis(600)));
    let change = async {
        while upgraded.tap.spoilt() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        upgraded.send_all(&[password_write(&upgraded)]).await;
    };
    let login = upgraded.service.try_login("frank@example.com", NEW_PASSWORD);
    let (reply, ()) = tokio::join!(login, change);
    assert_eq!(reply.expect(401).code(), "invalid_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_changed_here_an_old_function_does_not_overwrite() {
    let upgraded = Upgraded::from_first().await;
    let body = json!({"currentPassword": NEW_PASSWORD, "newPassword": PASSWORD});
    upgraded.service.change_password(&upgraded.tokens("frank").access, &body).await.expect(200);
    assert!(refuses_condition(&upgraded.send(&password_write(&upgraded)).await));
    upgraded.service.try_login("frank@example.com", PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_the_same_to_both() {
    let upgraded = Upgraded::from_first().await;
    let old = upgraded.recorded("login, locks the address", "UpdateItem");
    let lock = old.iter().find(|one| one.body.to_string().contains("locked_until")).expect("a lock");
    let count = old.iter().find(|one| one.body["Key"] == lock.body["Key"]).expect("the count before it");
    upgraded.send_all(&[count.clone(), lock.clone()]).await;
    upgraded.service.try_login("gil@example.com", PASSWORD).await.expect(429);

    let upgraded = Upgraded::from_first().await;
    upgraded.service.try_login("gil@example.com", "not the password").await.expect(401);
    let pk = lock.body["Key"]["pk"]["S"].as_str().expect("a key");
    let item = upgraded.table.partition(pk).await.remove(0);
    assert!(number(&item, "locked_until") > upgraded.service.now(), "{item:?}");
    assert!(number(&item, "expires_at") > upgraded.service.now(), "{item:?}");
    assert!(refuses_condition(&upgraded.send(lock).await), "the failures are counted anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_of_both_are_counted_together() {
    let upgraded = Upgraded::from_first().await;
    let old = upgraded.recorded("login, wrong password", "UpdateItem");
    let count = old.iter().find(|one| one.body.to_string().contains("login-failures")).expect("a count");
    // Bob has three; nine more make twelve.
    for _ in 0..3 {
        upgraded.send_all(&[count.clone(), count.clone()]).await;
        upgraded.service.try_login("bob@example.com", "not the password").await.expect(401);
    }
    assert_eq!(upgraded.service.audited("address_locked").len(), 1);
}
