//! The local stack, as `make run` starts it, in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Failure;

/// No limit may end what the schedule asks for.
const UNLIMITED: [&str; 4] =
    ["LOGIN_LIMIT_PER_ADDRESS", "LOGIN_LIMIT_PER_IP", "LOGIN_LOCK_FAILURES", "SIGNUP_LIMIT_PER_IP"];

/// The process. It ends when this is dropped.
pub(crate) struct Stack {
    process: Child,
    url: String,
    folder: PathBuf,
}

impl Stack {
    /// Starts it on a fresh data file: in memory, every session would count as growth.
    pub(crate) fn start() -> Result<Self, Failure> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("load-{}", std::process::id()));
        let process = Command::new(env!("CARGO_BIN_EXE_local"))
            .args(["--port", "0", "--template"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml"))
            .arg("--data")
            .arg(folder.join("load.db"))
            .envs(UNLIMITED.map(|name| (name, "0")))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut stack = Self { process, url: String::new(), folder };
        let output = stack.process.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(output).lines();
        let banner = lines.next().ok_or("the stack did not start")??;
        stack.url.push_str(banner.strip_prefix("Latchkey on ").ok_or("an unknown banner")?);
        // The audit lines are not looked at, but a pipe that nobody empties would stop the stack.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(stack)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Memory that is resident, in KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64, Failure> {
        let answer =
            Command::new("ps").args(["-o", "rss=", "-p", &self.process.id().to_string()]).output()?;
        Ok(String::from_utf8(answer.stdout)?.trim().parse()?)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // It has ended by itself already, or ends now.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
