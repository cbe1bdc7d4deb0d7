//! What a request costs when many users have come before, and what a user with a thousand sessions meets.

use std::time::Duration;

use dynoxide::ImportOptions;
use dynoxide::actions::scan::ScanRequest;
use dynoxide::types::{AttributeValue, Item};
use serde_json::Value;
use tokio::time::Instant;

use crate::support::http::Reply;
use crate::support::tap::Tap;
use crate::support::{Service, Tokens, claims, tapped, tokens};

/// Sessions of one user: far more than a person has, and what a script that logs in for every request soon gets to.
const MANY: usize = 1_000;

/// Requests that it may take to end them on a busy machine: each gives up before Lambda would stop it, and the next goes on.
const TRIES: usize = 20;

/// Rounds that are timed; the median counts.
const ROUNDS: usize = 101;

#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_many_users_costs_request_for_request_the_same() {
    let (empty, full) = (Town::of(0).await, Town::of(2_000).await);
    assert_eq!(empty.day().await, full.day().await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `make growth`"]
async fn up_to_a_million_users_a_request_costs_and_takes_the_same() {
    #[expect(clippy::disallowed_methods, reason = "how far to go is not a setting of the service")]
    let most = std::env::var("GROWTH_USERS").ok().map_or(1_000_000, |text| text.parse().expect("a number"));
    let mut towns = Vec::new();
    for users in [1_000, 100_000, 1_000_000].into_iter().filter(|users| *users <= most) {
        let start = Instant::now();
        towns.push(Town::of(users).await);
        println!("a table with {users} users, {} items, made in {:.1?}", 4 * users, start.elapsed());
    }
    let (first, others) = towns.split_first().expect("a thousand at least");
    let bill = first.day().await;
    for town in others {
        assert_eq!(town.day().await, bill, "with {} users", town.users);
    }
    for (operation, medians) in take_turns(&towns).await {
        for (town, median) in towns.iter().zip(&medians) {
            let ratio = median.as_secs_f64() / medians[0].as_secs_f64();
            println!("{operation:8}{:>9} users {median:>8.1?} {ratio:.2}", town.users);
            // Twice would be growth. The rest is the depth of a tree, caches and the machine.
            assert!(ratio < 2.0, "{operation} takes {ratio:.2} times as long with {} users", town.users);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_sessions_a_hundred_are_listed_and_each_is_ended() {
    let town = Town::of(0).await;
    let user = town.service.signup("ada@example.com").await;
    town.crowd(&user);
    town.tap.bill();
    let listed = town.service.call("GET", "/auth/sessions").bearer(&user.access).send().await.expect(200);
    assert_eq!(listed.body["sessions"].as_array().map(Vec::len), Some(100));
    println!("listed: {} bytes, {}", listed.bytes, town.tap.bill()["sessions"]);
    town.end_all(&user).await;
    println!("ended: {}", town.tap.bill()["sessions"]);
    assert_eq!(town.ended(), MANY);
    town.service.me(&user.access).await.expect(401);
    let again = town.service.login("ada@example.com").await;
    let reply = town.revoke_all(&again).await.expect(200);
    assert_eq!(reply.body["revokedSessions"], 1, "nothing is left of the thousand");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a question of time: `make growth`"]
async fn a_thousand_sessions_end_in_one_request() {
    let town = Town::of(0).await;
    let user = town.service.signup("ada@example.com").await;
    town.crowd(&user);
    let start = Instant::now();
    let reply = town.revoke_all(&user).await.expect(200);
    println!("{MANY} sessions ended in one request, which took {:.1?}", start.elapsed());
    assert_eq!(reply.body["revokedSessions"], MANY);
}

/// A service that so many have signed up to.
struct Town {
    users: usize,
    engine: Service,
    service: Service,
    tap: Tap,
}

impl Town {
    async fn of(users: usize) -> Self {
        let (engine, service, tap) = tapped(&[("LOGIN_LIMIT_PER_IP", "0")]).await;
        let town = Self { users, engine, service, tap };
        town.service.signup("model@example.com").await;
        let models = town.items();
        for start in (0..users).step_by(10_000) {
            let numbers = start..users.min(start + 10_000);
            town.import(numbers.flat_map(|number| models.iter().map(move |model| resident(model, number))));
        }
        town
    }

    /// Every operation once: what each asked for and consumed.
    async fn day(&self) -> Vec<Value> {
        self.tap.bill();
        let mut bills = Vec::new();
        let mut note = || bills.push(self.tap.bill());
        let first = self.service.signup("ada@example.com").await;
        note();
        let other = self.service.login("ada@example.com").await;
        note();
        let second = tokens(&self.service.refresh(&first.refresh).await.expect(200).body);
        note();
        self.service.me(&second.access).await.expect(200);
        note();
        self.service.logout(&other.refresh).await.expect(204);
        note();
        self.service.call("GET", "/auth/sessions").bearer(&second.access).send().await.expect(200);
        note();
        self.end_all(&second).await;
        note();
        bills
    }

    async fn revoke_all(&self, user: &Tokens) -> Reply {
        self.service.call("POST", "/auth/revoke-all").bearer(&user.access).send().await
    }

    /// Ends all sessions of a user, in as many requests as it takes.
    async fn end_all(&self, user: &Tokens) {
        for _ in 0..TRIES {
            let (before, reply) = (self.ended(), self.revoke_all(user).await);
            if reply.status == 200 {
                return;
            }
            reply.expect(503);
            assert!(self.ended() > before, "who comes back comes back for fewer");
        }
        panic!("sessions are left after {TRIES} requests");
    }

    /// Sessions that have been ended.
    fn ended(&self) -> usize {
        self.items().iter().filter(|item| item.contains_key("revoked_at")).count()
    }

    /// Gives a user with one session many.
    fn crowd(&self, user: &Tokens) {
        let sid = claims(&user.access)["sid"].as_str().expect("a sid").to_owned();
        let items = self.items();
        let model =
            items.iter().find(|item| text(item, "sk") == format!("SESSION#{sid}")).expect("their session");
        self.import((1..MANY).map(|number| {
            let mut session = model.clone();
            put(&mut session, "sk", format!("SESSION#{}", sid_of(number)));
            session
        }));
    }

    /// Everything but counts.
    fn items(&self) -> Vec<Item> {
        let scan = ScanRequest { table_name: self.table(), ..ScanRequest::default() };
        let items = self.database().scan(scan).expect("a scan").items.expect("items");
        items.into_iter().filter(|item| !text(item, "pk").starts_with("LIMIT#")).collect()
    }

    fn import(&self, items: impl Iterator<Item = Item>) {
        let (table, items) = (self.table(), items.collect());
        self.database().import_items(&table, items, ImportOptions::default()).expect("an import");
    }

    fn database(&self) -> &dynoxide::Database {
        self.engine.stack.engine().expect("an engine of its own").database()
    }

    fn table(&self) -> String {
        self.engine.stack.environment("MeFunction")["TABLE_NAME"].clone()
    }
}

/// The median time of each operation with each table. They take turns, so that a busy moment of the machine meets all.
async fn take_turns(towns: &[Town]) -> Vec<(&'static str, Vec<Duration>)> {
    let mut users = Vec::new();
    for town in towns {
        users.push(town.service.signup("eve@example.com").await);
    }
    let mut times = ["me", "refresh", "login", "logout"].map(|name| (name, vec![Vec::new(); towns.len()]));
    for _ in 0..ROUNDS {
        for (index, town) in towns.iter().enumerate() {
            let taken = round(&town.service, &mut users[index]).await;
            for ((_, series), taken) in times.iter_mut().zip(taken) {
                series[index].push(taken);
            }
        }
    }
    times.map(|(name, series)| (name, series.into_iter().map(median).collect())).into()
}

async fn round(service: &Service, user: &mut Tokens) -> [Duration; 4] {
    let start = Instant::now();
    service.me(&user.access).await.expect(200);
    let seen = Instant::now();
    *user = tokens(&service.refresh(&user.refresh).await.expect(200).body);
    let refreshed = Instant::now();
    let login = service.login("eve@example.com").await;
    let logged_in = Instant::now();
    service.logout(&login.refresh).await.expect(204);
    [
        seen.duration_since(start),
        refreshed.duration_since(seen),
        logged_in.duration_since(refreshed),
        logged_in.elapsed(),
    ]
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The item that `model` would be for somebody else.
fn resident(model: &Item, number: usize) -> Item {
    let (id, mut item) = (format!("{number:08x}-0000-4000-8000-000000000000"), model.clone());
    if text(model, "pk").starts_with("LIVE#") {
        put(&mut item, "pk", format!("LIVE#{id}"));
        put(&mut item, "sk", sid_of(number));
        return item;
    }
    match text(model, "sk").split_once('#') {
        Some((kind, _)) => put(&mut item, "sk", format!("{kind}#{}", sid_of(number))),
        None if text(model, "sk") == "CREDENTIAL" => {
            put(&mut item, "pk", format!("EMAIL#user-{number}@example.com"));
            put(&mut item, "user_id", id);
            return item;
        }
        None => put(&mut item, "email", format!("user-{number}@example.com")),
    }
    put(&mut item, "pk", format!("USER#{id}"));
    item
}

/// 256 bits in base64url, the last two of which have to be zero.
fn sid_of(number: usize) -> String {
    format!("{number:042}0")
}

fn put(item: &mut Item, name: &str, value: String) {
    item.insert(name.to_owned(), AttributeValue::S(value));
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    if let AttributeValue::S(text) = &item[name] { text } else { "" }
}
