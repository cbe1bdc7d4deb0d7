//! `POST /auth/signup`.

use serde_json::{Value, json};

use crate::support::table::{Table, text};
use crate::support::{PASSWORD, Service, claims};

#[tokio::test(flavor = "multi_thread")]
async fn a_signup_creates_a_user_and_starts_a_session() {
    let service = Service::start(&[]).await;
    let body = json!({"email": " Ada@Example.com ", "password": PASSWORD, "displayName": "Ada", "last_name": "Lovelace"});
    let reply = service.call("POST", "/auth/signup").json(&body).send().await.expect(201);
    let user = &reply.body["user"];
    assert_eq!(user["email"], "Ada@Example.com");
    assert_eq!(
        (&user["displayName"], &user["firstName"], &user["lastName"]),
        (&json!("Ada"), &Value::Null, &json!("Lovelace"))
    );
    assert_eq!((&user["emailVerified"], &reply.body["tokenType"]), (&json!(false), &json!("Bearer")));
    assert_eq!((reply.header("cache-control"), reply.header("pragma")), ("no-store", "no-cache"));
    let access = reply.body["accessToken"].as_str().expect("a token");
    assert_eq!(reply.body["expiresIn"], 3600);
    assert_eq!(claims(access)["exp"], reply.body["expiresAt"]);
    assert_eq!(claims(access)["sub"], user["userId"]);
    assert_eq!(service.me(access).await.expect(200).body["user"], *user);
    assert_eq!(service.audited("signup"), [""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn register_is_another_name_for_signup() {
    let service = Service::start(&[]).await;
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    service.call("POST", "/auth/register").json(&body).send().await.expect(201);
    service.login("ada@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_signs_up_once_in_whatever_case() {
    let service = Service::start(&[]).await;
    service.signup("ada@example.com").await;
    for email in ["ada@example.com", "ADA@example.COM", " ada@example.com"] {
        let reply = service.try_signup(email).await.expect(409);
        assert_eq!(reply.code(), "email_taken");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_signups_at_once_for_one_address_one_wins() {
    let service = std::sync::Arc::new(Service::start(&[]).await);
    let tasks = (0..10).map(|_| {
        let service = std::sync::Arc::clone(&service);
        tokio::spawn(async move { service.try_signup("ada@example.com").await.status })
    });
    let mut statuses = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        statuses.push(task.await.expect("no panic"));
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409, 409, 409]);
    let table = Table::of(&service).await;
    assert_eq!(table.items_of("PROFILE").await.len(), 1, "nothing of the losers is left");
    assert_eq!(table.items_of("SESSION#").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_password_is_refused_with_the_reason() {
    let service = Service::start(&[("PASSWORD_MIN_LENGTH", "10")]).await;
    for (password, reason) in [
        ("short", "The password has fewer than 10 characters."),
        ("aaaaaaaaaa", "The password is too easy to guess. Repeats like \"aaa\" are easy to guess."),
        ("ada.lovelace", "The password is too easy to guess. It is made of your address or name."),
        ("qwertyuiop", "The password is too easy to guess. This is a top-100 common password."),
    ] {
        let body = json!({"email": "ada.lovelace@example.com", "password": password});
        let reply = service.call("POST", "/auth/signup").json(&body).send().await.expect(400);
        assert_eq!(
            (reply.code(), reply.body["errorDescription"].as_str()),
            ("weak_password", Some(reason)),
            "{password}"
        );
    }
    let long = json!({"email": "ada@example.com", "password": "plum kettle".repeat(20)});
    let reply = service.call("POST", "/auth/signup").json(&long).send().await.expect(400);
    assert_eq!(reply.body["errorDescription"], "The password has more than 128 characters.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_missing_or_wrong_is_named() {
    let service = Service::start(&[]).await;
    for (body, text) in [
        (json!({"password": PASSWORD}), "email is missing"),
        (json!({"email": "ada@example.com"}), "password is missing"),
        (json!({"email": null, "password": PASSWORD}), "email is missing"),
        (json!({"email": "ada", "password": PASSWORD}), "email is not an e-mail address"),
        (json!({"email": ["ada@example.com"], "password": PASSWORD}), "email is not a string"),
        (json!({"email": "ada@example.com", "password": 12_345_678}), "password is not a string"),
        (
            json!({"email": "ada@example.com", "password": PASSWORD, "displayName": "a\nb"}),
            "displayName has characters that break or turn a line",
        ),
        (
            json!({"email": "ada@example.com", "password": PASSWORD, "firstName": "a".repeat(129)}),
            "firstName has more than 128 characters",
        ),
    ] {
        let reply = service.call("POST", "/auth/signup").json(&body).send().await.expect(400);
        assert_eq!(
            (reply.code(), reply.body["errorDescription"].as_str()),
            ("invalid_request", Some(text)),
            "{body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_password_nor_a_token_is_in_the_table() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let refresh = service.refresh(&tokens.refresh).await.expect(200);
    let table = Table::of(&service).await;
    let everything = format!("{:?}", table.items().await);
    for secret in
        [PASSWORD, &tokens.access, &tokens.refresh, refresh.body["refreshToken"].as_str().expect("a token")]
    {
        assert!(!everything.contains(secret));
        let signature = secret.rsplit('.').next().expect("a part");
        assert!(!everything.contains(signature));
    }
    let credentials = table.items_of("CREDENTIAL").await;
    assert!(text(&credentials[0], "password_hash").starts_with("$argon2id$v=19$m=7168,t=1,p=1$"));
}

#[tokio::test(flavor = "multi_thread")]
async fn signups_of_one_network_are_limited_and_malformed_ones_do_not_count() {
    let service = Service::start(&[("SIGNUP_LIMIT_PER_IP", "2")]).await;
    for _ in 0..5 {
        service
            .call("POST", "/auth/signup")
            .json(&json!({"email": "ada", "password": PASSWORD}))
            .send()
            .await
            .expect(400);
    }
    service.signup("a@example.com").await;
    service.signup("b@example.com").await;
    let reply = service.try_signup("c@example.com").await.expect(429);
    assert_eq!(reply.code(), "too_many_attempts");
    let wait: u64 = reply.header("retry-after").parse().expect("seconds");
    assert!((1..=3600).contains(&wait), "{wait}");
    service.pass(wait);
    service.signup("c@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_any_length_is_no_password() {
    let service = Service::start(&[]).await;
    let email = "jonathan.smithson@department.example.com";
    for password in [email.to_owned(), email.repeat(2)] {
        let body = json!({"email": email, "password": password});
        let reply = service.call("POST", "/auth/signup").json(&body).send().await.expect(400);
        assert_eq!(reply.code(), "weak_password");
    }
}
