//! Every fault of the line, for every request to the table that every endpoint makes.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::change_password::passwords;
use crate::support::http::Reply;
use crate::support::table::{Table, text};
use crate::support::tap::{Fault, Tap, Target};
use crate::support::{NEW_PASSWORD, PASSWORD, Service, Tokens};

/// What the SDK tries again by itself.
const HEALED: [Fault; 8] = [
    Fault::LoseRequest,
    Fault::LoseAnswer,
    Fault::Status(500),
    Fault::Status(503),
    Fault::Refuse("ProvisionedThroughputExceededException"),
    Fault::Refuse("ThrottlingException"),
    Fault::Refuse("RequestLimitExceeded"),
    Fault::Truncate,
];

/// What only the client's own retry heals.
const TOLD: [Fault; 5] = [
    Fault::Conflict,
    Fault::Refuse("TransactionConflictException"),
    Fault::Garble("<html><body>502 Bad Gateway</body></html>"),
    Fault::Garble("{\"Item\":"),
    Fault::Garble("[7]"),
];

/// An endpoint, by its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Signup,
    Login,
    WrongLogin,
    Refresh,
    /// A refresh that repeats a rotation after the grace period.
    Replay,
    Logout,
    Me,
    ChangeMe,
    Sessions,
    EndSession,
    RevokeAll,
    ChangePassword,
    WrongChange,
}

/// Every request to the table, and the status of the endpoint's success.
const REQUESTS: &[(Call, u16, Target)] = &[
    (Call::Signup, 201, Target::of("UpdateItem", "LIMIT#signup-ip")),
    (Call::Signup, 201, Target::of("GetItem", "CREDENTIAL")),
    (Call::Signup, 201, Target::of("TransactWriteItems", "")),
    (Call::Login, 200, Target::of("UpdateItem", "LIMIT#login-address")),
    (Call::Login, 200, Target::of("UpdateItem", "LIMIT#login-ip")),
    (Call::Login, 200, Target::of("GetItem", "LIMIT#login-failures")),
    (Call::Login, 200, Target::of("GetItem", "CREDENTIAL")),
    (Call::Login, 200, Target::of("GetItem", "PROFILE")),
    (Call::Login, 200, Target::of("PutItem", "SESSION#")),
    (Call::WrongLogin, 401, Target::of("UpdateItem", "LIMIT#login-failures")),
    (Call::WrongLogin, 401, Target::of("GetItem", "LIMIT#login-failures")),
    (Call::WrongLogin, 401, Target::of("GetItem", "CREDENTIAL")),
    (Call::Refresh, 200, Target::of("GetItem", "PROFILE")),
    (Call::Refresh, 200, Target::of("UpdateItem", "SESSION#")),
    (Call::Replay, 200, Target::of("GetItem", "PROFILE")),
    (Call::Replay, 200, Target::of("UpdateItem", "idle_ends_at")),
    (Call::Replay, 200, Target::of("UpdateItem", "replay_ip")),
    (Call::Logout, 204, Target::of("GetItem", "SESSION#")),
    (Call::Logout, 204, Target::of("UpdateItem", "SESSION#")),
    (Call::Me, 200, Target::of("GetItem", "SESSION#")),
    (Call::Me, 200, Target::of("GetItem", "PROFILE")),
    (Call::ChangeMe, 200, Target::of("GetItem", "SESSION#")),
    (Call::ChangeMe, 200, Target::of("UpdateItem", "PROFILE")),
    (Call::Sessions, 200, Target::of("GetItem", "SESSION#")),
    (Call::Sessions, 200, Target::of("Query", "")),
    (Call::EndSession, 204, Target::of("GetItem", "SESSION#")),
    (Call::EndSession, 204, Target::of("UpdateItem", "SESSION#")),
    (Call::RevokeAll, 200, Target::of("GetItem", "SESSION#")),
    (Call::RevokeAll, 200, Target::of("UpdateItem", "PROFILE")),
    (Call::RevokeAll, 200, Target::of("Query", "")),
    (Call::RevokeAll, 200, Target::of("UpdateItem", "SESSION#")),
    (Call::ChangePassword, 200, Target::of("GetItem", "SESSION#")),
    (Call::ChangePassword, 200, Target::of("GetItem", "PROFILE")),
    (Call::ChangePassword, 200, Target::of("UpdateItem", "LIMIT#password-user")),
    (Call::ChangePassword, 200, Target::of("UpdateItem", "LIMIT#password-session")),
    (Call::ChangePassword, 200, Target::of("GetItem", "LIMIT#password-failures")),
    (Call::ChangePassword, 200, Target::of("GetItem", "CREDENTIAL")),
    (Call::ChangePassword, 200, Target::of("UpdateItem", "CREDENTIAL")),
    (Call::ChangePassword, 200, Target::of("Query", "")),
    (Call::ChangePassword, 200, Target::of("UpdateItem", "SESSION#")),
    (Call::ChangePassword, 200, Target::of("PutItem", "SESSION#")),
    (Call::WrongChange, 401, Target::of("UpdateItem", "LIMIT#password-failures")),
];

