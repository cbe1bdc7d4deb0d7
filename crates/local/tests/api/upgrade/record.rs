//! Writes the fixture: a table with a bit of everything, its settings, live tokens, and the requests that functions send.
//!
//! It runs against the edition that it is compiled with, so that a fixture of the first edition came from a checkout of the
//! first edition (README.md).

use std::collections::BTreeMap;
use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value, json};

use super::fixture::SETTINGS;
use crate::support::http::Reply;
use crate::support::table::{Item, Table};
use crate::support::tap::Tap;
use crate::support::{NEW_PASSWORD, PASSWORD, Service, tapped, tokens};

const DAY: u64 = 86_400;
const WINDOW: u64 = 900;
const WRONG: &str = "not the password";

/// The addresses that sign up, as they are typed.
const ADDRESSES: [&str; 15] = [
    "ada@example.com",
    "bob@example.com",
    "carol@example.com",
    "dave@example.com",
    "eve@example.com",
    "frank@example.com",
    "gil@example.com",
    "ruth@example.com",
    "Grace.HOPPER@Example.COM",
    "ΣΟΦΙΑ@example.com",
    "ΜΑΡΙΟΣ@example.com",
    // One address to people, two keys to this edition.
    "ΟΔΥΣΣΕΥΣ@example.com",
    "οδυσσευσ@example.com",
    "Straße@example.com",
    "strasse@example.com",
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes the fixture of this edition: see README.md"]
async fn a_table_and_live_tokens_are_written_to_a_file() {
    let (engine, service, tap) = tapped(&SETTINGS).await;
    let mut recorder = Recorder { service, tap, engine, tokens: BTreeMap::new(), requests: Map::new() };
    recorder.past_month().await;
    recorder.failures().await;
    recorder.last_hours().await;
    let (now, table) = (recorder.service.now(), recorder.table().await);
    recorder.requests().await;
    let fixture = json!({
        "settings": SETTINGS.map(|(name, value)| json!([name, value])),
        "now": now,
        "tokens": recorder.tokens,
        "requests": recorder.requests,
        "table": table,
    });
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("edition.json");
    std::fs::write(&path, serde_json::to_string_pretty(&fixture).expect("JSON")).expect("a file");
    println!("{}", path.display());
}

struct Recorder {
    service: Service,
    tap: Tap,
    engine: Service,
    tokens: BTreeMap<String, Value>,
    requests: Map<String, Value>,
}

impl Recorder {
    /// Signups, and a session that is never used again.
    async fn past_month(&mut self) {
        for address in ADDRESSES {
            let reply = self.service.try_signup(address).await.expect(201);
            self.keep(&format!("signup of {address}"), &reply);
        }
        self.service.pass(31 * DAY);
    }

    /// Failed logins: a locked address, one that is a failure short of it, one an attempt short of the limit, and a few.
    async fn failures(&mut self) {
        self.service.pass(WINDOW - self.service.now() % WINDOW + 100);
        self.fail("carol@example.com", 10).await;
        self.fail("gil@example.com", 10).await;
        self.service.pass(WINDOW);
        self.fail("carol@example.com", 2).await;
        self.fail("gil@example.com", 1).await;
        assert_eq!(self.service.audited("address_locked").len(), 1);
        // To the window that the snapshot is made in.
        self.login("desktop", "ada@example.com", PASSWORD).await;
        self.service.pass(8 * WINDOW);
        self.fail("dave@example.com", 9).await;
        self.fail("bob@example.com", 3).await;
    }

    async fn last_hours(&mut self) {
        self.login("phone", "ada@example.com", PASSWORD).await;
        self.login("laptop", "ada@example.com", PASSWORD).await;
        self.refresh("laptop", None).await;
        self.login("tablet", "ada@example.com", PASSWORD).await;
        self.refresh("tablet", Some("first-edition-key")).await;
        self.login("stolen", "ada@example.com", PASSWORD).await;
        self.refresh("stolen", None).await;
        self.login("copied", "ada@example.com", PASSWORD).await;
        self.refresh("copied", None).await;
        self.login("signed out", "ada@example.com", PASSWORD).await;
        self.service.logout(&self.token("signed out", "refreshToken")).await.expect(204);
        self.login("eve", "eve@example.com", PASSWORD).await;
        self.disable("eve@example.com").await;
        for name in ["ruth 1", "ruth 2", "ruth 3"] {
            self.login(name, "ruth@example.com", PASSWORD).await;
        }
        self.login("frank, elsewhere", "frank@example.com", PASSWORD).await;
        self.login("frank", "frank@example.com", PASSWORD).await;
        self.change_password("frank", PASSWORD, NEW_PASSWORD).await;
        self.service.pass(60);
        self.refresh("laptop", None).await;
        self.service.refresh(&self.token("stolen, before", "refreshToken")).await.expect(401);
        self.login("watch", "ada@example.com", PASSWORD).await;
        self.refresh("watch", None).await;
        self.service.pass(5);
    }

    /// What functions of this edition ask the table for, from the snapshot on; each for sessions and addresses of its own.
    async fn requests(&mut self) {
        self.tap.requests();
        let reply = self.service.try_login("ada@example.com", PASSWORD).await.expect(200);
        self.keep("after login", &reply);
        self.note("login");
        self.service.try_login("bob@example.com", WRONG).await.expect(401);
        self.note("login, wrong password");
        self.service.try_login("gil@example.com", WRONG).await.expect(401);
        assert_eq!(self.service.audited("address_locked").len(), 2);
        self.note("login, locks the address");
        let reply = self.service.refresh(&self.token("phone", "refreshToken")).await.expect(200);
        self.keep("after refresh", &reply);
        self.note("refresh");
        let key = "first-edition-other-key";
        let token = self.token("desktop", "refreshToken");
        let reply = self.service.refresh_with_key(&token, key).await.expect(200);
        self.keep("after refresh with a key", &reply);
        self.note("refresh with a key");
        self.service.refresh(&self.token("copied, before", "refreshToken")).await.expect(401);
        self.note("refresh, reuse");
        self.service.logout(&self.token("laptop", "refreshToken")).await.expect(204);
        self.note("logout");
        self.service.me(&self.token("tablet", "accessToken")).await.expect(200);
        self.note("me");
        let call = self.service.call("PATCH", "/auth/me").bearer(&self.token("tablet", "accessToken"));
        call.json(&json!({"displayName": "Ada"})).send().await.expect(200);
        self.note("me, new name");
        let call = self.service.call("GET", "/auth/sessions");
        call.bearer(&self.token("tablet", "accessToken")).send().await.expect(200);
        self.note("sessions");
        let call = self.service.call("POST", "/auth/revoke-all");
        call.bearer(&self.token("ruth 1", "accessToken")).send().await.expect(200);
        self.note("revoke all");
        self.change_password("frank", NEW_PASSWORD, "Velvet-Harbour-Thimble").await;
        self.note("password");
        let reply = self.service.try_signup("hal@example.com").await.expect(201);
        self.keep("after signup", &reply);
        self.note("signup");
    }

    async fn login(&mut self, name: &str, address: &str, password: &str) {
        let reply = self.service.try_login(address, password).await.expect(200);
        self.keep(name, &reply);
    }

    /// Rotates the tokens of `name`; the ones before are kept, too.
    async fn refresh(&mut self, name: &str, key: Option<&str>) {
        let before = self.tokens[name].clone();
        let token = self.token(name, "refreshToken");
        let reply = match key {
            Some(key) => self.service.refresh_with_key(&token, key).await,
            None => self.service.refresh(&token).await,
        };
        self.keep(name, &reply.expect(200));
        self.tokens.insert(format!("{name}, before"), before);
    }

    async fn change_password(&self, name: &str, current: &str, new: &str) {
        let body = json!({"currentPassword": current, "newPassword": new});
        self.service.change_password(&self.token(name, "accessToken"), &body).await.expect(200);
    }

    async fn fail(&self, address: &str, times: usize) {
        for _ in 0..times {
            self.service.try_login(address, WRONG).await.expect(401);
        }
    }

    /// As an operator does.
    async fn disable(&self, address: &str) {
        let table = Table::of(&self.engine).await;
        let users = table.items_of("PROFILE").await;
        let user = users.iter().find(|user| user["email"] == AttributeValue::S(address.to_owned()));
        table.set(user.expect("they signed up"), "status", "disabled").await;
    }

    fn token(&self, name: &str, member: &str) -> String {
        self.tokens[name][member].as_str().expect("a token").to_owned()
    }

    fn keep(&mut self, name: &str, reply: &Reply) {
        let tokens = tokens(&reply.body);
        let kept =
            json!({"accessToken": tokens.access, "refreshToken": tokens.refresh, "userId": tokens.user});
        self.tokens.insert(name.to_owned(), kept);
    }

    fn note(&mut self, name: &str) {
        self.requests.insert(name.to_owned(), self.tap.requests().into());
    }

    /// Every item, as DynamoDB writes it in JSON, in the order of its key.
    async fn table(&self) -> Value {
        let mut items: Vec<_> = Table::of(&self.engine).await.items().await.iter().map(as_json).collect();
        items.sort_by_key(|item| format!("{} {}", item["pk"], item["sk"]));
        items.into()
    }
}

fn as_json(item: &Item) -> Value {
    let typed = |value: &AttributeValue| match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        other => panic!("no edition writes {other:?}"),
    };
    let members: BTreeMap<_, _> = item.iter().map(|(name, value)| (name, typed(value))).collect();
    json!(members)
}
