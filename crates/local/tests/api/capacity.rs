//! What each operation consumes of the table, by outcome, as `tools/cost/capacity.json` says: the file that the table of
//! prices is computed from.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value, json};

use crate::support::capacity::{WRITE_UNIT_BYTES, size};
use crate::support::table::{Item, Table};
use crate::support::tap::Tap;
use crate::support::{NEW_PASSWORD, PASSWORD, Service, Tokens, tapped, tokens};

const COMMITTED: &str = include_str!("../../../../tools/cost/capacity.json");
const WRONG: &str = "not-the-password-9132";

/// The bill of each operation since the last one was noted.
struct Ledger {
    tap: Tap,
    bills: BTreeMap<&'static str, Value>,
}

impl Ledger {
    fn note(&mut self, operation: &'static str) {
        self.bills.insert(operation, self.tap.bill());
    }

    /// Leaves what has happened since the last note out.
    fn skip(&mut self) {
        self.tap.bill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_consumes_what_the_committed_table_says() {
    let mut measured = entrances().await;
    measured.extend(refreshes().await);
    measured.extend(authorized_requests().await);
    measured.extend(renewals().await);
    measured.extend(passwords().await);
    let committed: BTreeMap<&str, Value> = serde_json::from_str(COMMITTED).expect("JSON");
    assert!(measured == committed, "tools/cost/capacity.json is to be:\n{}", lines(&measured));
}

/// One operation a line.
fn lines(bills: &BTreeMap<&str, Value>) -> String {
    let mut text = String::from("{\n");
    for (index, (operation, bill)) in bills.iter().enumerate() {
        let comma = if index + 1 < bills.len() { "," } else { "" };
        writeln!(text, "  {}: {bill}{comma}", json!(operation)).expect("memory");
    }
    text + "}\n"
}

async fn ledger(settings: &[(&str, &str)]) -> (Service, Service, Ledger) {
    let (engine, service, tap) = tapped(settings).await;
    let mut ledger = Ledger { tap, bills: BTreeMap::new() };
    ledger.skip();
    (engine, service, ledger)
}

async fn entrances() -> BTreeMap<&'static str, Value> {
    let (_engine, service, mut ledger) =
        ledger(&[("LOGIN_LIMIT_PER_ADDRESS", "2"), ("SIGNUP_LIMIT_PER_IP", "2")]).await;
    let first = service.signup("ada@example.com").await;
    ledger.note("signup");
    service.try_signup("ada@example.com").await.expect(409);
    ledger.note("signup, address taken");
    service.try_signup("bob@example.com").await.expect(429);
    ledger.note("signup, over the limit");
    service.login("ada@example.com").await;
    ledger.note("login");
    service.try_login("ada@example.com", WRONG).await.expect(401);
    ledger.note("login, wrong password");
    service.pass(1);
    service.login("ada@example.com").await;
    ledger.note("login after a wrong password");
    service.try_login("eve@example.com", WRONG).await.expect(401);
    ledger.note("login, unknown address");
    service.try_login("eve@example.com", WRONG).await.expect(401);
    ledger.skip();
    service.try_login("eve@example.com", WRONG).await.expect(429);
    ledger.note("login, over the limit");
    service.logout(&first.refresh).await.expect(204);
    ledger.note("logout");
    service.logout(&first.refresh).await.expect(204);
    ledger.note("logout, already ended");
    ledger.bills
}

async fn refreshes() -> BTreeMap<&'static str, Value> {
    let (_engine, service, mut ledger) = ledger(&[]).await;
    let first = service.signup("ada@example.com").await;
    ledger.skip();
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    ledger.note("refresh, rotate");
    service.refresh(&first.refresh).await.expect(200);
    ledger.note("refresh, replay");
    service.refresh(&second.refresh).await.expect(200);
    ledger.skip();
    service.refresh(&first.refresh).await.expect(401);
    ledger.note("refresh, reuse");
    service.refresh(&second.refresh).await.expect(401);
    ledger.note("refresh, ended session");
    service.refresh("a.b.c").await.expect(401);
    ledger.note("refresh, forged");
    let first = service.signup("bob@example.com").await;
    service.refresh_with_key(&first.refresh, "k").await.expect(200);
    service.pass(11);
    ledger.skip();
    service.refresh_with_key(&first.refresh, "k").await.expect(200);
    ledger.note("refresh, counted replay");
    service.logout(&first.refresh).await.expect(204);
    ledger.note("logout, superseded token");
    ledger.bills
}

