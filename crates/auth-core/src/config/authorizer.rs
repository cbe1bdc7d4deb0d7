//! What the authorizer checks and how it answers.

use super::{Settings, StoreConfig, setting};

/// The authorizer's own settings.
#[derive(Clone, Debug)]
pub struct AuthorizerConfig {
    /// Where sessions are looked up; `None` with `SESSION_CHECK=off`.
    pub sessions: Option<StoreConfig>,
    /// Whether an HTTP API with payload 2.0 is given simple answers.
    pub simple_answers: bool,
}

impl AuthorizerConfig {
    /// Reads `SESSION_CHECK`, `AUTHORIZER_RESPONSE` and, if sessions are checked, where they are.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let check = settings.switch(&setting::SESSION_CHECK);
        let simple_answers =
            settings.choice(&setting::AUTHORIZER_RESPONSE, &[("policy", false), ("simple", true)]);
        Self { sessions: check.then(|| StoreConfig::read(settings)), simple_answers }
    }
}
