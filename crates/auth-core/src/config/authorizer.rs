//! What the authorizer checks and how it answers.

use super::{RenewalConfig, RenewalMode, Settings, StoreConfig, setting};

/// What the authorizer has the table for.
#[derive(Clone, Debug)]
pub struct SessionCheckConfig {
    /// Where sessions are.
    pub store: StoreConfig,
    /// Whether the session of every access token is looked at.
    pub session_check: bool,
    /// What is renewed.
    pub renewal: RenewalConfig,
}

impl SessionCheckConfig {
    /// Reads `SESSION_CHECK`, `RENEWAL` and, if sessions are looked at, where they are. `None` if none is ever looked at.
    pub fn read(settings: &mut Settings<'_>) -> Option<Self> {
        let session_check = settings.switch(&setting::SESSION_CHECK);
        let renewal = RenewalConfig::read(settings);
        let reads = session_check || renewal.mode != RenewalMode::Off;
        reads.then(|| Self { store: StoreConfig::read(settings), session_check, renewal })
    }
}

/// Reads `AUTHORIZER_RESPONSE`: whether an HTTP API with payload 2.0 is given simple answers.
pub fn read_simple_answers(settings: &mut Settings<'_>) -> bool {
    settings.choice(&setting::AUTHORIZER_RESPONSE, &[("policy", false), ("simple", true)])
}