async fn authorized_requests() -> BTreeMap<&'static str, Value> {
    let (_engine, service, mut ledger) = ledger(&[]).await;
    let first = service.signup("ada@example.com").await;
    let second = service.login("ada@example.com").await;
    ledger.skip();
    service.me(&first.access).await.expect(200);
    ledger.note("me");
    let body = json!({"displayName": "Ada"});
    service.call("PATCH", "/auth/me").bearer(&first.access).json(&body).send().await.expect(200);
    ledger.note("me, change");
    list(&service, &first).await;
    ledger.note("sessions, 2 listed");
    let sid = crate::support::claims(&second.access)["sid"].as_str().expect("a sid").to_owned();
    let path = format!("/auth/sessions/{sid}");
    service.call("DELETE", &path).bearer(&first.access).send().await.expect(204);
    ledger.note("sessions, end one");
    for _ in 0..9 {
        service.login("ada@example.com").await;
    }
    ledger.skip();
    service.call("POST", "/auth/revoke-all").bearer(&first.access).send().await.expect(200);
    ledger.note("sessions, end all 10");
    service.me(&first.access).await.expect(401);
    ledger.note("me, ended session");
    ledger.bills
}

/// A wrong password, the right one with ten other sessions, and one with nothing else to end.
async fn passwords() -> BTreeMap<&'static str, Value> {
    let (_engine, service, mut ledger) = ledger(&[]).await;
    let first = service.signup("ada@example.com").await;
    let change = async |caller: &Tokens, current, new| {
        let body = json!({"currentPassword": current, "newPassword": new});
        service.change_password(&caller.access, &body).await
    };
    ledger.skip();
    change(&first, WRONG, NEW_PASSWORD).await.expect(401);
    ledger.note("password, wrong");
    for _ in 0..10 {
        service.login("ada@example.com").await;
    }
    ledger.skip();
    let reply = change(&first, PASSWORD, NEW_PASSWORD).await.expect(200);
    assert_eq!(reply.body["revokedSessions"], 10);
    ledger.note("password, changed and 10 sessions ended");
    let second = tokens(&reply.body);
    change(&second, NEW_PASSWORD, PASSWORD).await.expect(200);
    ledger.note("password, changed");
    ledger.bills
}

async fn list(service: &Service, user: &Tokens) -> usize {
    let reply = service.call("GET", "/auth/sessions").bearer(&user.access).send().await.expect(200);
    reply.body["sessions"].as_array().expect("a list").len()
}

/// An access token lives for an hour and is renewed in its last five minutes.
async fn renewals() -> BTreeMap<&'static str, Value> {
    let mut bills = BTreeMap::new();
    for (mode, operation) in [("access", "me, access token renewed"), ("rotate", "me, both tokens renewed")] {
        let (_engine, service, mut ledger) = ledger(&[("RENEWAL", mode)]).await;
        let first = service.signup("ada@example.com").await;
        service.pass(3_500);
        ledger.skip();
        let call = service.call("GET", "/auth/me").bearer(&first.access);
        let reply = call.header("x-refresh-token", &first.refresh).send().await.expect(200);
        assert_eq!(reply.headers.contains_key("x-new-refresh-token"), mode == "rotate");
        ledger.note(operation);
        bills.extend(ledger.bills);
    }
    bills
}

