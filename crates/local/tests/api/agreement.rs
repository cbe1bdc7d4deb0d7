//! The README, the template and the code say the same.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use auth_core::Platform;
use auth_core::audit::{DIMENSION, Event, NAMESPACE, Outcome, ServiceName};
use auth_core::config::{self, HttpConfig, setting};
use fancy_regex::Regex;
use local::functions;
use local::stack::{Options, Stack};
use serde_json::Value;

use crate::support::Service;
use crate::support::keys::generate;

const README: &str = include_str!("../../../../README.md");
const OPERATIONS: &str = include_str!("../../../../docs/operations.md");
pub(crate) const TEMPLATE: &str = include_str!("../../../../template.yaml");

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
        (
            "JWT_PRIVATE_KEY",
            "AuthorizerHasPrivateKey",
            "!And [!Condition Renews, !Condition HasPrivateKey, !Not [!Condition Hmac]]",
        ),
        ("JWT_SECRET", "AuthorizerHasSecret", "!Or [!Condition Hmac, !Condition RotatesWithSigningSecret]"),
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
    let given = declared("TokenAuthorizerFunction");
    assert!(
        ["JWT_PRIVATE_KEY", "REFRESH_TOKEN_SECRET"].iter().all(|name| !given.contains(*name)),
        "{given:?}"
    );
    let text = resource("TokenAuthorizerFunction");
    for (name, condition) in [("JWT_SECRET", "Hmac"), ("JWT_PREVIOUS_SECRETS", "HmacHasPreviousSecret")] {
        assert!(text.contains(&format!("          {name}: !If\n            - {condition}\n")), "{name}");
    }
    let previous = "  HmacHasPreviousSecret: !And [!Condition Hmac, !Condition HasPreviousSecret]\n";
    assert!(TEMPLATE.contains(previous));
}

