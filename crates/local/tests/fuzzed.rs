//! The checks of the fuzz targets (`fuzz/`), over what a search began with and what it has found: a finding stays found. And
//! over what chance makes of that, which needs neither cargo-fuzz nor a nightly toolchain.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a check that fails panics; the same files are a library of their own to cargo-fuzz"
)]

#[path = "../../../fuzz/src/lib.rs"]
mod fuzz;
#[path = "fuzzed/mutator.rs"]
mod mutator;

use std::fs;
use std::path::{Path, PathBuf};

use crate::mutator::Mutator;

fn inputs(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let files = fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let inputs: Vec<_> = files.map(|path| (path.clone(), fs::read(path).expect("an input"))).collect();
    assert!(!inputs.is_empty(), "{}", folder.display());
    inputs
}

/// Checks every input, and each cut short and with one byte changed, at so many places.
fn replay(folder: &str, places: usize, check: impl Fn(&[u8])) {
    for (path, input) in inputs(folder) {
        println!("{}", path.display());
        check(&input);
        for at in (0..input.len()).step_by(input.len() / places + 1) {
            check(&input[..at]);
            let mut changed = input.clone();
            changed[at] ^= 0x11;
            check(&changed);
        }
    }
}

/// Checks so many inputs that are made of those in `folders`, and as many others in each further round of `FUZZ_ROUNDS`.
fn mutate(folders: &[&str], count: u32, check: impl Fn(&[u8])) {
    let seeds: Vec<_> = folders.iter().flat_map(|folder| inputs(folder)).map(|(_, input)| input).collect();
    for round in 1..=rounds() {
        let mutator = Mutator::new(seeds.clone(), round);
        for _ in 0..count {
            let input = mutator.input();
            // Shown if the check fails.
            println!("{}", input.escape_ascii());
            check(&input);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "for who runs the test, not for the service")]
fn rounds() -> u64 {
    std::env::var("FUZZ_ROUNDS").map_or(1, |rounds| rounds.parse().expect("a number"))
}

#[test]
fn authorizer() {
    replay("events", 16, fuzz::authorizer::check);
    replay("fuzz/seeds/authorizer", 16, fuzz::authorizer::check);
    mutate(&["events", "fuzz/seeds/authorizer"], 4_000, fuzz::authorizer::check);
}

#[test]
fn claims() {
    replay("fuzz/seeds/claims", 16, fuzz::claims::check);
    mutate(&["fuzz/seeds/claims"], 4_000, fuzz::claims::check);
}

#[test]
fn configuration() {
    replay("fuzz/seeds/configuration", 16, fuzz::configuration::check);
    mutate(&["fuzz/seeds/configuration"], 100, fuzz::configuration::check);
}

#[test]
fn http() {
    replay("events", 3, fuzz::http::check);
    mutate(&["events"], 1_000, fuzz::http::check);
}

#[test]
fn identity() {
    replay("fuzz/seeds/identity", 16, fuzz::identity::check);
    mutate(&["fuzz/seeds/identity"], 1_000, fuzz::identity::check);
}

#[test]
fn refresh() {
    replay("fuzz/seeds/refresh", 16, fuzz::refresh::check);
    mutate(&["fuzz/seeds/refresh"], 4_000, fuzz::refresh::check);
}

#[test]
fn token() {
    replay("fuzz/seeds/token", 16, fuzz::token::check);
    mutate(&["fuzz/seeds/token"], 1_000, fuzz::token::check);
}
