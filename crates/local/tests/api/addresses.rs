//! Internationalised addresses over HTTP.

use crate::support::Service;

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
