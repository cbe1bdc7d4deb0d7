//! How a stack is to be.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use auth_core::Platform;
use auth_core::audit::AuditLog;
use auth_core::clock::{Clock, Timestamp};
use auth_core::random::Random;

use crate::api::ApiKind;
use crate::engine::beside;
use crate::server::Log;

/// Where the table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// In memory, gone with the stack.
    Memory,
    /// In a file that survives restarts.
    File(PathBuf),
    /// In another DynamoDB. The file is where the secrets are kept.
    Endpoint {
        /// Its URL.
        url: String,
        /// The data file that there would be without it.
        beside: PathBuf,
    },
}

impl Data {
    /// Where the secrets are kept; nowhere if the data is gone with the stack.
    pub(crate) fn secrets_file(&self) -> Option<PathBuf> {
        match self {
            Self::Memory => None,
            Self::File(file) | Self::Endpoint { beside: file, .. } => Some(beside(file, ".secrets.json")),
        }
    }
}

/// Any free port of the loopback interface.
pub const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How a stack is to be.
#[derive(Clone)]
pub struct Options {
    /// The SAM template.
    pub template: PathBuf,
    /// Which API to play; `None` is the template's own kind.
    pub payload: Option<ApiKind>,
    /// A custom domain's base path mapping, such as `/api/v1`.
    pub base_path: Option<String>,
    /// Where the table is.
    pub data: Data,
    /// Where the table listens, unless it is at another endpoint. Port 0 is any free one.
    pub table: SocketAddr,
    /// A folder whose files are served beside the API.
    pub demo: Option<PathBuf>,
    /// The port on the loopback interface, and the first of those of the APIs beside the service; 0 is any free one.
    pub port: u16,
    /// The template of another stack, whose APIs run beside the service.
    pub beside: Option<PathBuf>,
    /// The process's environment: each setting in it replaces the template's.
    pub environment: BTreeMap<String, String>,
    /// Time, randomness and the audit log of the functions.
    pub platform: Platform,
    /// Told of every request.
    pub log: Log,
    /// Told why a function or an authorizer failed, which no client learns.
    pub complain: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Options {
    /// A stack for a test: in memory, on a free port, silent, its clock standing at 2026-01-01 until it is moved, its
    /// audit log readable. The template is the workspace's.
    pub fn for_testing() -> Self {
        Self {
            template: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml"),
            payload: None,
            base_path: None,
            data: Data::Memory,
            table: LOOPBACK,
            demo: None,
            port: 0,
            beside: None,
            environment: BTreeMap::new(),
            platform: Platform {
                clock: Clock::manual(Timestamp::from_epoch_seconds(1_767_225_600)),
                random: Random::system(),
                audit: AuditLog::memory(),
            },
            log: Arc::new(|_, _, _, _| {}),
            complain: Arc::new(|_| {}),
        }
    }

    /// With a setting of the environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }
}
