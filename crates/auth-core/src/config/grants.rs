//! What a function needs that hands out tokens.

use super::{Settings, read_access_lifetime, read_refresh_keys, read_signing_key};
use crate::grant::Granter;
use crate::session::policy::SessionConfig;
use crate::token::TokenNames;
use crate::token::access::AccessIssuer;
use crate::token::refresh::RefreshKeys;

/// The lives of sessions and what tokens are made with.
#[derive(Clone, Debug)]
pub struct Grants {
    /// How long tokens and sessions live.
    pub sessions: SessionConfig,
    /// The keys of refresh tokens.
    pub refresh_keys: RefreshKeys,
    /// Makes both tokens.
    pub granter: Granter,
}

/// Reads what access tokens are made with: their life, the names and the key.
pub fn read_access_issuer(settings: &mut Settings<'_>) -> Option<AccessIssuer> {
    let names = TokenNames::read(settings);
    let lifetime = read_access_lifetime(settings);
    Some(AccessIssuer::new(read_signing_key(settings)?, names, lifetime))
}

impl Grants {
    /// Reads the lifetimes, the names and the keys of both tokens.
    pub fn read(settings: &mut Settings<'_>) -> Option<Self> {
        let sessions = SessionConfig::read(settings);
        let names = TokenNames::read(settings);
        let access = read_access_issuer(settings);
        let refresh_keys = read_refresh_keys(settings, &names)?;
        let granter = Granter::new(access?, refresh_keys.clone(), sessions.rotation);
        Some(Self { sessions, refresh_keys, granter })
    }
}
