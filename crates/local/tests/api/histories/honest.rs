//! An honest client is not signed out: not by lost answers, second tabs, second tries or a table that is away, as long as it
//! repeats a refresh within the retry window and no more often than the retry limit.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy};
use proptest::prop_oneof;

use super::model::{Line, Rules};
use super::world::{Failure, Stage};
use super::{RULES, check};
use crate::support::tokens;

/// One try of one tab, and how long the next one comes after it.
#[derive(Clone, Debug)]
struct Try {
    line: Line,
    pause: u64,
}

/// The tabs want a new token, and one of them gets it in the end.
#[derive(Clone, Debug)]
struct Visit {
    pause: u64,
    keyed: bool,
    tries: Vec<Try>,
}

const DAY: u64 = 86_400;

/// With a key a retry may come within the retry window; without one, in the grace.
fn visit() -> impl Strategy<Value = Visit> {
    let tries = |pause| vec(once(pause), 0..4);
    prop_oneof![
        (0..DAY, tries(DAY)).prop_map(|(pause, tries)| Visit { pause, keyed: true, tries }),
        (0..DAY, tries(1)).prop_map(|(pause, tries)| Visit { pause, keyed: false, tries }),
    ]
}

fn once(longest: u64) -> impl Strategy<Value = Try> {
    let line = prop_oneof![
        8 => Just(Line::Fine), 1 => Just(Line::TriedTwice), 1 => Just(Line::Dead), 1 => Just(Line::Mute)
    ];
    (line, 0..=longest).prop_map(|(line, pause)| Try { line, pause })
}

#[test]
fn an_honest_client_is_never_signed_out() {
    let rules =
        Rules { window: 4 * DAY, limit: 4, access: 900, idle: 30 * DAY, absolute: 400 * DAY, ..RULES };
    check(rules, &vec(visit(), 1..8), async |stage: &Stage, number, visits: &Vec<Visit>| {
        let mut current = stage.service.signup(&format!("user{number}@example.com")).await.refresh;
        for (at, visit) in visits.iter().enumerate() {
            stage.service.pass(visit.pause);
            current = next(stage, &current, visit, &format!("key-{at}")).await?;
        }
        Ok(())
    });
}

/// Every tab presents the same token; the answers that arrive have the same successor.
async fn next(stage: &Stage, current: &str, visit: &Visit, key: &str) -> Result<String, Failure> {
    let last = Try { line: Line::Fine, pause: 0 };
    let mut successor: Option<String> = None;
    for attempt in visit.tries.iter().chain([&last]) {
        stage.spoil(attempt.line);
        let reply = if visit.keyed {
            stage.service.refresh_with_key(current, key).await
        } else {
            stage.service.refresh(current).await
        };
        stage.tap.heal();
        let away = matches!(attempt.line, Line::Dead | Line::Mute);
        match reply.status {
            503 if away => {}
            200 => {
                let token = tokens(&reply.body).refresh;
                if successor.as_ref().is_some_and(|known| *known != token) {
                    return Err("a token has two successors".into());
                }
                successor = Some(token);
            }
            status => return Err(format!("{attempt:?} of {visit:?} is answered {status}: {}", reply.body)),
        }
        stage.service.pass(attempt.pause);
    }
    successor.ok_or_else(|| "no answer".into())
}