/// Nothing is looked up for a request, so the function that authorizes it has no table and no key but the one that it verifies
/// with; as soon as one thing is, it is the other one.
#[tokio::test(flavor = "multi_thread")]
async fn with_no_session_to_look_at_the_authorizer_without_a_table_guards_the_api() {
    for (settings, guard) in [
        (&[][..], "AuthorizerFunction"),
        (&[("SESSION_CHECK", "off")], "TokenAuthorizerFunction"),
        (&[("RENEWAL", "access")], "AuthorizerFunction"),
        (&[("SESSION_CHECK", "off"), ("RENEWAL", "access")], "AuthorizerFunction"),
        (&[("SESSION_CHECK", "off"), ("RENEWAL", "rotate")], "AuthorizerFunction"),
    ] {
        let service = Service::start(settings).await;
        let guards: Vec<_> =
            service.stack.api().authorizers.values().map(|authorizer| authorizer.function.as_str()).collect();
        assert_eq!(guards, [guard], "{settings:?}");
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

/// Which authorizer guards the routes is in what the API's body refers to: without a deployment of each change, switching the
/// session check on would not reach the stage.
#[test]
fn every_change_of_a_parameter_deploys_the_api() {
    assert!(resource("Api").contains("\n      AlwaysDeploy: true\n"));
}

/// A deployment with an origin that no function starts with would succeed, and answer 500 to everybody.
#[test]
fn an_origin_that_the_template_takes_is_one_that_functions_start_with() {
    let parameter = TEMPLATE.split_once("\n  CorsAllowedOrigins:\n").expect("a parameter").1;
    let pattern = parameter.split_once("AllowedPattern: '").expect("a pattern").1;
    let pattern = Regex::new(pattern.split('\'').next().expect("its text")).expect("a regular expression");
    let cases = [
        ("", true),
        ("*", true),
        ("https://app.example.com", true),
        ("https://app.example.com,http://localhost:5173", true),
        ("https://app.example.com , capacitor://localhost", true),
        ("https://app.example.com:80,http://app.example.com:443", true),
        ("https://app.example.com:4430,http://app.example.com:8080", true),
        ("http://[::1],http://[::80]:8080,http://192.0.2.1", true),
        ("https://app.example.com:65535", true),
        ("https://app.example.com:65536", false),
        ("https://app.example.com:443", false),
        ("http://app.example.com:80,https://app.example.com", false),
        ("https://app.example.com,http://[::1]:80", false),
        ("https://*.example.com", true),
        ("https://*.preview.example.com,http://*.app.localhost:3000 , https://app.example.com", true),
        ("https://*.a_b.c-d.example:8443", true),
        ("https://*.1.example", true),
        ("https://*.com", false),
        ("https://*", false),
        ("https://*.", false),
        ("https://*.example.com.", false),
        ("https://*..example.com", false),
        ("https://*.*.example.com", false),
        ("https://a.*.example.com", false),
        ("https://a*.example.com", false),
        ("https://*a.example.com", false),
        ("https://*.example.com:443", false),
        ("http://*.example.com:80", false),
        ("https://*.Example.com", false),
        ("https://*.example.com/", false),
        ("https://*.2.1", false),
        ("https://*.2.1:8080", false),
        ("capacitor://*.example.com", false),
        ("xhttps://*.example.com", false),
        ("x+https://*.example.com", false),
        ("*.example.com", false),
        ("https://app.example.com,*", false),
        ("https://app.example.com/", false),
        ("https://App.example.com", false),
        ("https://user@app.example.com", false),
        ("https://bücher.example", false),
        ("https://app.example.com http://localhost:5173", false),
        ("app.example.com", false),
        ("null", false),
    ];
    for (origins, taken) in cases {
        let lookup = |name: &str| (name == setting::CORS_ALLOWED_ORIGINS.name).then(|| origins.to_owned());
        let started = config::from_lookup(&lookup, |settings| Some(HttpConfig::read(settings)));
        assert_eq!(started.is_ok(), taken, "{origins:?} in the code: {started:?}");
        assert_eq!(pattern.is_match(origins).expect("a verdict"), taken, "{origins:?} in the template");
    }
}

/// The template takes the levels that the functions start with, and so does a local run.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_level_is_judged_alike_by_template_functions_and_local() {
    let parameter = TEMPLATE.split_once("\n  LogLevel:\n").expect("a parameter").1;
    let pattern = parameter.split_once("AllowedPattern: '").expect("a pattern").1;
    let pattern = Regex::new(pattern.split('\'').next().expect("its text")).expect("a regular expression");
    for (level, taken) in [
        ("", true),
        ("error", true),
        ("warn", true),
        ("WARN", true),
        ("Info", true),
        ("debug", true),
        ("TRACE", true),
        (" warn", false),
        ("warn ", false),
        ("warning", false),
        ("off", false),
        ("warn,error", false),
        ("3", false),
    ] {
        let lookup = |name: &str| (name == "LOG_LEVEL").then(|| level.to_owned());
        assert_eq!(auth_core::function::read_logs(&lookup).is_ok(), taken, "{level:?} in a function");
        assert_eq!(pattern.is_match(level).expect("a verdict"), taken, "{level:?} in the template");
        let started = Stack::start(Options::for_testing().with("LOG_LEVEL", level)).await;
        assert_eq!(started.is_ok(), taken, "{level:?} in a local run: {:?}", started.err());
    }
}

/// The packages and the logical ids of their functions.
pub(crate) const FUNCTIONS: [(&str, &str); 10] = [
    ("authorizer", "AuthorizerFunction"),
    ("change-password", "ChangePasswordFunction"),
    ("login", "LoginFunction"),
    ("logout", "LogoutFunction"),
    ("me", "MeFunction"),
    ("refresh", "RefreshFunction"),
    ("sessions", "SessionsFunction"),
    ("signup", "SignupFunction"),
    ("token-authorizer", "TokenAuthorizerFunction"),
    ("well-known", "WellKnownFunction"),
];

/// The text of a resource of the template: the lines below its name that are further in.
fn resource(id: &str) -> String {
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

/// Every member that a query of the operations page names is in a real audit line, and so is every value that it looks for.
pub(crate) fn queries_name_what_lines_have(lines: &[Value]) {
    let fields: BTreeSet<&str> = lines.iter().flat_map(members).collect();
    let values: BTreeSet<&str> = lines.iter().flat_map(values).collect();
    let queries: Vec<&str> = fenced("```text logs-insights");
    assert!(queries.len() >= 5, "{queries:?}");
    for query in queries {
        // What is between quotes is a value, all else commands, functions, aliases and members.
        for (index, part) in query.split('"').enumerate() {
            if index % 2 == 1 {
                let placeholder = part.contains('…');
                assert!(
                    placeholder || part == "AUDIT" || values.contains(part),
                    "no line has {part:?}: {query}"
                );
                continue;
            }
            let words = part.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '@'));
            for word in
                words.filter(|word| word.contains('_') || word.starts_with('@') || fields.contains(word))
            {
                let known = fields.contains(word) || word == "@timestamp" || word == "count_distinct";
                assert!(known, "no line has a member {word}: {query}");
            }
        }
    }
}

