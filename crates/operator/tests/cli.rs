//! The `operator` program: what it says, and how it ends.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails may panic")]

use std::process::Command;

use local::stack::{Options, Stack};
use serde_json::{Value, json};

struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

/// The program with nothing of this process's environment, as somebody without an AWS account has it.
async fn operator(endpoint: &str, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
    command.env_clear().env("USER", "grace").args(["--endpoint", endpoint]).args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// The service on the machine's own clock, which is the program's too, and a user.
async fn service() -> (Stack, Value) {
    let mut options = Options::for_testing().with("ARGON2_MEMORY_KIB", "7168").with("ARGON2_ITERATIONS", "1");
    options.platform.clock = auth_core::clock::Clock::system();
    let stack = Stack::start(options).await.unwrap();
    let event: Value = serde_json::from_str(include_str!("../../../events/signup.json")).unwrap();
    let answer = stack.invoke("SignupFunction", &event).await.unwrap();
    let tokens: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    (stack, tokens["user"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_listed_disabled_and_enabled_by_address_or_id() {
    let (stack, user) = service().await;
    let (endpoint, email) = (stack.store_endpoint(), user["email"].as_str().unwrap());
    let listed = operator(endpoint, &["sessions", email]).await;
    assert_eq!((listed.code, listed.err.as_str()), (0, ""));
    let lines: Vec<&str> = listed.out.lines().collect();
    assert_eq!(lines[0], format!("{email} {} active", user["userId"].as_str().unwrap()));
    assert!(lines[1].starts_with("SESSION") && lines[2].contains("  live"), "{}", listed.out);
    let listed = operator(endpoint, &["sessions", "--json", user["userId"].as_str().unwrap()]).await.json();
    let session = &listed["sessions"][0];
    assert_eq!((&session["live"], &session["reason"]), (&json!(true), &Value::Null));

    let disabled = operator(endpoint, &["--stack", "latchkey", "disable", email]).await;
    assert_eq!(disabled.out, format!("{email} is disabled; 1 live session ended\n"));
    let audit: Vec<Value> = disabled.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&audit[0]["event"], &audit[0]["user_id"]), (&json!("user_disabled"), &user["userId"]));
    assert_eq!((&audit[0]["Service"], &audit[1]["event"]), (&json!("latchkey"), &json!("sessions_revoked")));
    assert!(audit[0]["user_agent"].as_str().unwrap().ends_with("(grace)"));

    let enabled = operator(endpoint, &["--json", "enable", email]).await.json();
    assert_eq!((&enabled["before"], &enabled["status"]), (&json!("disabled"), &json!("active")));
    let after = operator(endpoint, &["--json", "sessions", email]).await.json();
    assert_eq!(after["sessions"][0]["sessionId"], session["sessionId"]);
    assert_eq!(after["sessions"][0]["reason"], "user_disabled");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_ended_and_addresses_unlocked() {
    let (stack, user) = service().await;
    let (endpoint, email) = (stack.store_endpoint(), user["email"].as_str().unwrap());
    let listed = operator(endpoint, &["--json", "sessions", email]).await.json();
    let sid = listed["sessions"][0]["sessionId"].as_str().unwrap().to_owned();
    let ended = operator(endpoint, &["end", email, &sid]).await;
    assert_eq!((ended.code, ended.out), (0, format!("session {sid} of {email} has been ended\n")));
    let again = operator(endpoint, &["--json", "end", email, &sid]).await;
    assert_eq!((again.code, &again.json()["endedSessions"]), (0, &json!(0)));
    let all = operator(endpoint, &["end", "--all", email]).await;
    assert_eq!((all.code, all.out), (0, format!("0 live sessions of {email} ended\n")));
    let unlocked = operator(endpoint, &["unlock", "nobody@example.com"]).await;
    assert_eq!(
        (unlocked.code, unlocked.out.as_str()),
        (0, "nobody@example.com had no failures; its attempts are forgotten\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_deleted_if_it_is_meant() {
    let (stack, user) = service().await;
    let (endpoint, email) = (stack.store_endpoint(), user["email"].as_str().unwrap());
    let asked = operator(endpoint, &["delete", email]).await;
    let says = "operator: what delete does cannot be undone: give --yes (see --help)\n";
    assert_eq!((asked.code, asked.err.as_str()), (2, says));
    let deleted = operator(endpoint, &["delete", email, "--yes"]).await;
    let says = format!("{email} is deleted, with 1 record of sessions; 1 live session ended\n");
    assert_eq!((deleted.code, deleted.out), (0, says));
    let first: Value = serde_json::from_str(deleted.err.lines().next().unwrap()).unwrap();
    assert_eq!(first["user_id"], user["userId"], "to go on with");
    assert_eq!(operator(endpoint, &["delete", "--yes", email]).await.code, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_status_3_and_a_wrong_line_status_2() {
    let (stack, user) = service().await;
    let (endpoint, email) = (stack.store_endpoint(), user["email"].as_str().unwrap());
    for (arguments, code, says) in [
        (vec!["sessions", "nobody@example.com"], 3, "there is no user nobody@example.com"),
        (vec!["end", email, &"A".repeat(43)], 3, "the user has no session AAA"),
        (vec!["end", email], 2, "end wants a user, and a session or --all (see --help)"),
        (
            vec!["--stack", "other", "sessions", email],
            1,
            "there is no table of a stack other: give --stack or --table",
        ),
        (
            vec!["--table", "other", "sessions", email],
            1,
            "the table refused the request: ResourceNotFoundException",
        ),
    ] {
        let said = operator(endpoint, &arguments).await;
        assert_eq!((said.code, said.out.as_str()), (code, ""), "{arguments:?}: {}", said.err);
        assert!(said.err.starts_with(&format!("operator: {says}")), "{arguments:?}: {}", said.err);
        assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    }
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_one_line() {
    let said = operator("http://127.0.0.1:1", &["sessions", "ada@example.com"]).await;
    assert_eq!((said.code, said.err.lines().count()), (1, 1), "{}", said.err);
    assert!(said.err.starts_with("operator: the tables cannot be listed: "), "{}", said.err);
}

#[test]
fn without_a_region_it_says_what_to_give() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
    let said = command
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .args(["enable", "a@example.com"])
        .output()
        .unwrap();
    let says = "operator: there is no region: give --region, or AWS_REGION in the environment\n";
    assert_eq!((said.status.code(), String::from_utf8(said.stderr).unwrap().as_str()), (Some(1), says));
}
