//! Any environment: a function starts or says what is wrong, and never repeats a secret.

use std::collections::HashMap;
use std::sync::LazyLock;

use tokio::runtime::Runtime;

use super::keys::platform;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

const PACKAGES: [&str; 10] = [
    "signup",
    "login",
    "refresh",
    "logout",
    "me",
    "sessions",
    "change-password",
    "well-known",
    "authorizer",
    "token-authorizer",
];

/// Every one of these holds secrets and nothing else.
const SECRETS: [&str; 4] =
    ["JWT_SECRET", "JWT_PREVIOUS_SECRETS", "REFRESH_TOKEN_SECRET", "REFRESH_TOKEN_PREVIOUS_SECRETS"];
/// What is in every secret, and in no text of ours.
const MARK: &str = "Zq7Xw9";

/// `NAME=value`, one to a line.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let variables = text.lines().filter_map(|line| line.split_once('='));
    let variables: HashMap<&str, String> = variables
        .map(|(name, value)| {
            let mark = if SECRETS.contains(&name) { MARK } else { "" };
            (name, value.replace("\\n", "\n") + mark)
        })
        .collect();
    let secret_elsewhere =
        variables.iter().any(|(name, value)| !SECRETS.contains(name) && value.contains(MARK));
    let _guard = RUNTIME.enter();
    for package in PACKAGES {
        let lookup = |name: &str| variables.get(name).cloned();
        let built = local::functions::build(package, &lookup, platform()).expect("a function");
        if let Some(faults) = built.err().filter(|_| !secret_elsewhere) {
            assert!(!faults.to_string().contains(MARK), "{faults}");
            assert!(!format!("{faults:?}").contains(MARK), "{faults:?}");
        }
    }
}
