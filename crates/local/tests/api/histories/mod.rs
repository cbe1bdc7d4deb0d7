//! Random histories of one user's sessions, over HTTP on the real engine, beside a model that was written independently.
//!
//! `PROPTEST_CASES=5000 cargo test -p local --test api histories` searches longer. A history that fails is shortened, and
//! printed with the seed: `PROPTEST_RNG_SEED=…` finds it again.
//!
//! # Layout
//!
//! - `step`: what can happen
//! - `model`: what has to come of it
//! - `world`: both, compared after each step: status, tokens, stored items, audit lines
//! - `honest`: histories in which nobody may ever be signed out

mod honest;
mod model;
mod step;
mod world;

use std::cell::Cell;
use std::fmt::Debug;

use auth_core::random::Random;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

use self::model::Rules;
use self::step::{Step, histories};
use self::world::{Failure, Stage, World};
use crate::support::table::Table;
use crate::support::tapped;

/// Of the number of cases that proptest is told, or runs by itself, 256: one of so many.
const SHARE: u32 = 4;

const RULES: Rules = Rules {
    rotation: true,
    grace: 3,
    window: 10,
    limit: 2,
    access: 20,
    idle: 40,
    absolute: 100,
    retention: 20,
};

#[test]
fn every_history_goes_as_the_model_says() {
    check_rules(RULES);
}

#[test]
fn every_history_without_a_grace_goes_as_the_model_says() {
    check_rules(Rules { grace: 0, ..RULES });
}

#[test]
fn every_history_without_rotation_goes_as_the_model_says() {
    check_rules(Rules { rotation: false, retention: 5, ..RULES });
}

fn check_rules(rules: Rules) {
    check(rules, &histories(), async |stage: &Stage, number, history: &Vec<Step>| {
        let mut world = World::begin(stage, format!("user{number}@example.com")).await?;
        for (at, step) in history.iter().enumerate() {
            world.step(step).await.map_err(|why| format!("step {at}, {step:?}: {why}"))?;
        }
        Ok(())
    });
}

/// Runs cases until one fails, and then ever shorter ones. All of them share a service, and no case a user.
fn check<S: Strategy>(
    rules: Rules,
    cases: &S,
    run: impl AsyncFn(&Stage, u32, &S::Value) -> Result<(), Failure> + Copy,
) where
    S::Value: Debug,
{
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let stage = runtime.block_on(start(rules));
    let mut config = Config { failure_persistence: None, ..Config::default() };
    config.cases = config.cases.div_ceil(SHARE);
    let random = || u64::from_be_bytes(Random::system().bytes().expect("randomness"));
    let seed = if let RngSeed::Fixed(seed) = config.rng_seed { seed } else { random() };
    config.rng_seed = RngSeed::Fixed(seed);
    let number = Cell::new(0);
    let result = TestRunner::new(config).run(cases, |case| {
        number.set(number.get() + 1);
        stage.tap.heal();
        stage.service.stack.audit().take();
        runtime.block_on(run(&stage, number.get(), &case)).map_err(TestCaseError::fail)
    });
    if let Err(failure) = result {
        panic!("PROPTEST_RNG_SEED={seed}, {rules:?}\n{failure}");
    }
}

async fn start(rules: Rules) -> Stage {
    let span = |seconds: u64| format!("{seconds}s");
    let Rules { rotation, grace, window, limit, access, idle, absolute, retention } = rules;
    let settings = [
        ("REFRESH_TOKEN_ROTATION", if rotation { "on".to_owned() } else { "off".to_owned() }),
        ("REFRESH_GRACE", span(grace)),
        ("REFRESH_RETRY_WINDOW", span(window)),
        ("REFRESH_RETRY_LIMIT", limit.to_string()),
        ("ACCESS_TOKEN_EXPIRY", span(access)),
        ("REFRESH_TOKEN_EXPIRY", span(idle)),
        ("SESSION_MAX_LIFETIME", span(absolute)),
        ("AUDIT_RETENTION", span(retention)),
        ("LOGIN_LIMIT_PER_ADDRESS", "0".to_owned()),
        ("LOGIN_LIMIT_PER_IP", "0".to_owned()),
        ("SIGNUP_LIMIT_PER_IP", "0".to_owned()),
    ];
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (engine, service, tap) = tapped(&settings).await;
    let table = Table::of(&engine).await;
    Stage { _engine: engine, service, tap, table, rules }
}
