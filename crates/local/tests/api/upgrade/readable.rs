//! What this edition writes and issues, as the first edition reads it: after a roll-back its functions meet both.

use serde_json::{Value, json};

use super::fixture::Upgraded;
use crate::support::table::{Item, text};
use crate::support::{NEW_PASSWORD, PASSWORD, claims, tokens};

/// Attributes that the functions of the first edition need, by the beginning of the sort key.
const TEXTS: [(&str, &[&str]); 3] = [
    ("SESSION#", &["rotated_by", "created_ip", "created_user_agent", "last_ip", "last_user_agent"]),
    ("PROFILE", &["email", "status"]),
    ("CREDENTIAL", &["user_id", "password_hash"]),
];
const NUMBERS: [(&str, &[&str]); 3] = [
    (
        "SESSION#",
        &["generation", "rotated_at", "created_at", "idle_ends_at", "absolute_ends_at", "last_used_at"],
    ),
    ("PROFILE", &["created_at"]),
    ("CREDENTIAL", &[]),
];

fn assert_readable(item: &Item) {
    let of = |table: [(&str, &'static [&'static str]); 3]| {
        let kind = table.into_iter().find(|(kind, _)| text(item, "sk").starts_with(kind));
        kind.map_or(&[][..], |(_, names)| names)
    };
    for name in of(TEXTS) {
        assert!(
            item.get(*name).is_some_and(aws_sdk_dynamodb::types::AttributeValue::is_s),
            "{name}: {item:?}"
        );
    }
    for name in of(NUMBERS) {
        assert!(
            item.get(*name).is_some_and(aws_sdk_dynamodb::types::AttributeValue::is_n),
            "{name}: {item:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_item_has_the_attributes_that_the_first_edition_reads() {
    let upgraded = Upgraded::from_first().await;
    let service = &upgraded.service;
    service.signup("hal@example.com").await;
    let login = service.login("ada@example.com").await;
    service.refresh(&login.refresh).await.expect(200);
    service.refresh(&login.refresh).await.expect(200);
    service.refresh_with_key(&upgraded.tokens("phone").refresh, "a-key").await.expect(200);
    service.pass(60);
    service.refresh(&upgraded.tokens("copied, before").refresh).await.expect(401);
    service.logout(&upgraded.tokens("tablet").refresh).await.expect(204);
    let body = json!({"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD});
    service.change_password(&login.access, &body).await.expect(200);
    let items = upgraded.table.items().await;
    for kind in ["SESSION#", "PROFILE", "CREDENTIAL"] {
        assert!(items.iter().any(|item| text(item, "sk").starts_with(kind)), "{kind}");
    }
    items.iter().for_each(assert_readable);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_token_has_the_claims_that_the_first_edition_reads() {
    let upgraded = Upgraded::from_first().await;
    let old = upgraded.tokens("phone");
    let login = upgraded.service.login("ada@example.com").await;
    let refreshed = tokens(&upgraded.service.refresh(&login.refresh).await.expect(200).body);
    for new in [login, refreshed] {
        assert_same_shape(&claims(&old.access), &claims(&new.access));
        assert_same_shape(&claims(&old.refresh), &claims(&new.refresh));
    }
}

fn assert_same_shape(old: &Value, new: &Value) {
    for (name, value) in old.as_object().expect("claims") {
        let same = std::mem::discriminant(value) == std::mem::discriminant(&new[name]);
        assert!(same, "{name}: {new}");
    }
    for name in ["iss", "aud", "sub"] {
        assert_eq!(old[name], new[name]);
    }
}
