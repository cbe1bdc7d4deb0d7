//! `SESSION_LIMIT`, and the index of live sessions: what is listed, revoked and read of a user with many sessions.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use dynoxide::ImportOptions;
use serde_json::{Value, json};

use crate::change_password::passwords;
use crate::support::table::{Item, Table, text};
use crate::support::tap::{Fault, Target};
use crate::support::{NEW_PASSWORD, PASSWORD, Service, Tokens, claims, tapped, tokens};

const UNLIMITED: [(&str, &str); 2] = [("LOGIN_LIMIT_PER_IP", "0"), ("LOGIN_LIMIT_PER_ADDRESS", "0")];

/// Ended sessions: those of a script that logs in and out, within the time that records are kept.
const ENDED: usize = 10_000;

/// Live sessions without a limit: more than a page of the list and more than several batches.
const CROWD: usize = 600;

fn with_limit(limit: &'static str) -> [(&'static str, &'static str); 3] {
    [UNLIMITED[0], UNLIMITED[1], ("SESSION_LIMIT", limit)]
}

fn sid(tokens: &Tokens) -> String {
    claims(&tokens.access)["sid"].as_str().expect("a sid").to_owned()
}

async fn listed(service: &Service, caller: &Tokens) -> Vec<Value> {
    let reply = service.call("GET", "/auth/sessions").bearer(&caller.access).send().await.expect(200);
    reply.body["sessions"].as_array().expect("a list").clone()
}

/// A session of another id: its record, and its index item if its id is of the index.
struct Copies<'a> {
    engine: &'a Service,
    record: Item,
    live: Item,
}

impl<'a> Copies<'a> {
    async fn of(engine: &'a Service, table: &Table, model: &Tokens) -> Self {
        let record = table.items_of(&format!("SESSION#{}", sid(model))).await.remove(0);
        let live = table.partition(&format!("LIVE#{}", model.user)).await;
        let live = live.into_iter().find(|item| text(item, "sk") == sid(model)).expect("an index item");
        Self { engine, record, live }
    }

    fn import(&self, items: Vec<Item>) {
        let database = self.engine.stack.engine().expect("an engine of its own").database();
        let table = self.engine.stack.environment("MeFunction")["TABLE_NAME"].clone();
        let convert = |value: AttributeValue| match value {
            AttributeValue::S(text) => dynoxide::types::AttributeValue::S(text),
            AttributeValue::N(number) => dynoxide::types::AttributeValue::N(number),
            _ => panic!("sessions have texts and numbers"),
        };
        let items = items
            .into_iter()
            .map(|item| item.into_iter().map(|(name, value)| (name, convert(value))).collect())
            .collect();
        database.import_items(&table, items, ImportOptions::default()).expect("an import");
    }

    fn record(&self, sid: &str) -> Item {
        let mut record = self.record.clone();
        record.insert("sk".to_owned(), AttributeValue::S(format!("SESSION#{sid}")));
        record
    }

    fn live(&self, sid: &str) -> Item {
        let mut live = self.live.clone();
        live.insert("sk".to_owned(), AttributeValue::S(sid.to_owned()));
        live
    }
}

fn indexed_sid(number: usize) -> String {
    format!("zzzzzz{number:036}0")
}

fn first_edition_sid(number: usize) -> String {
    format!("{number:042}0")
}

