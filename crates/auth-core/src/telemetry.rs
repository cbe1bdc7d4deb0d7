//! Logs: JSON lines on standard output, for what is not a security event (see [`crate::audit`]).

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

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
        let lines = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false);
        let subscriber = tracing_subscriber::registry().with(lines).with(self.targets());
        let _ = tracing::subscriber::set_global_default(subscriber);
    }

    /// Our own code logs at the level that is asked for. The runtime and the SDK log whole events, requests and answers at
    /// `debug` and `trace`, and with them passwords, tokens and hashes: they never get further than `warn`.
    fn targets(self) -> Targets {
        const OURS: [&str; 9] = [
            "auth_core",
            "authorizer",
            "login",
            "logout",
            "me",
            "refresh",
            "sessions",
            "signup",
            "well_known",
        ];
        Targets::new()
            .with_default(self.0.min(LevelFilter::WARN))
            .with_targets(OURS.map(|target| (target, self.0)))
            // It logs whatever a function returns as an error, and for an authorizer that is every 401. What a panic says is on
            // standard error by itself.
            .with_target("lambda_runtime::layers::panic", LevelFilter::OFF)
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn at_trace_the_runtime_and_the_sdk_still_keep_to_themselves_what_they_carry() {
        let targets = LogLevel(LevelFilter::TRACE).targets();
        assert!(targets.would_enable("login::attempt", &Level::TRACE));
        for target in
            ["lambda_runtime::layers::api_response", "aws_smithy_runtime::client::orchestrator", "hyper"]
        {
            assert!(targets.would_enable(target, &Level::WARN));
            assert!(!targets.would_enable(target, &Level::INFO), "{target}");
        }
    }

    #[test]
    fn error_is_error_for_everybody() {
        let targets = LogLevel(LevelFilter::ERROR).targets();
        for target in ["login", "hyper"] {
            assert!(
                targets.would_enable(target, &Level::ERROR) && !targets.would_enable(target, &Level::WARN)
            );
        }
    }
}
