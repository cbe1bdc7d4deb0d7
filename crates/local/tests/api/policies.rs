//! Each function may do to the table only what it does, and only to the items to which it does it.
//!
//! Every request to a tapped table, in this file and in all others, passes the policy of the function that sends it. A request
//! too many is answered as DynamoDB answers it, and fails its test.

use std::collections::BTreeMap;
use std::time::Duration;

use auth_core::Platform;
use auth_core::audit::ServiceName;
use auth_core::http::Endpoint;
use serde_json::{Value, json};

use crate::agreement::FUNCTIONS;
use crate::support::policy::{self, Policies, TABLE};
use crate::support::table::{Table, text};
use crate::support::tap::{Fault, Tap, Target};
use crate::support::{NEW_PASSWORD, PASSWORD, Service, Tokens, tapped, tokens};

/// Those that ask the table for nothing.
const WITHOUT_TABLE: [&str; 2] = ["token-authorizer", "well-known"];

/// What the functions do at their start, each with the environment that the template gives it.
async fn warm_up(service: &Service) {
    let environments: BTreeMap<_, _> =
        FUNCTIONS.iter().map(|(package, id)| (*package, service.stack.environment(id))).collect();
    macro_rules! start {
        ($($package:literal $function:path;)*) => {$({
            let lookup = |name: &str| environments[$package].get(name).cloned();
            let Ok(function) = $function(&lookup, Platform::system(ServiceName::default())) else {
                panic!("{} starts", $package)
            };
            function.endpoint().warm_up().await;
        })*};
    }
    start! {
        "change-password" change_password::build; "login" login::build; "logout" logout::build; "me" me::build; "refresh" refresh::build;
        "sessions" sessions::build; "signup" signup::build; "well-known" well_known::build;
    }
    let lookup = |name: &str| environments["authorizer"].get(name).cloned();
    let authorizer = authorizer::build(&lookup, Platform::system(ServiceName::default())).expect("it starts");
    authorizer.warm_up().await;
    let lookup = |name: &str| environments["token-authorizer"].get(name).cloned();
    let authorizer = authorizer::build_without_table(&lookup, Platform::system(ServiceName::default()));
    authorizer.expect("it starts").warm_up().await;
}

/// Every request that there is, and the branches that make requests of their own.
async fn everything(service: &Service) {
    let first = service.signup("ada@example.com").await;
    service.try_signup("ada@example.com").await.expect(409);
    // An address with another key in the first edition.
    service.signup("ΧΡΗΣΤΗΣ@example.com").await;
    for _ in 0..3 {
        service.try_login("ada@example.com", "not the password").await.expect(401);
        service.try_login("nobody@example.com", "not the password").await.expect(401);
    }
    service.try_login("ada@example.com", PASSWORD).await.expect(429);
    service.pass(90_000);
    // A row of failures so old that it is forgotten.
    service.pass(31 * 86_400);
    service.try_login("ada@example.com", "not the password").await.expect(401);
    let login = service.login("ada@example.com").await;
    renew(service, &login).await;
    own(service, &service.login("ada@example.com").await).await;
    service.refresh(&first.refresh).await.expect(401);
    let last = service.login("ada@example.com").await;
    service.logout(&last.refresh).await.expect(204);
    service.logout(&last.refresh).await.expect(204);
    service.me(&last.access).await.expect(401);
    service.call("GET", "/.well-known/jwks.json").send().await.expect(200);
    service.call("GET", "/.well-known/openid-configuration").send().await.expect(200);
}

/// A rotation, a replay and a reuse.
async fn renew(service: &Service, login: &Tokens) {
    let second = tokens(&service.refresh(&login.refresh).await.expect(200).body);
    service.refresh(&login.refresh).await.expect(200);
    service.refresh(&second.refresh).await.expect(200);
    service.refresh(&login.refresh).await.expect(401);
}

