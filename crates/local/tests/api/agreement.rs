//! The README, the template and the code say the same.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use auth_core::Platform;
use auth_core::audit::ServiceName;
use auth_core::config::setting;
use local::functions;

use crate::support::Service;
use crate::support::keys::generate;

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

/// A function is given what it reads, and reads what it is given, whichever algorithm and secrets there are.
#[tokio::test(flavor = "multi_thread")]
async fn every_function_is_given_what_it_reads() {
    let service = Service::start(&[]).await;
    let names: BTreeSet<&str> = setting::ALL.iter().map(|setting| setting.name).collect();
    for (package, id) in FUNCTIONS {
        let environment = service.stack.environment(id);
        let mut read: BTreeSet<String> =
            keys().iter().flat_map(|keys| read_by(package, &environment, keys)).collect();
        // What `function::start` reads for every function.
        read.extend(["LOG_LEVEL", "SERVICE_NAME"].map(str::to_owned));
        read.retain(|name| names.contains(name.as_str()));
        assert_eq!(declared(id), read, "{id}");
    }
}

/// A parameter that is left alone means the default that the code has too.
#[tokio::test(flavor = "multi_thread")]
async fn the_defaults_of_the_template_are_those_of_the_code() {
    let service = Service::start(&[]).await;
    for (_, id) in FUNCTIONS {
        let environment = service.stack.environment(id);
        for setting in setting::ALL.iter().filter(|setting| !setting.name.starts_with("ARGON2_")) {
            if let (Some(default), Some(value)) = (setting.default, environment.get(setting.name)) {
                assert_eq!(value, default, "{id}: {}", setting.name);
            }
        }
    }
}

/// Unless it renews tokens, which is to sign them.
#[tokio::test(flavor = "multi_thread")]
async fn with_an_asymmetric_key_the_authorizer_holds_nothing_that_signs() {
    let service = Service::start(&[]).await;
    let environment = service.stack.environment("AuthorizerFunction");
    let signs = ["JWT_PRIVATE_KEY", "JWT_SECRET", "REFRESH_TOKEN_SECRET"];
    let public = [("JWT_ALGORITHM", "ES256".to_owned()), ("JWT_PUBLIC_KEY", generate("ES256").public)];
    let read = read_by("authorizer", &environment, &public);
    assert!(signs.iter().all(|name| !read.contains(*name)), "{read:?}");
    let authorizer = resource("AuthorizerFunction");
    for (name, condition, meaning) in [
        ("JWT_PRIVATE_KEY", "AuthorizerHasPrivateKey", "!And [!Condition Renews, !Condition HasPrivateKey]"),
        ("JWT_SECRET", "AuthorizerHasSecret", "!Or [!Condition Hmac, !Condition Rotates]"),
        (
            "REFRESH_TOKEN_SECRET",
            "AuthorizerHasRefreshTokenSecret",
            "!And [!Condition Rotates, !Condition HasRefreshTokenSecret]",
        ),
    ] {
        assert!(
            authorizer.contains(&format!("          {name}: !If\n            - {condition}\n")),
            "{name}"
        );
        assert!(TEMPLATE.contains(&format!("  {condition}: {meaning}\n")), "{condition}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_cached_and_nothing_is_open_but_what_has_to_be() {
    let service = Service::start(&[]).await;
    let api = service.stack.api();
    assert!(!api.authorizers.is_empty());
    assert!(api.authorizers.values().all(|authorizer| authorizer.ttl.is_zero()));
    let routes = api.routes.iter().filter(|route| route.method != "OPTIONS");
    let open: BTreeSet<&str> =
        routes.filter(|route| route.authorizer.is_none()).map(|route| route.path.as_str()).collect();
    let expected = [
        "/.well-known/jwks.json",
        "/.well-known/openid-configuration",
        "/auth/login",
        "/auth/logout",
        "/auth/refresh",
        "/auth/register",
        "/auth/signup",
    ];
    assert_eq!(open, BTreeSet::from(expected));
}

/// The packages and the logical ids of their functions.
pub(crate) const FUNCTIONS: [(&str, &str); 8] = [
    ("authorizer", "AuthorizerFunction"),
    ("login", "LoginFunction"),
    ("logout", "LogoutFunction"),
    ("me", "MeFunction"),
    ("refresh", "RefreshFunction"),
    ("sessions", "SessionsFunction"),
    ("signup", "SignupFunction"),
    ("well-known", "WellKnownFunction"),
];

/// The text of a resource of the template: the lines below its name that are further in.
pub(crate) fn resource(id: &str) -> String {
    let (_, text) = TEMPLATE.split_once(&format!("\n  {id}:\n")).expect("a resource");
    let inside = |line: &&str| line.is_empty() || line.starts_with("   ");
    text.lines().take_while(inside).collect::<Vec<_>>().join("\n")
}

/// The settings that the template has for a function, whether or not a condition leaves them out today.
fn declared(id: &str) -> BTreeSet<String> {
    let text = resource(id);
    let names = setting::ALL.iter().map(|setting| setting.name);
    names.filter(|name| text.contains(&format!("          {name}: "))).map(str::to_owned).collect()
}

/// Ways to configure keys and renewal that together make a function read all that it can.
fn keys() -> Vec<Vec<(&'static str, String)>> {
    let pair = generate("ES256");
    let secret = || "s".repeat(64);
    vec![
        vec![("JWT_ALGORITHM", "HS256".into()), ("JWT_SECRET", secret())],
        vec![("RENEWAL", "rotate".into()), ("JWT_SECRET", secret())],
        vec![
            ("JWT_ALGORITHM", "ES256".into()),
            ("JWT_PRIVATE_KEY", pair.private),
            ("JWT_PUBLIC_KEY", pair.public),
            ("REFRESH_TOKEN_SECRET", secret()),
            ("RENEWAL", "rotate".into()),
        ],
    ]
}

/// The variables that a function asks for when it starts.
fn read_by(
    package: &str,
    environment: &BTreeMap<String, String>,
    keys: &[(&str, String)],
) -> BTreeSet<String> {
    let asked = RefCell::new(BTreeSet::new());
    let lookup = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        let key = keys.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
        key.or_else(|| environment.get(name).cloned())
    };
    let built = functions::build(package, &lookup, Platform::system(ServiceName::default()))
        .expect("a function of that name");
    assert!(built.is_ok(), "{package} starts with what the template gives it");
    asked.into_inner()
}
