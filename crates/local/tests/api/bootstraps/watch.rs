//! `cargo lambda watch` and `cargo lambda invoke`, as a developer uses them.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::sandbox::free_port;
use super::{assert_passed, shape, start};
use crate::agreement::FUNCTIONS;
use crate::support::{Service, events};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// One function under `cargo lambda watch`, which compiles and starts it at the first invocation.
struct Watch {
    child: Child,
    package: &'static str,
    port: String,
}

impl Watch {
    async fn start(service: &Service, package: &'static str, function: &str) -> Self {
        let port = free_port();
        let child = Command::new("cargo")
            .args(["lambda", "watch", "--locked", "--ignore-changes", "--invoke-address", "127.0.0.1"])
            .args(["--invoke-port", &port.to_string(), "--package", package])
            .envs(service.stack.environment(function))
            .current_dir(WORKSPACE)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("cargo-lambda is on the path");
        let watch = Self { child, package, port: port.to_string() };
        let listening = async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        let mut tries = 0;
        while !listening().await {
            assert!(tries < 400, "cargo lambda watch does not listen");
            tries += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        watch
    }

    fn invoke(&self, event: &Value) -> Value {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("watch-{}.json", self.port));
        fs::write(&file, event.to_string()).expect("a file");
        let output = Command::new("cargo")
            .args(["lambda", "invoke", self.package, "--invoke-address", "127.0.0.1"])
            .args(["--invoke-port", &self.port, "--data-file"])
            .arg(&file)
            .current_dir(WORKSPACE)
            .output()
            .expect("cargo-lambda is on the path");
        fs::remove_file(file).expect("the file");
        assert!(output.status.success(), "{}: {output:?}", self.package);
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It ends the function that it started when it is asked to, not when it is killed.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs cargo-lambda: `make e2e-runtime`"]
async fn every_function_is_watched_and_invoked_by_cargo_lambda() {
    for (package, function) in FUNCTIONS {
        let event = events::all().into_iter().find(|event| event.package == package).expect("an event");
        let (here, there) = (start(&event.settings()).await, start(&event.settings()).await);
        let expected = here.stack.invoke(function, &event.prepare(&here).await).await.expect(package);
        let prepared = event.prepare(&there).await;
        let answer = Watch::start(&there, package, function).await.invoke(&prepared);
        assert_eq!(shape(&answer), shape(&expected), "{}: {answer}", event.name);
        assert_passed(&event.name, &answer);
    }
}
