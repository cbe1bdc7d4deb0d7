//! Logs: JSON lines on standard output, for what is not a security event (see [`crate::audit`]).

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

use crate::config::{Settings, setting};

/// The level of the log: errors, or warnings too.
///
/// There is nothing below a warning. What works is an audit line or the gateway's, and the runtime and the SDK log whole events,
/// requests and answers below it, and with them passwords, tokens and hashes. A release build does not even contain what they
/// would log (`release_max_level_warn` of `tracing`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLevel(LevelFilter);

impl LogLevel {
    /// Reads `LOG_LEVEL`: a word in any case, as the template's parameter takes it.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let text = settings.text(&setting::LOG_LEVEL).unwrap_or_default();
        match text.to_ascii_lowercase().as_str() {
            "error" => Self(LevelFilter::ERROR),
            "warn" | "info" | "debug" | "trace" => Self(LevelFilter::WARN),
            _ => {
                let known = "is not one of error, warn, info, debug, trace";
                settings.fault(&setting::LOG_LEVEL, &format!("{text:?} {known}"));
                Self(LevelFilter::WARN)
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

    fn targets(self) -> Targets {
        Targets::new()
            .with_default(self.0)
            // It logs whatever a function returns as an error, and for an authorizer that is every 401. What a panic says is on
            // standard error by itself.
            .with_target("lambda_runtime::layers::panic", LevelFilter::OFF)
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;
    use crate::config;

    fn read(text: &str) -> Option<LogLevel> {
        let lookup = |name: &str| (name == "LOG_LEVEL").then(|| text.to_owned());
        config::from_lookup(&lookup, |settings| Some(LogLevel::read(settings))).ok()
    }

    #[test]
    fn at_no_level_the_runtime_and_the_sdk_say_what_they_carry() {
        for level in ["warn", "info", "debug", "TRACE"] {
            let targets = read(level).map(LogLevel::targets).unwrap_or_default();
            for target in ["login", "aws_smithy_runtime::client::orchestrator", "hyper"] {
                assert!(targets.would_enable(target, &Level::WARN), "{level} {target}");
                assert!(!targets.would_enable(target, &Level::INFO), "{level} {target}");
            }
        }
    }

    #[test]
    fn error_is_error_for_everybody() {
        let targets = read("error").map(LogLevel::targets).unwrap_or_default();
        for target in ["login", "hyper"] {
            assert!(targets.would_enable(target, &Level::ERROR));
            assert!(!targets.would_enable(target, &Level::WARN));
        }
    }

    #[test]
    fn another_word_is_a_fault() {
        assert_eq!(read("loud"), None);
    }
}