/// Every request to the table.
const EVERYTHING: Target = Target::of("", "");

/// A service of its own for one row of the matrix, on the table that all share.
struct Row {
    service: Service,
    tap: Tap,
    table: Table,
    call: Call,
    success: u16,
    target: Target,
}

impl Row {
    async fn start(engine: &Service, (call, success, target): (Call, u16, Target)) -> Self {
        let tap = Tap::start(engine.stack.store_endpoint()).await;
        let unlimited = [
            ("LOGIN_LIMIT_PER_ADDRESS", "9999"),
            ("LOGIN_LIMIT_PER_IP", "9999"),
            ("SIGNUP_LIMIT_PER_IP", "9999"),
        ];
        let service = Service::start_at(&unlimited, &tap.url).await;
        Self { service, tap, table: Table::of(engine).await, call, success, target }
    }

    /// A user that nobody else has.
    async fn user(&self, number: usize) -> (String, Tokens) {
        let Target { operation, about } = self.target;
        let name =
            format!("{:?}-{operation}-{about}-{number}", self.call).replace(['#', ':'], "-").to_lowercase();
        let email = format!("{name}@example.com");
        let tokens = self.service.signup(&email).await;
        if self.call == Call::Replay {
            self.service.refresh_with_key(&tokens.refresh, "k").await.expect(200);
            self.service.pass(11);
        }
        if self.call == Call::ChangePassword {
            // For a session that has to end.
            self.service.login(&email).await;
        }
        (email, tokens)
    }

    async fn send(&self, email: &str, user: &Tokens) -> Reply {
        let sid = || crate::support::claims(&user.refresh)["sid"].as_str().expect("a session").to_owned();
        let (method, path, body) = match self.call {
            Call::Signup => (
                "POST",
                "/auth/signup".into(),
                json!({"email": format!("new-{email}"), "password": PASSWORD}),
            ),
            Call::Login => ("POST", "/auth/login".into(), json!({"email": email, "password": PASSWORD})),
            Call::WrongLogin => {
                ("POST", "/auth/login".into(), json!({"email": email, "password": "not it at all"}))
            }
            Call::Refresh | Call::Replay => {
                ("POST", "/auth/refresh".into(), json!({"refreshToken": user.refresh}))
            }
            Call::Logout => ("POST", "/auth/logout".into(), json!({"refreshToken": user.refresh})),
            Call::Me => ("GET", "/auth/me".into(), Value::Null),
            Call::ChangeMe => ("PATCH", "/auth/me".into(), json!({"displayName": "Ada"})),
            Call::Sessions => ("GET", "/auth/sessions".into(), Value::Null),
            Call::EndSession => ("DELETE", format!("/auth/sessions/{}", sid()), Value::Null),
            Call::RevokeAll => ("POST", "/auth/revoke-all".into(), Value::Null),
            Call::ChangePassword => ("POST", "/auth/password".into(), passwords(PASSWORD, NEW_PASSWORD)),
            Call::WrongChange => ("POST", "/auth/password".into(), passwords("not it", NEW_PASSWORD)),
        };
        let call = self.service.call(method, &path);
        let call = if self.is_protected() { call.bearer(&user.access) } else { call };
        let call = if self.call == Call::Replay { call.header("idempotency-key", "k") } else { call };
        if body.is_null() { call.send().await } else { call.json(&body).send().await }
    }

