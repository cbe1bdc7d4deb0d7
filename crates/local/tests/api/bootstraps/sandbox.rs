//! One function's binary behind the Runtime Interface Emulator.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::support::Service;
use crate::support::http::{Call, Client};

/// A variable of this process that `make e2e-runtime` sets.
fn told(name: &str) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "where the binaries are is told to the process")]
    let value = std::env::var_os(name);
    PathBuf::from(value.expect(name))
}

/// The binary of a function, by logical id, where `sam build` puts it.
pub(super) fn bootstrap(function: &str) -> PathBuf {
    let path = told("LATCHKEY_BUILD").join(function).join("bootstrap");
    // The process runs in another folder.
    path.canonicalize().expect("a binary that `sam build` made")
}

/// How a sandbox is to be.
pub(super) struct Plan {
    bootstrap: PathBuf,
    environment: BTreeMap<String, String>,
    seconds: u64,
}

impl Plan {
    /// With the table elsewhere.
    pub(super) fn table(mut self, url: &str) -> Self {
        self.environment.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), url.to_owned());
        self
    }

    /// With another time limit than the template's.
    pub(super) const fn seconds(mut self, seconds: u64) -> Self {
        self.seconds = seconds;
        self
    }

    /// Starts the emulator, which starts the binary at the first invocation.
    pub(super) async fn start(self) -> Sandbox {
        let (port, runtime) = (free_port(), free_port());
        let child = Command::new(told("LATCHKEY_RIE").canonicalize().expect("the emulator"))
            .args(["--log-level", "error"])
            .args(["--runtime-interface-emulator-address", &format!("127.0.0.1:{port}")])
            .args(["--runtime-api-address", &format!("127.0.0.1:{runtime}")])
            .arg(&self.bootstrap)
            .env_clear()
            .envs(&self.environment)
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", self.seconds.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the emulator starts");
        let sandbox = Sandbox {
            child,
            url: format!("http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"),
            client: Client::new(),
        };
        let listening = async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        let mut tries = 0;
        while !listening().await {
            assert!(tries < 400, "the emulator does not listen");
            tries += 1;
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        sandbox
    }
}

/// A binary that answers one invocation at a time: the emulator does not take more.
pub(super) struct Sandbox {
    child: Child,
    url: String,
    client: Client,
}

impl Sandbox {
    /// A function of `service`, with the environment that Lambda would give it.
    pub(super) fn of(service: &Service, function: &str) -> Plan {
        Plan { bootstrap: bootstrap(function), environment: service.stack.environment(function), seconds: 10 }
    }

    /// What the function says to an event: its answer, or the error that the runtime reports for it.
    pub(super) async fn invoke(&self, event: &Value) -> Value {
        self.invoke_text(&event.to_string()).await.body
    }

    /// The same for an event that need not be JSON.
    pub(super) async fn invoke_text(&self, event: &str) -> crate::support::http::Reply {
        Call::new(&self.client, "POST", &self.url).body(event.to_owned()).send().await
    }

    /// The process id of the binary, if it runs.
    pub(super) fn runtime(&self) -> Option<u32> {
        self.children().first().copied()
    }

    fn children(&self) -> Vec<u32> {
        // A child is listed under the thread that started it.
        let threads = Path::new("/proc").join(self.child.id().to_string()).join("task");
        let lists = fs::read_dir(threads).into_iter().flatten().flatten();
        let of =
            |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        let text: Vec<String> = lists.map(of).collect();
        text.iter().flat_map(|list| list.split_whitespace()).filter_map(|id| id.parse().ok()).collect()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let children = self.children();
        // They may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for id in children {
            let _ = Command::new("kill").arg(id.to_string()).stderr(Stdio::null()).status();
        }
    }
}

/// A port for a process that is told where to listen. None of those that the kernel gives to connections and to listeners that
/// do not care (32768 and up): one of these could be gone before the process listens.
pub(super) fn free_port() -> u16 {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_mul(101).wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed));
        let port = 10_000 + u16::try_from(number % 20_000).expect("small");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
