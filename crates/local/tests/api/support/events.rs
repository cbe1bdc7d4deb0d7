//! The files of `events/`.

use serde_json::Value;

use super::{Service, claims};
use crate::agreement::FUNCTIONS;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");

/// One of them.
pub(crate) struct EventFile {
    /// Without `.json`.
    pub(crate) name: String,
    /// The folder and the binary of the function that it is for.
    pub(crate) package: &'static str,
    /// Its logical id.
    pub(crate) function: &'static str,
    text: String,
}

/// Every file of `events/`, by name.
pub(crate) fn all() -> Vec<EventFile> {
    let mut paths: Vec<_> =
        std::fs::read_dir(FOLDER).expect("events").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let (package, function) = function_of(&name);
        EventFile { name, package, function, text: std::fs::read_to_string(path).expect("an event") }
    };
    paths.iter().map(read).collect()
}

fn function_of(name: &str) -> (&'static str, &'static str) {
    let fits =
        |prefix: &str| name == prefix || name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('-'));
    FUNCTIONS.into_iter().find(|(package, _)| fits(package)).expect("an event is named after its function")
}

impl EventFile {
    /// The settings of a service that the event makes sense to.
    pub(crate) fn settings(&self) -> [(&'static str, &'static str); 2] {
        let delivery = if self.name.contains("cookie") { "cookie" } else { "body" };
        [("TOKEN_DELIVERY", delivery), ("CORS_ALLOWED_ORIGINS", "https://app.example.com")]
    }

    /// The event as it is in its file.
    pub(crate) fn as_it_is(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// The event, with tokens and identifiers of this run. The users that it tells of sign up first, unless it is
    /// a signup itself.
    pub(crate) async fn prepare(&self, service: &Service) -> Value {
        let mut text = self.text.clone();
        if self.package != "signup" {
            for (placeholder, value) in values(service).await {
                text = text.replace(placeholder, &value);
            }
        }
        serde_json::from_str(&text).expect("JSON")
    }
}

/// What stands for each placeholder of the events.
async fn values(service: &Service) -> [(&'static str, String); 4] {
    let ada = service.try_signup("ada@example.com").await.expect(201);
    service.try_signup("grace@example.com").await.expect(201);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let access = text(&ada.body["accessToken"]).expect("a token");
    let cookie = || ada.cookies()[0].split(['=', ';']).nth(1).expect("a value").to_owned();
    let refresh = text(&ada.body["refreshToken"]).unwrap_or_else(cookie);
    let sid = text(&claims(&access)["sid"]).expect("a sid");
    [
        ("REPLACE_WITH_ACCESS_TOKEN", access),
        ("REPLACE_WITH_REFRESH_TOKEN", refresh),
        ("7f3c9a52-1f0e-4b7b-9d3e-2a6c5b8e4d10", text(&ada.body["user"]["userId"]).expect("an id")),
        ("q3Vn0eYk5rT8wZb1XcD6uJm4sLg7hPf2aQi9oRt0yEs", sid),
    ]
}