    /// Whether the authorizer comes first.
    fn is_protected(&self) -> bool {
        use Call::{ChangeMe, ChangePassword, EndSession, Me, RevokeAll, Sessions, WrongChange};
        let calls = [Me, ChangeMe, Sessions, EndSession, RevokeAll, ChangePassword, WrongChange];
        calls.contains(&self.call)
    }

    /// 503 with what a client needs to come back.
    fn assert_unavailable(&self, reply: &Reply, fault: Fault) {
        let row = format!("{:?} {:?} {fault:?}: {}", self.call, self.target, reply.body);
        assert_eq!(reply.status, 503, "{row}");
        let checked = [Target::of("GetItem", "SESSION#"), EVERYTHING].contains(&self.target);
        let by_the_gateway = self.is_protected() && checked;
        if !by_the_gateway {
            assert_eq!(
                (reply.code(), reply.header("retry-after")),
                ("temporarily_unavailable", "1"),
                "{row}"
            );
        }
    }

    /// What was asked for is done, whole, and the same request again says so.
    async fn assert_healed(&self, email: &str, user: &Tokens, fault: Fault) {
        let row = format!("{:?} {:?} {fault:?}", self.call, self.target);
        let items = if self.call == Call::Signup { self.signed_up(&format!("new-{email}")).await } else { 0 };
        assert!(items == 0 || items == 3, "{row}: half a user");
        let again = self.send(email, user).await;
        // The session that asks is ended: who repeats it is told that there is nothing left to end.
        let ends = [Call::EndSession, Call::RevokeAll, Call::ChangePassword];
        let ended = ends.contains(&self.call) && again.status == 401;
        if self.call == Call::Signup && again.status == 409 {
            assert_eq!(items, 3, "{row}: taken by nobody");
            self.service.try_login(&format!("new-{email}"), PASSWORD).await.expect(200);
        } else if !ended {
            assert_eq!(again.status, self.success, "{row}: {}", again.body);
        }
        match self.call {
            Call::Signup => assert_eq!(self.signed_up(&format!("new-{email}")).await, 3, "{row}"),
            Call::Logout | Call::EndSession | Call::RevokeAll => {
                self.service.me(&user.access).await.expect(401);
            }
            Call::ChangePassword => {
                self.service.me(&user.access).await.expect(401);
                self.service.try_login(email, PASSWORD).await.expect(401);
                self.service.try_login(email, NEW_PASSWORD).await.expect(200);
                assert_eq!(self.open_sessions(user).await, 2, "{row}: the new one, and that of the login");
            }
            _ => {
                self.service.me(&user.access).await.expect(200);
            }
        }
    }

    /// How many sessions of a user nobody has ended.
    async fn open_sessions(&self, user: &Tokens) -> usize {
        let items = self.table.partition(&format!("USER#{}", user.user)).await;
        let open =
            |item: &&_| text(item, "sk").starts_with("SESSION#") && text(item, "revoked_reason").is_empty();
        items.iter().filter(open).count()
    }

    /// How many of a credential, its user and a session of that user there are.
    async fn signed_up(&self, email: &str) -> usize {
        let items = self.table.items().await;
        let users = items.iter().filter(|item| text(item, "email") == email).collect::<Vec<_>>();
        let credentials = items.iter().filter(|item| text(item, "pk") == format!("EMAIL#{email}")).count();
        assert!(users.len() < 2, "{email}: two users");
        let sessions = users.first().map_or(0, |user| {
            let own =
                |item: &&_| text(item, "pk") == text(user, "pk") && text(item, "sk").starts_with("SESSION#");
            items.iter().filter(own).count().min(1)
        });
        users.len() + credentials + sessions
    }
}

/// Runs every row at the same time; each has a user for each fault.
async fn every_row(run: impl AsyncFn(&Row) + Copy) {
    each_row(REQUESTS, run).await;
}

async fn each_row(requests: &[(Call, u16, Target)], run: impl AsyncFn(&Row) + Copy) {
    let engine = Service::start(&[]).await;
    for requests in requests.chunks(13) {
        let mut rows = Vec::new();
        for request in requests {
            rows.push(Row::start(&engine, *request).await);
        }
        let mut running = std::pin::pin!(futures(&rows, run));
        running.as_mut().await;
    }
}

