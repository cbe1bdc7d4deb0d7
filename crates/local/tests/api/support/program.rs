//! The `local` program itself, for what it writes: audit lines, logs, and whatever else ends up on its two streams.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");

/// A running program, killed when the test ends, whichever way.
pub(crate) struct Program {
    child: Child,
    folder: PathBuf,
    pub(crate) url: String,
}

impl Program {
    /// Starts it on the table at `endpoint`, with these settings and nothing of this process's environment.
    pub(crate) async fn start(endpoint: &str, settings: &[(&str, &str)]) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("program-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let stream = |name| File::create(folder.join(name)).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        command.env_clear().envs(settings.iter().copied()).current_dir(&folder);
        command.args(["--template", TEMPLATE, "--port", "0", "--endpoint", endpoint]);
        let child = command.stdout(stream("stdout")).stderr(stream("stderr")).spawn().expect("it starts");
        let mut program = Self { child, folder, url: String::new() };
        for _ in 0..600 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let said = program.said();
            if let Some(url) = said.lines().find_map(|line| line.strip_prefix("Latchkey on ")) {
                url.clone_into(&mut program.url);
                break;
            }
        }
        assert!(!program.url.is_empty(), "it says where it listens: {}", program.said());
        program
    }

    /// Ends it; gives everything that it has written to either stream.
    pub(crate) fn end(mut self) -> String {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill");
        assert!(told.success() && self.child.wait().expect("it ends").success());
        self.said()
    }

    fn said(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        read("stdout") + &read("stderr")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
