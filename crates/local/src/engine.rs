//! The table's home: an embedded DynamoDB engine behind HTTP, so that the functions reach it through the real SDK. It listens
//! on the loopback interface unless it is given another address.

use std::fs::{self, File, TryLockError};
use std::io;
use std::net::{SocketAddr, TcpListener as Listener};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::subscriber::NoSubscriber;

/// DynamoDB deletes what is expired "within a few days"; every reader checks the time itself. This is often enough to see
/// it happen.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// A running engine. It ends when this is dropped.
pub struct Engine {
    database: Database,
    endpoint: String,
    /// Whether to sweep. Dropped with the engine, which is what its thread waits for.
    sweeps: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Engine {
    /// An engine that listens on `address` and whose data ends with it.
    ///
    /// # Errors
    /// One line: the address cannot be used.
    pub fn in_memory(address: SocketAddr) -> Result<Self, String> {
        let listener = listen(address)?;
        let database = Database::memory().map_err(|error| error.to_string())?;
        Self::serve(listener, database, None).map_err(|error| error.to_string())
    }

    /// An engine that listens on `address`, with its data in `file`, which is made if it is not there.
    ///
    /// # Errors
    /// One line: the address cannot be used, or the file is in use by another process, is no database, is a folder, or may not
    /// be written.
    pub fn on_file(file: &Path, address: SocketAddr) -> Result<Self, String> {
        let fault = |why: &str| format!("the data file {} cannot be used: {why}", file.display());
        if file.is_dir() {
            return Err(fault("it is a folder"));
        }
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            make_private_folder(folder).map_err(|error| fault(&error.to_string()))?;
        }
        let lock = lock(file).map_err(|why| fault(&why))?;
        let path = file.to_str().ok_or_else(|| fault("its name is not UTF-8"))?;
        // SQLite takes the file as it finds it, and its journals take after the file.
        private(File::options().write(true).create(true).truncate(false))
            .open(file)
            .map_err(|error| fault(&error.to_string()))?;
        let database = Database::new(path).map_err(|error| fault(&reason(&error.to_string())))?;
        Self::serve(listen(address)?, database, Some(lock)).map_err(|error| fault(&error.to_string()))
    }

    /// Serves `database` on a thread of its own: its calls into `SQLite` block, and must not hold up the functions.
    fn serve(listener: Listener, database: Database, lock: Option<File>) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (sweeps, told) = watch::channel(false);
        let served = database.clone();
        let thread = std::thread::Builder::new().name("dynamodb".to_owned()).spawn(move || {
            // The engine warns of every condition that fails; to the functions those are answers, and no news.
            let _silent = tracing::subscriber::set_default(NoSubscriber::new());
            runtime.block_on(run(listener, served, told));
            // The file is free when the engine is done with it.
            drop(lock);
        })?;
        Ok(Self { database, endpoint, sweeps, thread })
    }

    /// Deletes expired items from time to time, as DynamoDB does. Only for the machine's own clock: the engine knows no
    /// other.
    pub fn sweep_regularly(&self) {
        self.sweeps.send_replace(true);
    }

    /// Ends the engine and waits until the file is closed, for a moment at the most: what is written is safe either way.
    pub async fn stop(self) {
        drop((self.sweeps, self.database));
        // Looked at, not joined: a connection that never ends its request would keep the process from ending.
        for _ in 0..50 {
            if self.thread.is_finished() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Where the engine listens: what `AWS_ENDPOINT_URL_DYNAMODB` must be.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The engine itself, for a look behind the SDK.
    pub const fn database(&self) -> &Database {
        &self.database
    }
}

/// A listener on `address`, or one line that names the option to change.
fn listen(address: SocketAddr) -> Result<Listener, String> {
    Listener::bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            let port = address.port();
            format!("port {port} is in use: stop what listens there, or choose another with --table-port")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("{} is not an address of this machine (--table-address)", address.ip())
        }
        _ => format!("the table cannot listen on {address}: {error}"),
    })
}

/// Serves until the engine is dropped; from the time that `told` says so, sweeps too.
async fn run(listener: Listener, database: Database, told: watch::Receiver<bool>) {
    // What could fail here is the socket of a process that is about to end.
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let mut dropped = told.clone();
    let until = async move { while dropped.changed().await.is_ok() {} };
    tokio::select! {
        _ = dynoxide::server::serve_with_shutdown(listener, database.clone(), until) => {}
        () = sweep(&database, told) => {}
    }
}

async fn sweep(database: &Database, mut told: watch::Receiver<bool>) {
    if told.wait_for(|sweeps| *sweeps).await.is_err() {
        // Dropped without having been told to: the server's own end is what counts.
        return std::future::pending().await;
    }
    let mut tick = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        tick.tick().await;
        // A sweep that fails is tried again at the next tick.
        let _ = database.sweep_ttl();
    }
}

/// Takes the lock on `file`. `SQLite` would let two processes write in turn, but each would sign with secrets of its own
/// and sweep under the other's feet.
fn lock(file: &Path) -> Result<File, String> {
    let path = beside(file, ".lock");
    let lock = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(path)
        .map_err(|error| error.to_string())?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err("another process is using it".to_owned()),
        Err(TryLockError::Error(error)) => Err(error.to_string()),
    }
}

/// Makes a folder for data, readable by the owner alone; one that is there stays as it is.
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A new file is readable by its owner alone: there are addresses, hashes and secrets in it.
pub(crate) fn private(options: &mut fs::OpenOptions) -> &mut fs::OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// The name of a file that belongs to the data file.
pub(crate) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The engine's reason in one line; what it says of encryption is about a build that this is not.
fn reason(text: &str) -> String {
    if text.contains("not a valid SQLite database") {
        return "it is not a database; move it away, or name another with --data".to_owned();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
