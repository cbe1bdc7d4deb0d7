//! What whoever has taken over a function could do to the table with its role.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::agreement::FUNCTIONS;
use crate::support::policy::TABLE;
use crate::support::tap::Tap;
use crate::support::{PASSWORD, Service, tapped};

/// As much of a signature as the engine looks at.
const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0";

/// Whatever there is to do to an item by its key, in words of the API. No write changes anything: its condition fails.
fn attempts(pk: &str, sk: &str) -> Vec<(&'static str, &'static str, Value)> {
    let key = json!({"pk": {"S": pk}, "sk": {"S": sk}});
    let get = json!({"TableName": TABLE, "Key": key});
    let mut change = get.clone();
    change["ConditionExpression"] = json!("attribute_not_exists(pk)");
    let mut update = change.clone();
    update["UpdateExpression"] = json!("REMOVE stolen");
    let put = json!({"TableName": TABLE, "Item": key, "ConditionExpression": "attribute_not_exists(pk)"});
    let query = json!({
        "TableName": TABLE, "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": pk}},
    });
    let statement = format!("SELECT * FROM \"{TABLE}\" WHERE pk = '{pk}' AND sk = '{sk}'");
    let transaction = |member: &str, request: &Value| json!({"TransactItems": [{member: request}]});
    vec![
        ("read", "GetItem", get.clone()),
        ("read in a transaction", "TransactGetItems", transaction("Get", &get)),
        ("read in a batch", "BatchGetItem", json!({"RequestItems": {TABLE: {"Keys": [key]}}})),
        ("query", "Query", query),
        ("scan", "Scan", json!({"TableName": TABLE})),
        ("select", "ExecuteStatement", json!({ "Statement": statement })),
        ("check", "TransactWriteItems", transaction("ConditionCheck", &change)),
        ("put in a transaction", "TransactWriteItems", transaction("Put", &put)),
        ("put", "PutItem", put),
        ("update in a transaction", "TransactWriteItems", transaction("Update", &update)),
        ("update", "UpdateItem", update),
        ("delete in a transaction", "TransactWriteItems", transaction("Delete", &change)),
        ("delete", "DeleteItem", change),
        (
            "delete in a batch",
            "BatchWriteItem",
            json!({"RequestItems": {TABLE: [{"DeleteRequest": {"Key": key}}]}}),
        ),
    ]
}

/// Those that reach the table if `role` makes them.
async fn reaching(service: &Service, tap: &Tap, role: &str, pk: &str, sk: &str) -> BTreeSet<&'static str> {
    let mut reaching = BTreeSet::new();
    for (what, operation, body) in attempts(pk, sk) {
        let call = service.call_url("POST", &tap.url).body(body.to_string());
        let call = call.header("content-type", "application/x-amz-json-1.0");
        let call = call.header("x-amz-target", &format!("DynamoDB_20120810.{operation}"));
        let call = call.header("authorization", SIGNED).header("x-amz-date", "20260101T000000Z");
        let call = if role.is_empty() { call } else { call.header("x-amz-security-token", role) };
        let reply = call.send().await;
        let kind = reply.body["__type"].as_str().unwrap_or_default();
        match kind.rsplit('#').next().unwrap_or_default() {
            "AccessDeniedException" => assert!(!role.is_empty(), "{what}"),
            "" | "ConditionalCheckFailedException" | "TransactionCanceledException" => {
                reaching.insert(what);
            }
            _ => panic!("{role}: {what}: {}", reply.body),
        }
    }
    reaching
}

/// What of it reaches the table from each function: the words that `expected` gives, each alone and in a transaction.
async fn assert_reach(service: &Service, tap: &Tap, pk: &str, sk: &str, expected: fn(&str) -> &[&str]) {
    for (package, _) in FUNCTIONS {
        let words = expected(package);
        let names = attempts(pk, sk).into_iter().map(|(what, _, _)| what);
        let expected =
            names.filter(|what| words.contains(&what.trim_end_matches(" in a transaction"))).collect();
        assert_eq!(reaching(service, tap, package, pk, sk).await, expected, "{package}");
    }
}

/// Whoever has taken over an authorizer, `me`, `sessions`, `refresh` or `logout` reads no password's hash and replaces none.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_hash_is_out_of_reach_but_for_the_functions_that_check_or_set_one() {
    let (_engine, service, tap) = tapped(&[]).await;
    service.signup("ada@example.com").await;
    let (pk, sk) = ("EMAIL#ada@example.com", "CREDENTIAL");
    let expected = |package: &str| match package {
        "signup" => &["read", "check", "put"][..],
        "login" | "change-password" => &["read", "update"],
        _ => &[],
    };
    assert_reach(&service, &tap, pk, sk, expected).await;
    service.login("ada@example.com").await;
    // Whoever is no function may do each of these, down to the last, which deletes.
    assert_eq!(reaching(&service, &tap, "", pk, sk).await.len(), attempts(pk, sk).len());
    service.try_login("ada@example.com", PASSWORD).await.expect(401);
}

/// Whoever has taken over the signup, which counts as well, lifts no lock.
#[tokio::test(flavor = "multi_thread")]
async fn the_failures_of_an_address_are_out_of_reach_but_for_the_login() {
    let (_engine, service, tap) = tapped(&[]).await;
    let expected = |package: &str| match package {
        "login" => &["read", "update", "delete"][..],
        _ => &[],
    };
    assert_reach(&service, &tap, "LIMIT#login-failures#digest#streak", "COUNT", expected).await;
}

/// Nor is there a function that lists the table.
#[tokio::test(flavor = "multi_thread")]
async fn no_function_lists_the_table_or_deletes_a_user() {
    let (_engine, service, tap) = tapped(&[]).await;
    let user = service.signup("ada@example.com").await.user;
    let expected = |package: &str| match package {
        "authorizer" => &["read"][..],
        "change-password" => &["read", "query", "put", "update"],
        "login" => &["read", "read in a batch", "query", "put", "update"],
        "logout" | "me" | "refresh" => &["read", "update"],
        "sessions" => &["read in a batch", "query", "update"],
        "signup" => &["put"],
        _ => &[],
    };
    assert_reach(&service, &tap, &format!("USER#{user}"), "PROFILE", expected).await;
}
