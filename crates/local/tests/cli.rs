//! The `local` program: what it says, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");

/// The program, with the workspace's template and nothing of this process's environment but what it needs to run.
fn local(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.env_clear().arg("--template").arg(TEMPLATE).args(arguments);
    command
}

fn failure(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A program that is running; killed when the test ends, whichever way.
struct Running {
    child: Child,
    address: String,
    banner: String,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        Self::start_saying(3, command)
    }

    /// Starts a program whose banner ends with so many commands.
    fn start_saying(said: usize, command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let first = lines.by_ref().find(|line| line.starts_with("Latchkey on ")).unwrap();
        let address = first.trim_start_matches("Latchkey on http://").split('/').next().unwrap().to_owned();
        // The last of the commands ends the banner.
        let mut banner = first;
        let mut commands = 0;
        while commands < said {
            let line = lines.next().unwrap();
            commands += usize::from(line.contains("curl "));
            banner.push('\n');
            banner.push_str(&line);
        }
        Self { child, address, banner }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn stop(mut self, signal: &str) -> Option<i32> {
        Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_says_where_it_listens_and_what_it_answers_and_ends_when_it_is_told() {
    for signal in ["-INT", "-TERM"] {
        let running = Running::start(
            local(&["--memory", "--port", "0", "--base-path", "/api"]).env("LOG_LEVEL", "warn"),
        );
        for part in [
            "/api/auth/me",
            "protected",
            "in memory",
            "cargo operator --endpoint http://127.0.0.1:",
            "From the environment: LOG_LEVEL.",
            "curl -sS http://",
        ] {
            assert!(running.banner.contains(part), "{part} in {}", running.banner);
        }
        assert!(running.get("/api/.well-known/jwks.json").starts_with("HTTP/1.1 200"));
        assert_eq!(running.stop(signal), Some(0));
    }
}

#[test]
fn a_demo_is_served_beside_the_api() {
    let folder = folder("demo");
    fs::write(folder.join("index.html"), "<!doctype html><title>Demo</title>").unwrap();
    let running =
        Running::start(&mut local(&["--memory", "--port", "0", "--demo", folder.to_str().unwrap()]));
    assert!(running.banner.contains(&format!("Demo on http://{}/", running.address)), "{}", running.banner);
    let page = running.get("/");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<title>Demo</title>"), "{page}");
    for header in ["content-type: text/html", "content-security-policy: default-src 'self'"] {
        assert!(page.contains(header), "{header} in {page}");
    }
    assert!(running.get("/auth/me").starts_with("HTTP/1.1 401"));
    assert!(running.get("/.well-known/jwks.json").starts_with("HTTP/1.1 200"));
    drop(running);
    fs::remove_file(folder.join("index.html")).unwrap();
    let (code, says) = failure(&mut local(&["--memory", "--demo", folder.to_str().unwrap()]));
    assert_eq!(code, Some(1));
    assert!(says.contains("there is no index.html in it (`make demo` makes one)"), "{says}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn without_a_demo_the_api_has_the_port_to_itself() {
    let running = Running::start(&mut local(&["--memory", "--port", "0"]));
    assert!(!running.banner.contains("Demo on"), "{}", running.banner);
    assert!(running.get("/").starts_with("HTTP/1.1 404"));
}

#[test]
#[cfg(unix)]
fn the_commands_of_the_banner_work_as_they_are() {
    for (format, delivery) in
        [("camel", "body"), ("snake", "body"), ("envelope", "cookie"), ("authorization", "body")]
    {
        let mut command = local(&["--memory", "--port", "0"]);
        command.env("RESPONSE_FORMAT", format).env("TOKEN_DELIVERY", delivery);
        let running = Running::start(command.env("CORS_ALLOWED_ORIGINS", "https://app.example"));
        let commands = running.banner.split("Try:").nth(1).unwrap();
        let script = commands.replace("curl -sS", "curl -fsS");
        let output = Command::new("sh").arg("-ec").arg(script).output().unwrap();
        assert!(output.status.success(), "{format} {delivery}: {output:?}");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.matches("@example.com").count() >= 2, "{format}: {printed}");
    }
}

#[test]
fn the_apis_of_another_stack_run_beside_the_service() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/protected-api/template.yaml");
    let running = Running::start_saying(5, &mut local(&["--memory", "--port", "0", "--beside", example]));
    for api in ["REST API on http://", "HTTP API on http://", "WebSocket API on ws://"] {
        assert!(running.banner.contains(api), "{api}");
    }
    let commands = running.banner.split("Try:").nth(1).unwrap().replace("curl -sS", "curl -fsS");
    let output = Command::new("sh").arg("-ec").arg(commands).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.matches("\"orders\":[").count(), 2, "{printed}");
}

#[test]
fn a_stack_that_imports_what_is_not_there_is_one_line() {
    let folder = folder("beside");
    let file = folder.join("template.yaml");
    let text = include_str!("../../../examples/protected-api/template.yaml");
    fs::write(&file, text.replace("Default: latchkey", "Default: other")).unwrap();
    let (code, says) = failure(&mut local(&["--memory", "--port", "0", "--beside", file.to_str().unwrap()]));
    assert_eq!((code, says.lines().count()), (Some(1), 1), "{says}");
    assert!(says.contains("imports other-AuthorizerArn from another stack"), "{says}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_secrets_that_tokens_are_signed_with_survive_a_restart() {
    let folder = folder("restart");
    let file = folder.join("data.db");
    let arguments = ["--port", "0", "--data", file.to_str().unwrap()];
    let first = Running::start(&mut local(&arguments));
    let secrets = fs::read_to_string(folder.join("data.db.secrets.json")).unwrap();
    assert_eq!(first.stop("-TERM"), Some(0));
    let second = Running::start(&mut local(&arguments));
    assert_eq!(fs::read_to_string(folder.join("data.db.secrets.json")).unwrap(), secrets);
    assert_eq!(second.stop("-TERM"), Some(0));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_wrong_command_line_is_one_line_and_status_2() {
    let (code, says) = failure(&mut local(&["--prot", "1"]));
    assert_eq!((code, says.as_str()), (Some(2), "local: invalid option '--prot' (see --help)\n"));
}

#[test]
fn help_and_version_go_to_standard_output() {
    for (option, says) in [("--help", "--base-path"), ("--version", env!("CARGO_PKG_VERSION"))] {
        let output = local(&[option]).output().unwrap();
        assert!(output.status.success() && String::from_utf8(output.stdout).unwrap().contains(says));
    }
}

#[test]
fn a_busy_port_is_one_line() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let (code, says) = failure(&mut local(&["--memory", "--port", &port]));
    assert_eq!(code, Some(1));
    assert_eq!(
        says,
        format!("local: port {port} is in use: stop what listens there, or choose another with --port\n")
    );
}

#[test]
fn a_table_that_cannot_listen_is_one_line_that_names_the_option() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    // 192.0.2.0/24 is for documentation (RFC 5737).
    for (option, value, says) in [
        ("--table-port", port.as_str(), "choose another with --table-port"),
        ("--table-address", "192.0.2.1", "192.0.2.1 is not an address of this machine (--table-address)"),
    ] {
        let (code, message) = failure(&mut local(&["--memory", "--port", "0", option, value]));
        assert_eq!((code, message.lines().count()), (Some(1), 1), "{message}");
        assert!(message.contains(says), "{says} in {message}");
    }
    let (code, message) = failure(&mut local(&["--memory", "--table-address", "0.0.0.0"]));
    assert_eq!(code, Some(2));
    assert!(message.contains("the table accepts any key"), "{message}");
}

#[test]
fn outputs_hold_every_value_that_a_function_needs_and_end_with_the_stack() {
    let folder = folder("outputs");
    let file = folder.join("new/outputs.json");
    let arguments = ["--memory", "--port", "0", "--table-port", "0", "--outputs", file.to_str().unwrap()];
    let running = Running::start(&mut local(&arguments));
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777,
        0o600
    );
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains("{{resolve:"), "{text}");
    let outputs: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(outputs["url"], format!("http://{}", running.address));
    for (id, function) in outputs["functions"].as_object().unwrap() {
        let environment = &function["environment"];
        let endpoint = environment["AWS_ENDPOINT_URL_DYNAMODB"].as_str().unwrap();
        assert!(running.banner.contains(endpoint), "{id}: {endpoint}");
        assert!(function["memoryMib"].as_u64() >= Some(128) && function["timeoutSeconds"].is_u64(), "{id}");
    }
    // The SAM CLI leaves the authorizer's without a value, as an `!If` decides whether it has one.
    for id in ["SignupFunction", "AuthorizerFunction"] {
        let secret = outputs["functions"][id]["environment"]["JWT_SECRET"].as_str().unwrap();
        assert!(secret.len() >= 32, "{id}");
    }
    let route = |method: &str| {
        let routes = outputs["routes"].as_array().unwrap();
        routes.iter().find(|route| route["path"] == "/auth/me" && route["method"] == method).unwrap()
    };
    assert_eq!(route("OPTIONS")["authorizer"], serde_json::Value::Null);
    let guard = serde_json::json!({"function": "AuthorizerFunction", "headers": ["Authorization"]});
    assert_eq!(route("GET")["authorizer"], guard);
    assert_eq!(running.stop("-TERM"), Some(0));
    assert!(!file.exists());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn outputs_of_another_stack_are_left_alone() {
    let folder = folder("others-outputs");
    let file = folder.join("outputs.json");
    let arguments = ["--memory", "--port", "0", "--outputs", file.to_str().unwrap()];
    let first = Running::start(&mut local(&arguments));
    let second = Running::start(&mut local(&arguments));
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(first.stop("-TERM"), Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert_eq!(second.stop("-TERM"), Some(0));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_table_listens_where_it_is_told_to() {
    let running = Running::start(&mut local(&["--memory", "--port", "0", "--table-address", "127.0.0.2"]));
    let endpoint = running.banner.split("--endpoint http://").nth(1).unwrap().split(' ').next().unwrap();
    assert!(endpoint.starts_with("127.0.0.2:"), "{endpoint}");
    assert!(TcpStream::connect(endpoint).is_ok());
    assert!(TcpStream::connect(endpoint.replace("127.0.0.2", "127.0.0.1")).is_err());
}

#[test]
fn data_that_cannot_be_used_is_one_line() {
    let folder = folder("data");
    let corrupt = folder.join("corrupt.db");
    fs::write(&corrupt, "this is no database, however long it goes on about it").unwrap();
    let secretless = folder.join("secretless.db");
    fs::write(folder.join("secretless.db.secrets.json"), "{").unwrap();
    for (file, why) in [
        (corrupt, "it is not a database; move it away, or name another with --data"),
        (folder.clone(), "it is a folder"),
        (secretless, "it is not the JSON that was written; remove it to start afresh"),
        (folder.join("corrupt.db/below.db"), "cannot be used"),
    ] {
        let (code, says) = failure(&mut local(&["--port", "0", "--data", file.to_str().unwrap()]));
        assert_eq!((code, says.lines().count()), (Some(1), 1), "{says}");
        assert!(says.contains(why), "{why} in {says}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_data_file_in_use_is_refused_and_left_alone() {
    let folder = folder("lock");
    let file = folder.join("data.db");
    let arguments = ["--port", "0", "--data", file.to_str().unwrap()];
    let first = Running::start(&mut local(&arguments));
    let (code, says) = failure(&mut local(&arguments));
    assert_eq!(code, Some(1));
    assert_eq!(
        says,
        format!("local: the data file {} cannot be used: another process is using it\n", file.display())
    );
    assert!(first.get("/.well-known/jwks.json").starts_with("HTTP/1.1 200"));
    drop(first);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_broken_template_is_one_line_that_names_the_place() {
    let folder = folder("template");
    let file = folder.join("template.yaml");
    fs::write(&file, "Resources: {F: {Type: 'AWS::Serverless::Function', Properties: {Timeout: soon}}}")
        .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    let (code, says) =
        failure(command.env_clear().args(["--memory", "--port", "0"]).arg("--template").arg(&file));
    assert_eq!(code, Some(1));
    let place = format!("{}: Resources.F.Properties.Timeout", file.display());
    assert_eq!(says, format!("local: {place}: must be a whole number\n"));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn every_fault_of_the_settings_is_reported_at_once_by_name() {
    let mut command = local(&["--memory", "--port", "0"]);
    let (code, says) = failure(
        command.env("ACCESS_TOKEN_EXPIRY", "soon").env("SESSION_CHECK", "maybe").env("JWT_SECRET", "short"),
    );
    assert_eq!(code, Some(1));
    for name in ["ACCESS_TOKEN_EXPIRY", "SESSION_CHECK", "JWT_SECRET"] {
        assert!(says.lines().any(|line| line.starts_with(&format!("local: {name}"))), "{name} in {says}");
    }
}

#[test]
fn an_endpoint_that_does_not_answer_is_one_line() {
    let folder = folder("endpoint");
    let mut command = local(&["--port", "0", "--endpoint", "http://127.0.0.1:1"]);
    let (code, says) = failure(command.current_dir(&folder));
    assert_eq!((code, says.lines().count()), (Some(1), 1), "{says}");
    assert!(says.starts_with("local: the table latchkey-Table cannot be made: "), "{says}");
    fs::remove_dir_all(folder).unwrap();
}