/// The longest that a client may send, in ASCII, and the longest addresses that a gateway sees (IPv6).
#[tokio::test(flavor = "multi_thread")]
async fn the_largest_items_are_still_one_write_unit() {
    let (engine, service, mut ledger) = ledger(&[]).await;
    let agent = "a".repeat(999);
    let email = format!(
        "{}@{}.example.com",
        "e".repeat(64),
        ["d".repeat(58), "d".repeat(58), "d".repeat(58)].join(".")
    );
    let name = "n".repeat(128);
    let body = json!({
        "email": email, "password": PASSWORD, "displayName": name, "firstName": name, "lastName": name,
    });
    let post = |path: &str, body: &Value| service.call("POST", path).header("user-agent", &agent).json(body);
    let first = tokens(&post("/auth/signup", &body).send().await.expect(201).body);
    let refresh = json!({"refreshToken": first.refresh});
    let call = post("/auth/refresh", &refresh).header("idempotency-key", &"k".repeat(255));
    let second = tokens(&call.send().await.expect(200).body);
    ledger.skip();
    post("/auth/refresh", &json!({"refreshToken": second.refresh})).send().await.expect(200);
    post("/auth/refresh", &refresh).send().await.expect(401);
    let committed: Value = serde_json::from_str(COMMITTED).expect("JSON");
    let units = |operation: &str| committed[operation]["refresh"]["write_units"].as_f64().expect("units");
    let both = units("refresh, rotate") + units("refresh, reuse");
    assert_eq!(ledger.tap.bill()["refresh"]["write_units"], both);
    // The longest reason for an end is that of a change of the password.
    let third = tokens(&post("/auth/login", &body).send().await.expect(200).body);
    let call = post("/auth/refresh", &json!({"refreshToken": third.refresh}));
    call.header("idempotency-key", &"k".repeat(255)).send().await.expect(200);
    let fourth = tokens(&post("/auth/login", &body).send().await.expect(200).body);
    let change = json!({"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD});
    service.change_password(&fourth.access, &change).await.expect(200);
    for item in Table::of(&engine).await.items().await {
        let loopback_to_longest = 2 * (39 - "127.0.0.1".len());
        let bytes = size(&as_json(&item)) + loopback_to_longest;
        println!("{bytes} bytes: {:?}", item["sk"]);
        assert!(bytes <= WRITE_UNIT_BYTES, "{bytes} bytes: {item:?}");
    }
}

fn as_json(item: &Item) -> Map<String, Value> {
    let typed = |value: &AttributeValue| match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        _ => json!({ "BOOL": true }),
    };
    item.iter().map(|(name, value)| (name.clone(), typed(value))).collect()
}

/// A replay is recorded beside both clients of the session, so that with the longest user agents one write takes two units.
#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_session_is_one_write_unit_unless_its_user_agents_are_long() {
    for (letters, most) in [(120, WRITE_UNIT_BYTES), (240, 2 * WRITE_UNIT_BYTES)] {
        let (engine, service, _) = ledger(&[]).await;
        let agent = "a".repeat(letters);
        let post =
            |path: &str, body: &Value| service.call("POST", path).header("user-agent", &agent).json(body);
        let account = json!({"email": "ada@example.com", "password": PASSWORD});
        let first = tokens(&post("/auth/signup", &account).send().await.expect(201).body);
        for _ in 0..11 {
            let call = post("/auth/refresh", &json!({"refreshToken": first.refresh}));
            call.header("idempotency-key", &"k".repeat(255)).send().await.expect(200);
            service.pass(11);
        }
        for item in Table::of(&engine).await.items_of("SESSION#").await {
            let loopback_to_longest = 3 * (39 - "127.0.0.1".len());
            let bytes = size(&as_json(&item)) + loopback_to_longest;
            println!("{bytes} bytes with user agents of {letters}");
            assert!(bytes <= most, "{bytes} bytes: {item:?}");
            assert_eq!(item["retries"].as_ss().map(Vec::len), Ok(10));
        }
    }
}

/// Half a unit for 4 KB read, one if strongly consistent; one for 1 KB written; twice that in a transaction ("DynamoDB read
/// and write operations", Developer Guide). The figures above are only as good as this.
#[tokio::test(flavor = "multi_thread")]
async fn the_engine_counts_capacity_as_dynamodb_does() {
    let service = Service::start(&[]).await;
    let table = Table::of(&service).await;
    // "pk" and "sk", both with one letter, and "blob": 10 bytes beside its content.
    for (bytes, written, read) in
        [(100, 1.0, 1.0), (1_024, 1.0, 1.0), (1_025, 2.0, 1.0), (4_096, 4.0, 1.0), (4_097, 5.0, 2.0)]
    {
        let item = [("pk", "p".to_owned()), ("sk", "s".to_owned()), ("blob", "b".repeat(bytes - 10))];
        let item: Item = item.map(|(name, text)| (name.to_owned(), AttributeValue::S(text))).into();
        assert_eq!(size(&as_json(&item)), bytes);
        let counted = [
            table.put(&item).await,
            table.put_in_transaction(&item).await,
            table.get(&item, true).await,
            table.get(&item, false).await,
        ];
        let documented = [written, 2.0 * written, read, read / 2.0];
        assert_eq!(json!(counted), json!(documented), "{bytes} bytes");
        table.delete(&item).await;
    }
}
