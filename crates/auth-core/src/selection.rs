//! Which session a request is about whose refresh cookies are of several sessions.
//!
//! Another host of the site can set a cookie next to the user's own (RFC 6265 §8.6), and a browser may hold one with an older path.
//! Cookies of sessions that are over do not count. Of the live ones:
//!
//! | the access token of the request | selected |
//! |---|---|
//! | names one of them | that session |
//! | names another session | the only live one of the same user |
//! | is missing or not valid | the only live one |
//!
//! Otherwise nobody can tell which session is meant. The access token may be expired: it selects among sessions whose refresh
//! tokens are presented, and is no credential here.

use crate::session::SessionId;
use crate::token::access::AccessVerifier;
use crate::token::refresh::RefreshClaims;
use crate::user::UserId;

/// The session that an access token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSession {
    /// Whose it is.
    pub user: UserId,
    /// Which it is.
    pub id: SessionId,
}

impl NamedSession {
    /// The session of an access token with a valid signature, expired or not.
    pub fn of(access_token: Option<&str>, verifier: &AccessVerifier) -> Option<Self> {
        let claims = verifier.verify_expired(access_token?).ok()?;
        Some(Self { user: claims.sub, id: claims.sid })
    }

    /// Whether a refresh token is of this session.
    pub fn has(&self, claims: &RefreshClaims) -> bool {
        (&self.user, &self.id) == (&claims.sub, &claims.sid)
    }
}

/// The newest refresh token of each session.
pub fn newest_of_each_session(valid: Vec<RefreshClaims>) -> Vec<RefreshClaims> {
    let mut newest: Vec<RefreshClaims> = Vec::new();
    for claims in valid {
        let same = |other: &&mut RefreshClaims| (&other.sub, &other.sid) == (&claims.sub, &claims.sid);
        match newest.iter_mut().find(same) {
            Some(other) if other.generation < claims.generation => *other = claims,
            Some(_) => {}
            None => newest.push(claims),
        }
    }
    newest
}

/// Whether a session has to be looked at: with a name, those of other users do not count.
pub fn is_candidate(claims: &RefreshClaims, named: Option<&NamedSession>) -> bool {
    named.is_none_or(|named| named.user == claims.sub)
}

/// Selects among refresh tokens of live sessions, one of each.
pub fn select(live: Vec<RefreshClaims>, named: Option<&NamedSession>) -> Option<RefreshClaims> {
    let mut candidates: Vec<_> = live.into_iter().filter(|claims| is_candidate(claims, named)).collect();
    if let Some(at) = candidates.iter().position(|claims| named.is_some_and(|named| named.has(claims))) {
        return Some(candidates.swap_remove(at));
    }
    let only = candidates.pop();
    if candidates.is_empty() { only } else { None }
}

/// The tokens that a logout takes of those in cookies: those of the named session if there are any, otherwise all of them. `verify`
/// says what a token says, if it is valid.
pub fn of_named_session(
    tokens: Vec<String>,
    named: impl FnOnce() -> Option<NamedSession>,
    verify: impl Fn(&str) -> Option<RefreshClaims>,
) -> Vec<String> {
    if tokens.len() < 2 {
        return tokens;
    }
    let Some(named) = named() else { return tokens };
    let is_named = |token: &String| verify(token).is_some_and(|claims| named.has(&claims));
    let own: Vec<String> = tokens.iter().filter(|token| is_named(token)).cloned().collect();
    if own.is_empty() { tokens } else { own }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::random::{Random, RandomnessUnavailable};
    use crate::session::Generation;

    /// A token of a user's session, each by number.
    fn token(user: u64, session: u64, generation: u64) -> Result<RefreshClaims, RandomnessUnavailable> {
        let at = Timestamp::from_epoch_seconds(1_800_000_000);
        Ok(RefreshClaims {
            iss: "i".to_owned(),
            aud: "a".to_owned(),
            sub: UserId::generate(&Random::seeded(user))?,
            sid: SessionId::generate(&Random::seeded(session))?,
            generation: Generation::from_number(generation),
            iat: at,
            exp: at,
            nbf: None,
        })
    }

    fn name(user: u64, session: u64) -> Result<NamedSession, RandomnessUnavailable> {
        let RefreshClaims { sub: user, sid: id, .. } = token(user, session, 0)?;
        Ok(NamedSession { user, id })
    }

    #[test]
    fn the_newest_token_of_each_session_counts() -> Result<(), RandomnessUnavailable> {
        let tokens =
            vec![token(1, 1, 3)?, token(2, 2, 9)?, token(1, 1, 5)?, token(1, 1, 4)?, token(1, 3, 0)?];
        assert_eq!(newest_of_each_session(tokens), [token(1, 1, 5)?, token(2, 2, 9)?, token(1, 3, 0)?]);
        Ok(())
    }

    #[test]
    fn the_named_session_is_selected_whatever_comes_beside_it() -> Result<(), RandomnessUnavailable> {
        let live = vec![token(2, 9, 0)?, token(1, 1, 0)?, token(1, 2, 0)?];
        assert_eq!(select(live.clone(), Some(&name(1, 1)?)), Some(token(1, 1, 0)?));
        assert_eq!(select(live.clone(), Some(&name(1, 2)?)), Some(token(1, 2, 0)?));
        assert_eq!(select(live, Some(&name(2, 9)?)), Some(token(2, 9, 0)?));
        Ok(())
    }

    #[test]
    fn a_name_of_a_session_that_is_over_selects_the_users_only_live_one() -> Result<(), RandomnessUnavailable>
    {
        let over = name(1, 7)?;
        assert_eq!(select(vec![token(2, 9, 0)?, token(1, 1, 0)?], Some(&over)), Some(token(1, 1, 0)?));
        assert_eq!(select(vec![token(1, 2, 0)?, token(1, 1, 0)?], Some(&over)), None);
        assert_eq!(select(vec![token(2, 9, 0)?], Some(&over)), None, "nobody becomes another user");
        assert_eq!(select(vec![token(2, 7, 0)?], Some(&over)), None, "a session is of its user");
        Ok(())
    }

    #[test]
    fn without_a_name_the_only_live_session_is_selected() -> Result<(), RandomnessUnavailable> {
        assert_eq!(select(vec![token(2, 9, 0)?], None), Some(token(2, 9, 0)?));
        assert_eq!(select(vec![token(2, 9, 0)?, token(1, 1, 0)?], None), None);
        assert_eq!(select(vec![token(1, 2, 0)?, token(1, 1, 0)?], None), None);
        assert_eq!(select(Vec::new(), None), None);
        Ok(())
    }

    #[test]
    fn a_logout_takes_the_cookies_of_the_named_session_or_all() -> Result<(), RandomnessUnavailable> {
        let (own, old, other) = (token(1, 1, 1)?, token(1, 1, 0)?, token(2, 9, 0)?);
        let verify = |token: &str| match token {
            "own" => Some(own.clone()),
            "old" => Some(old.clone()),
            "other" => Some(other.clone()),
            _ => None,
        };
        let taken = |tokens: &[&str], named: Option<NamedSession>| {
            of_named_session(tokens.iter().map(|token| (*token).to_owned()).collect(), || named, verify)
        };
        let all = ["other", "x", "old", "own"];
        assert_eq!(taken(&all, Some(name(1, 1)?)), ["old", "own"]);
        assert_eq!(taken(&all, None), all);
        assert_eq!(taken(&all, Some(name(1, 3)?)), all);
        assert_eq!(taken(&["other"], Some(name(1, 1)?)), ["other"]);
        Ok(())
    }
}
