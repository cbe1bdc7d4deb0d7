//! Logs: JSON lines on standard output, for what is not a security event (see [`crate::audit`]).

use tracing::level_filters::LevelFilter;

use crate::config::{Settings, setting};

/// The level of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLevel(LevelFilter);

impl LogLevel {
    /// Reads `LOG_LEVEL`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let text = settings.text(&setting::LOG_LEVEL).unwrap_or_default();
        let known = ["error", "warn", "info", "debug", "trace"];
        match text.to_ascii_lowercase() {
            word if known.contains(&word.as_str()) => Self(word.parse().unwrap_or(LevelFilter::INFO)),
            _ => {
                settings.fault(&setting::LOG_LEVEL, &format!("{text:?} is not one of {}", known.join(", ")));
                Self(LevelFilter::INFO)
            }
        }
    }

    /// Starts the log of this process. A second call changes nothing.
    pub fn start(self) {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_max_level(self.0)
            .finish();
        let _ = tracing::subscriber::set_global_default(subscriber);
    }
}
