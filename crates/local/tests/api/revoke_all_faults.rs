//! A `revoke-all` that goes wrong half-way: the answer says so, the audit log too, and the same request again finishes.

use std::time::Duration;

use serde_json::json;

use crate::support::http::Reply;
use crate::support::table::{Table, text};
use crate::support::tap::{Fault, Target};
use crate::support::{Service, Tokens, claims, tapped};

const UNLIMITED: [(&str, &str); 2] = [("LOGIN_LIMIT_PER_IP", "0"), ("LOGIN_LIMIT_PER_ADDRESS", "0")];

/// More sessions than are ended at the same time; the first one is the caller's.
const SESSIONS: usize = 40;

async fn sign_in(service: &Service) -> Vec<Tokens> {
    let mut all = vec![service.signup("ada@example.com").await];
    for _ in 1..SESSIONS {
        all.push(service.login("ada@example.com").await);
    }
    all
}

async fn revoke_all(service: &Service, caller: &Tokens) -> Reply {
    service.call("POST", "/auth/revoke-all").bearer(&caller.access).send().await
}

/// The outcomes of the audit lines.
fn outcomes(service: &Service) -> Vec<String> {
    let entries = service.stack.audit().entries().into_iter();
    let entries = entries.map(|entry| serde_json::to_value(entry).expect("an entry is JSON"));
    let of_all = entries.filter(|entry| entry["event"] == "sessions_revoked");
    of_all.map(|entry| entry["outcome"].as_str().expect("an outcome").to_owned()).collect()
}

/// How many sessions nobody has ended.
async fn open(table: &Table) -> usize {
    let sessions = table.items_of("SESSION#").await;
    sessions.iter().filter(|session| text(session, "revoked_reason").is_empty()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_cannot_be_ended_are_told_and_the_same_request_again_ends_them() {
    let (engine, service, tap) = tapped(&UNLIMITED).await;
    let table = Table::of(&engine).await;
    let mine = sign_in(&service).await;
    let sid = |tokens: &Tokens| claims(&tokens.access)["sid"].as_str().expect("a sid").to_owned();
    let stuck: [&'static str; 2] = [sid(&mine[7]).leak(), sid(&mine[31]).leak()];
    tap.spoil(Target::of("UpdateItem", stuck[0]), Fault::Refuse("ThrottlingException"));
    tap.spoil_too(Target::of("UpdateItem", stuck[1]), Fault::Garble("<html>"));
    let reply = revoke_all(&service, &mine[0]).await.expect(503);
    assert_eq!((reply.code(), reply.header("retry-after")), ("temporarily_unavailable", "1"));
    assert_eq!(outcomes(&service), ["failure"]);
    // Garbage came after the write: that session has ended, and nobody could know.
    assert_eq!(open(&table).await, 2, "the one that is stuck, and the caller's for the next try");
    service.me(&mine[7].access).await.expect(200);
    service.me(&mine[8].access).await.expect(401);
    tap.heal();
    assert_eq!(revoke_all(&service, &mine[0]).await.expect(200).body, json!({"revokedSessions": 2}));
    assert_eq!(outcomes(&service), ["failure", "success"]);
    assert_eq!(open(&table).await, 0);
    service.me(&mine[0].access).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ending_whose_answer_was_lost_is_counted_and_recorded() {
    let (_engine, service, tap) = tapped(&UNLIMITED).await;
    let mine = sign_in(&service).await;
    tap.spoil_next(9, Target::of("UpdateItem", "revoked_reason"), Fault::LoseAnswer);
    let reply = revoke_all(&service, &mine[0]).await.expect(200);
    assert_eq!(reply.body, json!({"revokedSessions": SESSIONS}));
    let ada = service.login("ada@example.com").await;
    tap.spoil_next(1, Target::of("UpdateItem", "revoked_reason"), Fault::LoseAnswer);
    service.logout(&ada.refresh).await.expect(204);
    assert_eq!(service.audited("logout").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_the_pages_that_could_be_read_are_ended_before_the_next_is() {
    let (engine, service, tap) = tapped(&UNLIMITED).await;
    let table = Table::of(&engine).await;
    let mine = sign_in(&service).await;
    // What has ended is in no page any more. The caller's own session ends last: if it is in the first pages, it is there both times.
    for (pages, left) in [(3, 28..=29), (6, 4..=6)] {
        tap.spoil_next(pages, Target::of("Query", ""), Fault::Paged(4));
        tap.spoil_too(Target::of("Query", ""), Fault::Refuse("ThrottlingException"));
        revoke_all(&service, &mine[0]).await.expect(503);
        let open = open(&table).await;
        assert!(left.contains(&open), "{open}");
    }
    tap.heal();
    revoke_all(&service, &mine[0]).await.expect(200);
    assert_eq!(open(&table).await, 0);
}

/// A query that takes three seconds, and then endings that take for ever.
#[tokio::test(flavor = "multi_thread")]
async fn however_slow_the_table_is_the_answer_and_its_audit_line_come_in_time() {
    let (_engine, service, tap) = tapped(&UNLIMITED).await;
    let mine = sign_in(&service).await;
    tap.spoil_next(2, Target::of("Query", ""), Fault::Late);
    tap.spoil_too(Target::of("UpdateItem", "revoked_reason"), Fault::Late);
    let reply = tokio::time::timeout(Duration::from_secs(9), revoke_all(&service, &mine[0])).await;
    reply.expect("an answer in time").expect(503);
    assert_eq!(outcomes(&service), ["failure"]);
    tap.heal();
    revoke_all(&service, &mine[0]).await.expect(200);
    for tokens in &mine {
        service.me(&tokens.access).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_cannot_be_listed_leave_an_audit_line_too() {
    let (_engine, service, tap) = tapped(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    tap.spoil(Target::of("Query", ""), Fault::Refuse("ThrottlingException"));
    revoke_all(&service, &tokens).await.expect(503);
    assert_eq!(outcomes(&service), ["failure"]);
    tap.heal();
    revoke_all(&service, &tokens).await.expect(200);
}