/// What a user does with the account.
async fn own(service: &Service, login: &Tokens) {
    service.me(&login.access).await.expect(200);
    let change = service.call("PATCH", "/auth/me").bearer(&login.access).json(&json!({"displayName": "Ada"}));
    change.send().await.expect(200);
    let wrong = json!({"currentPassword": "not the password", "newPassword": NEW_PASSWORD});
    service.change_password(&login.access, &wrong).await.expect(401);
    let passwords = json!({"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD});
    let login = tokens(&service.change_password(&login.access, &passwords).await.expect(200).body);
    let back = json!({"currentPassword": NEW_PASSWORD, "newPassword": PASSWORD});
    let login = tokens(&service.change_password(&login.access, &back).await.expect(200).body);
    let other = service.login("ada@example.com").await;
    let list = service.call("GET", "/auth/sessions").bearer(&login.access).send().await.expect(200);
    assert!(list.body["sessions"].as_array().is_some_and(|sessions| sessions.len() >= 2));
    let sid = crate::support::claims(&other.access)["sid"].as_str().expect("a session").to_owned();
    let path = format!("/auth/sessions/{sid}");
    service.call("DELETE", &path).bearer(&login.access).send().await.expect(204);
    service.call("POST", "/auth/revoke-all").bearer(&login.access).send().await.expect(200);
}

/// Logins that write more: where the hash is of another cost, and where the user is disabled while the session is written.
async fn rare_logins(engine: &Service, tap: &Tap) {
    let service = Service::start_at(&[("ARGON2_ITERATIONS", "2")], &tap.url).await;
    service.login("ada@example.com").await;
    let table = Table::of(engine).await;
    let profiles = table.items_of("PROFILE").await;
    let profile = profiles.iter().find(|item| text(item, "email") == "ada@example.com").expect("a profile");
    let before = tap.spoilt();
    tap.spoil_next(1, Target::of("PutItem", "SESSION#"), Fault::Slow);
    let disabled = async {
        while tap.spoilt() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        table.set(profile, "status", "disabled").await;
    };
    tokio::join!(service.try_login("ada@example.com", PASSWORD), disabled).0.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_allows_what_its_function_does_and_nothing_else() {
    let settings = [("LOGIN_LIMIT_PER_ADDRESS", "5"), ("LOGIN_LOCK_FAILURES", "3"), ("SESSION_LIMIT", "2")];
    let (engine, service, tap) = tapped(&settings).await;
    warm_up(&service).await;
    everything(&service).await;
    rare_logins(&engine, &tap).await;
    assert_eq!(tap.denied(), Vec::<String>::new());
    let policies = Policies::of_template(false);
    for (package, _) in FUNCTIONS {
        assert_eq!(tap.done_by(package), policies.of(package), "{package}");
    }
}

/// What an authorizer that rotates may do more is its own.
#[tokio::test(flavor = "multi_thread")]
async fn with_rotation_the_authorizer_writes_sessions_and_nobody_else_does_more() {
    let (_engine, service, tap) = tapped(&[("RENEWAL", "rotate")]).await;
    let first = service.signup("ada@example.com").await;
    service.pass(3_500);
    let renewed = |key| {
        let call = service.call("GET", "/auth/me").bearer(&first.access);
        call.header("x-refresh-token", &first.refresh).header("x-refresh-idempotency-key", key).send()
    };
    assert!(!renewed("k-1").await.expect(200).header("x-new-refresh-token").is_empty());
    service.pass(11);
    renewed("k-2").await.expect(401);
    assert_eq!(tap.denied(), Vec::<String>::new());
    let (with, without) = (Policies::of_template(true), Policies::of_template(false));
    assert_eq!(tap.done_by("authorizer"), with.of("authorizer"));
    for (package, _) in FUNCTIONS {
        assert_eq!(with.of(package) == without.of(package), package != "authorizer", "{package}");
    }
}

/// The start of a function opens its connection with a request that it may do: a refusal would stand in the account's trail.
#[tokio::test(flavor = "multi_thread")]
async fn every_function_with_a_table_opens_its_connection_while_it_starts() {
    let (_engine, service, tap) = tapped(&[]).await;
    warm_up(&service).await;
    assert_eq!(tap.denied(), Vec::<String>::new());
    for (package, _) in FUNCTIONS {
        assert_eq!(tap.done_by(package).len(), usize::from(!WITHOUT_TABLE.contains(&package)), "{package}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_a_policy_does_not_allow_is_refused_at_the_front() {
    let (_engine, service, tap) = tapped(&[]).await;
    let mut environment = service.stack.environment("LogoutFunction");
    environment.insert("AWS_SESSION_TOKEN".to_owned(), "well-known".to_owned());
    let lookup = |name: &str| environment.get(name).cloned();
    let stranger = logout::build(&lookup, Platform::system(ServiceName::default())).expect("it starts");
    stranger.endpoint().warm_up().await;
    assert_eq!(tap.denied(), ["well-known: UpdateItem of USER# in latchkey-Table"]);
}

/// "IAM JSON policy elements: Condition operators", "Single-valued vs. multivalued context keys".
#[test]
fn the_front_judges_keys_as_iam_does() {
    for (pattern, text, like) in [
        ("USER#*", "USER#7f3c", true),
        ("USER#*", "USER#", true),
        ("USER#*", "USERS#7f3c", false),
        ("USER#*", "user#7f3c", false),
        ("USER#*", "EMAIL#USER#7f3c", false),
        ("LIMIT#login-*#*", "LIMIT#login-ip#d#1", true),
        ("LIMIT#login-*#*", "LIMIT#signup-ip#login-#1", false),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("*", "", true),
        ("?", "", false),
    ] {
        assert_eq!(policy::is_like(pattern, text), like, "{pattern} {text}");
    }
    let policies = Policies::of_template(false);
    let refused = |role: &str, operation: &str, body: Value| {
        let needs = policy::needs(operation, body.to_string().as_bytes());
        policies.refuse(role, &needs).map(ToString::to_string)
    };
    let put = |pk: &str| json!({"Put": {"TableName": TABLE, "Item": {"pk": {"S": pk}}}});
    let both = json!({"TransactItems": [put("USER#1"), put("EMAIL#a@example.com")]});
    assert_eq!(refused("signup", "TransactWriteItems", both.clone()), None);
    // Where one key is out of reach, all of it is.
    let said = "PutItem of USER#1, EMAIL#a@example.com in latchkey-Table";
    assert_eq!(refused("login", "TransactWriteItems", both), Some(said.to_owned()));
    // Without a key there is nothing that could not match: such actions must not be allowed at all.
    assert_eq!(refused("me", "GetItem", json!({ "TableName": TABLE })), None);
    assert!(refused("me", "Scan", json!({ "TableName": TABLE })).is_some());
    // A query that cannot be read here, and another table.
    let query = |condition: &str, table: &str| {
        let values = json!({":u": {"S": "USER#1"}});
        json!({"TableName": table, "KeyConditionExpression": condition, "ExpressionAttributeValues": values})
    };
    assert_eq!(refused("sessions", "Query", query("pk = :u AND begins_with(sk, :s)", TABLE)), None);
    assert!(refused("sessions", "Query", query("sk = :u", TABLE)).is_some());
    assert!(refused("sessions", "Query", query("pk = :u", "another")).is_some());
}