async fn futures(rows: &[Row], run: impl AsyncFn(&Row) + Copy) {
    let mut waiting: Vec<_> = rows.iter().map(|row| Box::pin(run(row))).collect();
    std::future::poll_fn(move |context| {
        waiting.retain_mut(|row| row.as_mut().poll(context).is_pending());
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_fault_that_the_sdk_tries_again_is_invisible() {
    every_row(async |row: &Row| {
        for (number, fault) in HEALED.into_iter().enumerate() {
            let (email, user) = row.user(number).await;
            row.tap.spoil_next(1, row.target, fault);
            let reply = row.send(&email, &user).await;
            assert!(!row.tap.heal(), "{:?} makes no {:?}", row.call, row.target);
            assert_eq!(
                reply.status, row.success,
                "{:?} {:?} {fault:?}: {}",
                row.call, row.target, reply.body
            );
            row.assert_healed(&email, &user, fault).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lasting_fault_is_503_and_the_same_request_works_later() {
    every_row(async |row: &Row| {
        for (number, fault) in HEALED.into_iter().chain(TOLD).enumerate() {
            if fault == Fault::Conflict && row.target.operation != "TransactWriteItems" {
                // Only transactions are cancelled.
                continue;
            }
            let (email, user) = row.user(number).await;
            row.tap.spoil(row.target, fault);
            row.assert_unavailable(&row.send(&email, &user).await, fault);
            row.tap.heal();
            row.assert_healed(&email, &user, fault).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_slow_for_ever_is_503_in_time_and_one_late_answer_is_invisible() {
    every_row(async |row: &Row| {
        let (email, user) = row.user(0).await;
        row.tap.spoil(row.target, Fault::Late);
        let reply = tokio::time::timeout(Duration::from_secs(9), row.send(&email, &user)).await;
        row.assert_unavailable(&reply.expect("an answer in time"), Fault::Late);
        row.tap.heal();
        row.assert_healed(&email, &user, Fault::Late).await;
        let (email, user) = row.user(1).await;
        row.tap.spoil_next(1, row.target, Fault::Late);
        let reply = row.send(&email, &user).await;
        assert_eq!(reply.status, row.success, "{:?} {:?}: {}", row.call, row.target, reply.body);
        row.assert_healed(&email, &user, Fault::Late).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_slow_in_everything_is_503_in_time() {
    let mut calls: Vec<_> = REQUESTS.iter().map(|(call, success, _)| (*call, *success, EVERYTHING)).collect();
    calls.dedup();
    each_row(&calls, async |row: &Row| {
        let (email, user) = row.user(0).await;
        row.tap.spoil(EVERYTHING, Fault::Late);
        let reply = tokio::time::timeout(Duration::from_secs(13), row.send(&email, &user)).await;
        row.assert_unavailable(&reply.expect("an answer in time"), Fault::Late);
        row.tap.heal();
        row.assert_healed(&email, &user, Fault::Late).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_that_cannot_be_given_back_or_cleared_keep_nobody_out() {
    let engine = Arc::new(Service::start(&[]).await);
    for target in [Target::of("UpdateItem", ":minus"), Target::of("DeleteItem", "LIMIT#login-failures")] {
        let row = Row::start(&engine, (Call::Login, 200, target)).await;
        for (number, fault) in HEALED.into_iter().chain(TOLD).chain([Fault::Late]).enumerate() {
            let (email, user) = row.user(number).await;
            row.service.try_login(&email, "not the password").await.expect(401);
            row.tap.spoil(row.target, fault);
            row.send(&email, &user).await.expect(200);
            assert!(row.tap.spoilt() > number, "{target:?} {fault:?}");
            row.tap.heal();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_answer_to_a_write_whose_outcome_was_asked_for_is_503() {
    let engine = Service::start(&[]).await;
    for request in [
        (Call::WrongLogin, 401, Target::of("UpdateItem", "LIMIT#login-failures")),
        (Call::Refresh, 200, Target::of("UpdateItem", "SESSION#")),
        (Call::ChangeMe, 200, Target::of("UpdateItem", "PROFILE")),
    ] {
        let row = Row::start(&engine, request).await;
        let (email, user) = row.user(99).await;
        row.tap.spoil(row.target, Fault::Garble("{}"));
        row.assert_unavailable(&row.send(&email, &user).await, Fault::Garble("{}"));
        row.tap.heal();
        row.assert_healed(&email, &user, Fault::Garble("{}")).await;
    }
}
