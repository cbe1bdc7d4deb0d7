//! The README, the template and the code say the same.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use auth_core::Platform;
use auth_core::config::setting;
use local::functions;

use crate::support::Service;

const README: &str = include_str!("../../../../README.md");
const TEMPLATE: &str = include_str!("../../../../template.yaml");

/// The rows of the README's table of settings: name and default.
fn documented() -> BTreeMap<String, String> {
    let section = README.split("## Configuration").nth(1).expect("a section");
    let section = section.split("\n## ").next().expect("its text");
    section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let mut cells = line.split(" | ").map(|cell| cell.trim_matches(['|', ' ', '`']).to_owned());
            (cells.next().expect("a name"), cells.next().expect("a default"))
        })
        .collect()
}

#[test]
fn the_readme_lists_every_setting_with_its_default() {
    let coded: BTreeMap<String, String> = setting::ALL
        .iter()
        .map(|setting| (setting.name.to_owned(), setting.default.unwrap_or_default().to_owned()))
        .collect();
    assert_eq!(documented(), coded);
}

#[test]
fn the_template_offers_every_setting() {
    for setting in setting::ALL {
        assert!(
            TEMPLATE.contains(&format!("          {}: ", setting.name)),
            "{} is in no function",
            setting.name
        );
    }
}

/// A function is given what it reads, and reads what it is given; and a parameter that is left alone means the default
/// that the code has too.
#[tokio::test(flavor = "multi_thread")]
async fn every_function_is_given_what_it_reads() {
    let service = Service::start(&[]).await;
    let names: BTreeSet<&str> = setting::ALL.iter().map(|setting| setting.name).collect();
    for package in ["authorizer", "login", "logout", "me", "refresh", "sessions", "signup", "well-known"] {
        let mut id: String = package.split('-').map(capital).collect();
        id.push_str("Function");
        let environment = service.stack.environment(&id);
        let read = read_by(package, &environment);
        for name in environment.keys().filter(|name| names.contains(name.as_str())) {
            assert!(read.contains(name) || name == "LOG_LEVEL", "{id} is given {name} and does not read it");
        }
        for name in read.iter().filter(|name| names.contains(name.as_str())) {
            let given = TEMPLATE.contains(&format!("{name}: "));
            assert!(
                given && (environment.contains_key(name) || OPTIONAL.contains(&name.as_str())),
                "{id} reads {name}"
            );
        }
        for setting in setting::ALL.iter().filter(|setting| setting.default.is_some()) {
            if let Some(value) = environment.get(setting.name) {
                let cheap = setting.name.starts_with("ARGON2_");
                assert!(cheap || setting.default == Some(value), "{id}: {} is {value}", setting.name);
            }
        }
    }
}

/// Settings that the template leaves out while their parameter is empty, or that only some algorithms need.
const OPTIONAL: [&str; 7] = [
    "JWT_SECRET",
    "JWT_PREVIOUS_SECRETS",
    "JWT_PRIVATE_KEY",
    "JWT_PUBLIC_KEY",
    "JWT_PREVIOUS_PUBLIC_KEYS",
    "REFRESH_TOKEN_SECRET",
    "REFRESH_TOKEN_PREVIOUS_SECRETS",
];

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// The variables that a function asks for when it starts.
fn read_by(package: &str, environment: &BTreeMap<String, String>) -> BTreeSet<String> {
    let asked = RefCell::new(BTreeSet::new());
    let lookup = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        environment.get(name).cloned()
    };
    let built = functions::build(package, &lookup, Platform::system()).expect("a function of that name");
    assert!(built.is_ok(), "{package} starts with what the template gives it");
    asked.into_inner()
}