fn members(line: &Value) -> Vec<&str> {
    line.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// The values that come from this code, not from a caller.
fn values(line: &Value) -> Vec<&str> {
    ["event", "outcome", "reason"].iter().filter_map(|member| line[member].as_str()).collect()
}

/// The blocks of the operations page that begin with `fence`.
fn fenced(fence: &str) -> Vec<&'static str> {
    OPERATIONS.split(fence).skip(1).map(|rest| rest.split("```").next().expect("its text")).collect()
}

/// The page lists every event with its metric, and every alarm of the template with what to do.
#[test]
fn the_operations_page_lists_every_event_metric_and_alarm() {
    for event in Event::ALL {
        let name = serde_json::to_value(event).expect("a name");
        let row = OPERATIONS
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", name.as_str().expect("a text"))));
        let row = row.unwrap_or_else(|| panic!("{name} is not in the table of events"));
        for outcome in [Outcome::Success, Outcome::Failure] {
            assert!(row.contains(&format!("`{}`", event.metric(outcome))), "{row}");
        }
    }
    let alarms: Vec<&str> = TEMPLATE
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix("Alarm:"))
        .filter(|name| !name.contains(' '))
        .collect();
    assert_eq!(alarms.len(), TEMPLATE.matches("Type: AWS::CloudWatch::Alarm").count());
    for alarm in alarms {
        assert!(OPERATIONS.contains(&format!("| `{alarm}Alarm` |")), "{alarm}Alarm is not explained");
    }
}

/// Every alarm in the service's namespace counts a metric of these audit lines.
pub(crate) fn alarms_count_metrics_that_are_emitted(emitted: &BTreeSet<String>) {
    let alarms = alarm_metrics();
    for expected in [
        Event::RefreshTokenReused,
        Event::ForeignReplay,
        Event::Login,
        Event::LimitReached,
        Event::AddressLocked,
        Event::SessionCheckFailed,
    ] {
        let metric = expected.metric(Outcome::Failure);
        assert!(alarms.contains(&metric), "no alarm counts {metric}: {alarms:?}");
    }
    for metric in alarms {
        assert!(emitted.contains(metric), "an alarm counts {metric}, which no line emits: {emitted:?}");
    }
}

/// The metrics of the alarms in the service's namespace.
fn alarm_metrics() -> Vec<&'static str> {
    let namespace = format!("Namespace: {NAMESPACE}\n");
    let own = TEMPLATE.split(namespace.as_str()).skip(1);
    own.map(|text| text.split_once("MetricName: ").expect("a metric").1.lines().next().expect("its name"))
        .collect()
}

/// The dashboard shows the metrics of every event.
#[test]
fn the_dashboard_shows_every_event() {
    assert!(
        TEMPLATE.contains(&format!("SEARCH('{{{NAMESPACE},{DIMENSION}}}")),
        "the dashboard shows every event"
    );
}
