//! Internationalised addresses over HTTP.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use crate::support::table::{Table, text};
use crate::support::{NEW_PASSWORD, PASSWORD, Service, Tokens, claims};

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_combining_marks_signs_up_and_logs_in() {
    let service = Service::start(&[]).await;
    for email in [
        "a@हिन्दी.example",
        "प्रिया@example.com",
        "น้ำ@example.com",
        "ẹ̀kọ́@example.com",
        "می\u{200c}خواهم@example.com",
    ] {
        let signup = service.signup(email).await;
        assert_eq!(service.login(email).await.user, signup.user, "{email}");
        assert_eq!(service.try_signup(email).await.expect(409).code(), "email_taken");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_is_one_account_in_unicode_and_in_ascii() {
    let service = Service::start(&[]).await;
    for (ascii, unicode) in [
        ("a@xn--j2bd4cyah0f.example", "a@हिन्दी.example"),
        ("A@XN--GMO-LI4BOEVD.example", "a@gmoストア.example"),
        ("a@xn--bcher-kva.example", "a@BÜCHER.example"),
    ] {
        let signup = service.signup(ascii).await;
        assert_eq!(service.login(unicode).await.user, signup.user, "{unicode}");
        service.try_signup(unicode).await.expect(409);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn latin_mixes_with_japanese_korean_and_chinese_but_not_with_cyrillic_or_greek() {
    let service = Service::start(&[]).await;
    for email in
        ["a@gmoストア.example", "tシャツ@example.com", "abc한국어@example.com", "中文abc@example.com"]
    {
        let signup = service.signup(email).await;
        assert_eq!(service.login(email).await.user, signup.user, "{email}");
    }
    for email in ["аda@example.com", "a@pаypal.example", "αda@example.com", "a@\u{202e}example.com"] {
        assert_eq!(service.try_signup(email).await.expect(400).code(), "invalid_request", "{email}");
    }
}

/// A signup as the first edition stored it, under the address in lower case.
async fn signup_of_the_first_edition(service: &Service, email: &str) -> Tokens {
    let tokens = service.signup(email).await;
    let table = Table::of(service).await;
    let credentials = table.items_of("CREDENTIAL").await;
    let own =
        credentials.into_iter().find(|item| text(item, "user_id") == tokens.user).expect("a credential");
    table.delete(&own).await;
    let mut first = own;
    first.insert("pk".to_owned(), AttributeValue::S(format!("EMAIL#{}", email.to_lowercase())));
    table.put(&first).await;
    tokens
}

#[tokio::test(flavor = "multi_thread")]
async fn greek_capitals_are_no_second_account() {
    let service = Service::start(&[]).await;
    let signup = service.signup("χρήστης.α@example.com").await;
    for email in ["ΧΡΉΣΤΗΣ.Α@example.com", "χρήστησ.α@example.com", "χρήστης.α@EXAMPLE.com"]
    {
        assert_eq!(service.login(email).await.user, signup.user, "{email}");
        assert_eq!(service.try_signup(email).await.expect(409).code(), "email_taken", "{email}");
    }
    // Simple folding: two mailboxes.
    service.signup("straße@example.com").await;
    service.signup("strasse@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_stored_in_lower_case_keeps_its_address() {
    let service = Service::start(&[]).await;
    let signup = signup_of_the_first_edition(&service, "χρήστης.α@example.com").await;
    let spellings = ["χρήστης.α@example.com", "ΧΡΉΣΤΗΣ.Α@example.com", "χρήστησ.α@example.com"];
    for email in spellings {
        assert_eq!(service.login(email).await.user, signup.user, "{email}");
        assert_eq!(service.try_signup(email).await.expect(409).code(), "email_taken", "{email}");
    }
    let tokens = service.login(spellings[1]).await;
    let change = json!({"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD});
    service.change_password(&tokens.access, &change).await.expect(200);
    for email in spellings {
        service.try_login(email, PASSWORD).await.expect(401);
        service.try_login(email, NEW_PASSWORD).await.expect(200);
    }
    let stronger = Service::start_at(&[("ARGON2_ITERATIONS", "2")], service.stack.store_endpoint()).await;
    stronger.try_login(spellings[2], NEW_PASSWORD).await.expect(200);
    let credentials = Table::of(&service).await.items_of("CREDENTIAL").await;
    assert_eq!(credentials.len(), 1, "none was written under another key");
    assert!(text(&credentials[0], "password_hash").contains("t=2"), "rehashed where it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_old_accounts_whose_addresses_fold_together_stay_two() {
    let service = Service::start(&[]).await;
    let first = signup_of_the_first_edition(&service, "ίσως.α@example.com").await;
    let table = Table::of(&service).await;
    let moved = table.items_of("CREDENTIAL").await;
    table.delete(&moved[0]).await;
    let second = service.signup("ΊΣΩΣ.Α@example.com").await;
    table.put(&moved[0]).await;
    assert_eq!(service.login("ίσως.α@example.com").await.user, first.user);
    assert_eq!(service.login("ΊΣΩΣ.Α@example.com").await.user, second.user);
    let change = json!({"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD});
    let tokens = service.login("ίσως.α@example.com").await;
    service.change_password(&tokens.access, &change).await.expect(200);
    assert_eq!(service.login("ΊΣΩΣ.Α@example.com").await.user, second.user, "its password is its own");
    service.try_login("ίσως.α@example.com", NEW_PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_count_for_every_spelling_of_an_address_together() {
    let service = Service::start(&[("LOGIN_LIMIT_PER_ADDRESS", "3")]).await;
    service.signup("χρήστης@example.com").await;
    for email in ["χρήστης@example.com", "ΧΡΉΣΤΗΣ@example.com", "χρήστησ@example.com"] {
        service.try_login(email, "not the password").await.expect(401);
    }
    service.try_login("χρήστης@example.com", "not the password").await.expect(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_signups_at_once_in_every_spelling_one_wins() {
    let service = Service::start(&[]).await;
    let signups = ["χρήστης@example.com", "ΧΡΉΣΤΗΣ@example.com", "χρήστησ@example.com"]
        .map(|email| service.try_signup(email));
    let [one, two, three] = signups;
    let replies = tokio::join!(one, two, three);
    let mut statuses = [replies.0.status, replies.1.status, replies.2.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_has_the_normalised_address_and_whether_it_is_verified() {
    let service = Service::start(&[]).await;
    let tokens = service.signup(" Ada@XN--BCHER-KVA.example").await;
    let said = claims(&tokens.access);
    assert_eq!((&said["email"], &said["email_verified"]), (&json!("ada@bücher.example"), &json!(false)));
    let table = Table::of(&service).await;
    let mut profile = table.items_of("PROFILE").await[0].clone();
    profile.insert("email_verified".to_owned(), AttributeValue::Bool(true));
    table.put(&profile).await;
    let reply = service.refresh(&tokens.refresh).await.expect(200);
    let said = claims(reply.body["accessToken"].as_str().expect("a token"));
    assert_eq!((&said["email"], &said["email_verified"]), (&json!("ada@bücher.example"), &json!(true)));
    assert_eq!(reply.body["user"]["email"], "Ada@XN--BCHER-KVA.example", "as it was typed");
}
