//! What the authorizer checks and how it answers.

use super::{RenewalConfig, RenewalMode, Settings, StoreConfig, setting};

/// The authorizer's own settings.
#[derive(Clone, Debug)]
pub struct AuthorizerConfig {
    /// Where sessions are; `None` if none is ever looked at.
    pub store: Option<StoreConfig>,
    /// Whether the session of every access token is looked at.
    pub session_check: bool,
    /// Whether an HTTP API with payload 2.0 is given simple answers.
    pub simple_answers: bool,
    /// What is renewed.
    pub renewal: RenewalConfig,
}

impl AuthorizerConfig {
    /// Reads `SESSION_CHECK`, `AUTHORIZER_RESPONSE`, `RENEWAL` and, if sessions are looked at, where they are.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let session_check = settings.switch(&setting::SESSION_CHECK);
        let simple_answers =
            settings.choice(&setting::AUTHORIZER_RESPONSE, &[("policy", false), ("simple", true)]);
        let renewal = RenewalConfig::read(settings);
        let reads = session_check || renewal.mode != RenewalMode::Off;
        let store = reads.then(|| StoreConfig::read(settings));
        Self { store, session_check, simple_answers, renewal }
    }
}