fn put_number(item: &mut Item, name: &str, value: u64) {
    item.insert(name.to_owned(), AttributeValue::N(value.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_beyond_the_limit_revokes_the_session_used_longest_ago() {
    let service = Service::start(&with_limit("3")).await;
    let first = service.signup("ada@example.com").await;
    service.pass(1);
    let second = service.login("ada@example.com").await;
    service.pass(1);
    let third = service.login("ada@example.com").await;
    service.pass(1);
    let first = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    let fourth = service.login("ada@example.com").await;
    service.me(&second.access).await.expect(401);
    assert_eq!(service.refresh(&second.refresh).await.expect(401).code(), "invalid_grant");
    for live in [&first, &third, &fourth] {
        service.me(&live.access).await.expect(200);
    }
    assert_eq!(listed(&service, &fourth).await.len(), 3);
    assert_eq!(service.audited("session_ended"), ["session_limit"]);
    let ended = service.stack.audit().entries().into_iter().filter_map(|entry| {
        let entry = serde_json::to_value(entry).expect("JSON");
        (entry["event"] == "session_ended").then(|| entry["session_id"].clone())
    });
    assert_eq!(ended.collect::<Vec<_>>(), [json!(sid(&second))]);
    let record = Table::of(&service).await.items_of(&format!("SESSION#{}", sid(&second))).await.remove(0);
    assert_eq!(text(&record, "revoked_reason"), "session_limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_over_do_not_count() {
    let service =
        Service::start(&[UNLIMITED[0], ("SESSION_LIMIT", "2"), ("REFRESH_TOKEN_EXPIRY", "2h")]).await;
    service.signup("ada@example.com").await;
    let out = service.login("ada@example.com").await;
    service.logout(&out.refresh).await.expect(204);
    // The one of the signup ends idle.
    service.pass(7_200);
    service.login("ada@example.com").await;
    service.login("ada@example.com").await;
    assert!(service.audited("session_ended").is_empty());
    service.login("ada@example.com").await;
    assert_eq!(service.audited("session_ended"), ["session_limit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_at_once_keep_the_limit_and_each_its_own_session() {
    let service = Arc::new(Service::start(&with_limit("4")).await);
    service.signup("ada@example.com").await;
    let logins: Vec<_> = (0..12)
        .map(|_| {
            let service = Arc::clone(&service);
            tokio::spawn(async move { service.login("ada@example.com").await })
        })
        .collect();
    for login in logins {
        login.await.expect("no panic");
    }
    service.pass(1);
    let last = service.login("ada@example.com").await;
    service.me(&last.access).await.expect(200);
    assert_eq!(listed(&service, &last).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_limit_nothing_is_revoked_or_counted() {
    let (_engine, service, tap) = tapped(&with_limit("0")).await;
    let first = service.signup("ada@example.com").await;
    for _ in 0..120 {
        service.login("ada@example.com").await;
    }
    assert!(!tap.take().contains(&"Query".to_owned()));
    service.me(&first.access).await.expect(200);
    let reply = service.call("POST", "/auth/revoke-all").bearer(&first.access).send().await.expect(200);
    assert_eq!(reply.body["revokedSessions"], 121);
}

/// The limit is held after the session has begun: whatever fails there, the user is in.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_cannot_be_held_keeps_nobody_out_and_the_next_login_holds_it() {
    for target in
        [Target::of("Query", ""), Target::of("BatchGetItem", ""), Target::of("UpdateItem", "session_limit")]
    {
        let (_engine, service, tap) = tapped(&with_limit("2")).await;
        service.signup("ada@example.com").await;
        service.login("ada@example.com").await;
        tap.spoil(target, Fault::Refuse("ThrottlingException"));
        let third = service.login("ada@example.com").await;
        tap.heal();
        service.me(&third.access).await.expect(200);
        let fourth = service.login("ada@example.com").await;
        assert_eq!(listed(&service, &fourth).await.len(), 2, "{target:?}");
    }
}

/// The first edition wrote no index: its sessions are found all the same, and those of old functions after a rollback.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_the_first_edition_are_listed_limited_and_revoked() {
    for end in ["revoke-all", "password", "limit"] {
        let (engine, service, tap) = tapped(&with_limit(if end == "limit" { "3" } else { "100" })).await;
        let table = Table::of(&engine).await;
        let mine = service.signup("ada@example.com").await;
        let copies = Copies::of(&engine, &table, &mine).await;
        copies.import((0..5).map(|number| copies.record(&first_edition_sid(number))).collect());
        assert_eq!(listed(&service, &mine).await.len(), 6);
        tap.take();
        match end {
            "revoke-all" => {
                let call = service.call("POST", "/auth/revoke-all").bearer(&mine.access);
                assert_eq!(call.send().await.expect(200).body["revokedSessions"], 6);
            }
            "password" => {
                let body = passwords(PASSWORD, NEW_PASSWORD);
                let reply = service.change_password(&mine.access, &body).await.expect(200);
                assert_eq!(reply.body["revokedSessions"], 5);
            }
            _ => {
                service.pass(1);
                service.login("ada@example.com").await;
            }
        }
        let sessions = table.items_of("SESSION#").await;
        let open = sessions.iter().filter(|session| text(session, "revoked_reason").is_empty()).count();
        assert_eq!(
            open,
            match end {
                "revoke-all" => 0,
                "password" => 1,
                _ => 3,
            },
            "{end}"
        );
    }
}

/// An old function that revokes a session leaves its index item.
#[tokio::test(flavor = "multi_thread")]
async fn a_stale_index_item_shows_no_session_and_is_deleted_when_it_is_met() {
    let (engine, service, _tap) = tapped(&UNLIMITED).await;
    let table = Table::of(&engine).await;
    let (mine, other) = (service.signup("ada@example.com").await, service.login("ada@example.com").await);
    let partition = format!("LIVE#{}", mine.user);
    let item = table.partition(&partition).await.into_iter().find(|item| text(item, "sk") == sid(&other));
    let item = item.expect("an index item");
    service.logout(&other.refresh).await.expect(204);
    assert_eq!(table.partition(&partition).await.len(), 1, "a logout deletes it");
    table.put(&item).await;
    assert_eq!(listed(&service, &mine).await.len(), 1);
    assert_eq!(table.partition(&partition).await.len(), 1);
    // One without a record may be that of a login under way, for an hour.
    table.delete(&table.items_of(&format!("SESSION#{}", sid(&other))).await[0]).await;
    table.put(&item).await;
    assert_eq!(listed(&service, &mine).await.len(), 1);
    assert_eq!(table.partition(&partition).await.len(), 2);
    service.pass(3_600);
    let later = service.login("ada@example.com").await;
    listed(&service, &later).await;
    assert_eq!(table.partition(&partition).await.len(), 2, "those of the two sessions");
    let body = json!({"revokedSessions": 2});
    let call = service.call("POST", "/auth/revoke-all").bearer(&later.access);
    assert_eq!(call.send().await.expect(200).body, body);
    assert!(table.partition(&partition).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_ten_thousand_ended_sessions_login_list_and_revoke_all_read_the_live_ones_alone() {
    let (engine, service, tap) = tapped(&UNLIMITED).await;
    let table = Table::of(&engine).await;
    let mine = service.signup("ada@example.com").await;
    tap.bill();
    service.login("ada@example.com").await;
    let few = tap.bill()["login"]["read_units"].clone();
    let copies = Copies::of(&engine, &table, &mine).await;
    copies.import(
        (0..ENDED)
            .map(|number| {
                let mut record = copies.record(&indexed_sid(number));
                put_number(&mut record, "revoked_at", service.now());
                record.insert("revoked_reason".to_owned(), AttributeValue::S("logout".to_owned()));
                record
            })
            .collect(),
    );
    let login = service.login("ada@example.com").await;
    assert_eq!(tap.bill()["login"]["read_units"], few);
    assert_eq!(listed(&service, &login).await.len(), 3);
    let read = tap.bill()["sessions"]["read_units"].as_f64().expect("units");
    assert!(read <= 5.0, "two queries and three records took {read} units");
    let reply = service.call("POST", "/auth/revoke-all").bearer(&login.access).send().await.expect(200);
    assert_eq!(reply.body["revokedSessions"], 3);
    let read = tap.bill()["sessions"]["read_units"].as_f64().expect("units");
    assert!(read <= 2.0, "two queries took {read} units");
}

/// Sessions that are live at once.
async fn crowd(limit: &'static str) -> (Service, Service, Tokens) {
    let (engine, service, _tap) = tapped(&with_limit(limit)).await;
    let table = Table::of(&engine).await;
    let mine = service.signup("ada@example.com").await;
    let copies = Copies::of(&engine, &table, &mine).await;
    let session = |number| {
        let mut record = copies.record(&indexed_sid(number));
        // Each was used later than the caller's.
        put_number(&mut record, "last_used_at", service.now() + 1);
        [record, copies.live(&indexed_sid(number))]
    };
    copies.import((1..CROWD).flat_map(session).collect());
    (engine, service, mine)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_current_session_is_listed_however_many_there_are() {
    let (_engine, service, mine) = crowd("0").await;
    let sessions = listed(&service, &mine).await;
    assert_eq!(sessions.len(), 100);
    let current: Vec<_> = sessions.iter().filter(|session| session["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["sessionId"], sid(&mine).as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_change_ends_hundreds_of_sessions_in_one_request() {
    let (_engine, service, mine) = crowd("0").await;
    let body = passwords(PASSWORD, NEW_PASSWORD);
    let reply = service.change_password(&mine.access, &body).await.expect(200);
    assert_eq!(reply.body["revokedSessions"], CROWD - 1);
    let new = tokens(&reply.body);
    assert_eq!(listed(&service, &new).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn revoke_all_ends_hundreds_of_sessions_in_one_request() {
    let (engine, service, mine) = crowd("0").await;
    let reply = service.call("POST", "/auth/revoke-all").bearer(&mine.access).send().await.expect(200);
    assert_eq!(reply.body["revokedSessions"], CROWD);
    assert!(Table::of(&engine).await.partition(&format!("LIVE#{}", mine.user)).await.is_empty());
}
