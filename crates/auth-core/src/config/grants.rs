//! What a function needs that hands out tokens.

use super::{Settings, read_refresh_keys, read_signing_key};
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

impl Grants {
    /// Reads the lifetimes, the names and the keys of both tokens.
    pub fn read(settings: &mut Settings<'_>) -> Option<Self> {
        let sessions = SessionConfig::read(settings);
        let names = TokenNames::read(settings);
        let signing = read_signing_key(settings);
        let refresh_keys = read_refresh_keys(settings, &names);
        let (signing, refresh_keys) = (signing?, refresh_keys?);
        let access = AccessIssuer::new(signing, names, sessions.access_lifetime);
        let granter = Granter::new(access, refresh_keys.clone(), sessions.rotation);
        Some(Self { sessions, refresh_keys, granter })
    }
}
