//! The refresh token: a JWT that is computed from a session's stored state.
//!
//! Nothing about a token is stored, not even a digest. The token of a session's current generation follows from its
//! state and the key, byte for byte, which is how a replay inside the grace is answered with the very same successor.
//! A forged or expired token is refused before any database call.

use aws_lc_rs::hkdf::{self, HKDF_SHA256};
use serde::{Deserialize, Serialize};

use super::key::{self, Algorithm, KeyError, KeyPair, SigningKey, VerifyingKey};
use super::{TokenError, TokenNames, jws, valid_at};
use crate::clock::Timestamp;
use crate::secret::Secret;
use crate::session::{Generation, SessionId};
use crate::user::UserId;

/// A type of its own, so that neither kind of token passes for the other (RFC 8725 §3.11).
const TYP: &str = "rt+jwt";

/// What a refresh token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshClaims {
    /// Issuer.
    pub iss: String,
    /// The service's own refresh endpoint: nobody else takes this token.
    pub aud: String,
    /// The user.
    pub sub: UserId,
    /// The session.
    pub sid: SessionId,
    /// The session's generation that it stands for.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// When its generation began.
    pub iat: Timestamp,
    /// From this second on it is worth nothing.
    pub exp: Timestamp,
    /// Before this second it is worth nothing yet. No token of ours says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<Timestamp>,
}

/// A key for refresh tokens and nothing else.
#[derive(Clone, Debug)]
pub struct RefreshKey(pub(super) KeyPair);

impl RefreshKey {
    /// Derives it from a secret (RFC 5869). One key for one purpose (RFC 8725 §3.8): even where access tokens are signed with
    /// the same secret, neither key says anything about the other.
    ///
    /// # Errors
    ///
    /// [`KeyError::SecretTooShort`].
    pub fn derive(secret: &Secret) -> Result<Self, KeyError> {
        let too_short = KeyError::SecretTooShort { least: 32, algorithm: Algorithm::HS256 };
        if secret.expose().len() < 32 {
            return Err(too_short);
        }
        let mut derived = [0; 32];
        hkdf::Salt::new(HKDF_SHA256, &[])
            .extract(secret.expose().as_bytes())
            .expand(&[PURPOSE], HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut derived))
            .map_err(|_| too_short)?;
        Ok(Self(key::from_hmac_key(Algorithm::HS256, &derived)))
    }
}

/// What the derived key is for (the `info` of RFC 5869).
const PURPOSE: &[u8] = b"latchkey refresh token v1";

/// The keys of refresh tokens: the current one, and previous ones that still verify.
#[derive(Clone, Debug)]
pub struct RefreshKeys {
    current: SigningKey,
    verifying: Vec<VerifyingKey>,
    issuer: String,
    audience: String,
}

impl RefreshKeys {
    /// The keys of the issuer that `names` names: `current` signs, all of them verify.
    pub fn new(names: &TokenNames, current: RefreshKey, previous: Vec<RefreshKey>) -> Self {
        let RefreshKey((signing, verifying)) = current;
        let previous = previous.into_iter().map(|RefreshKey((_, verifying))| verifying);
        Self {
            current: signing,
            verifying: std::iter::once(verifying).chain(previous).collect(),
            issuer: names.issuer.clone(),
            audience: format!("{}#refresh", names.issuer),
        }
    }

    /// The token that stands for `generation` of a session: a pure function of its arguments and the current key.
    ///
    /// # Errors
    ///
    /// If the crypto library refuses the key.
    pub fn mint(
        &self,
        user: &UserId,
        sid: &SessionId,
        generation: Generation,
        issued_at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = RefreshClaims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: user.clone(),
            sid: sid.clone(),
            generation,
            iat: issued_at,
            exp: expires_at,
            nbf: None,
        };
        jws::sign(&self.current, TYP, &claims)
    }

    /// The claims of `token`, if all of them hold at `now`.
    ///
    /// # Errors
    ///
    /// Why the token is refused.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<RefreshClaims, TokenError> {
        let claims = self.verify_expired(token)?;
        valid_at(now, claims.exp, claims.nbf)?;
        Ok(claims)
    }

    /// As [`RefreshKeys::verify`], but for a token that may be past its end: what logout takes, since ending a session
    /// that has ended is no error.
    ///
    /// # Errors
    ///
    /// Why the token is refused.
    pub fn verify_expired(&self, token: &str) -> Result<RefreshClaims, TokenError> {
        let claims: RefreshClaims = jws::verify(token, &self.verifying, TYP)?;
        if claims.iss != self.issuer || claims.aud != self.audience {
            return Err(TokenError::WrongAudience);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::random::Random;

    type TestResult = Result<(), Box<dyn std::error::Error>>;

    const NOW: Timestamp = Timestamp::from_epoch_seconds(1_800_000_000);

    fn secret(letter: &str) -> Secret {
        Secret::new(letter.repeat(64))
    }

    fn keys(issuer: &str, current: &str, previous: &[&str]) -> Result<RefreshKeys, KeyError> {
        let names = TokenNames { issuer: issuer.to_owned(), audience: "api".to_owned() };
        let previous =
            previous.iter().map(|letter| RefreshKey::derive(&secret(letter))).collect::<Result<_, _>>()?;
        Ok(RefreshKeys::new(&names, RefreshKey::derive(&secret(current))?, previous))
    }

    fn mint(keys: &RefreshKeys) -> Result<String, Box<dyn std::error::Error>> {
        let user = UserId::generate(&Random::seeded(1))?;
        let sid = SessionId::generate(&Random::seeded(2))?;
        Ok(keys.mint(&user, &sid, Generation::FIRST.next(), NOW, NOW + Duration::from_secs(60))?)
    }

    #[test]
    fn the_same_state_gives_the_same_token_byte_for_byte() -> TestResult {
        let keys = keys("https://id.example", "a", &[])?;
        assert_eq!(mint(&keys)?, mint(&keys)?);
        Ok(())
    }

    #[test]
    fn a_previous_key_still_verifies_and_a_foreign_one_does_not() -> TestResult {
        let old = keys("https://id.example", "a", &[])?;
        let new = keys("https://id.example", "b", &["a"])?;
        let token = mint(&old)?;
        assert!(new.verify(&token, NOW).is_ok());
        assert_eq!(old.verify(&mint(&new)?, NOW), Err(TokenError::UnknownKey));
        let elsewhere = keys("https://other.example", "a", &[])?;
        assert_eq!(elsewhere.verify(&token, NOW), Err(TokenError::WrongAudience));
        Ok(())
    }

    #[test]
    fn an_expired_token_is_refused_but_can_still_be_logged_out() -> TestResult {
        let keys = keys("https://id.example", "a", &[])?;
        let token = mint(&keys)?;
        assert_eq!(keys.verify(&token, NOW + Duration::from_secs(60)), Err(TokenError::Expired));
        assert!(keys.verify_expired(&token).is_ok());
        Ok(())
    }

    #[test]
    fn issuer_and_audience_both_count() -> TestResult {
        let keys = keys("https://id.example", "a", &[])?;
        let mut claims = keys.verify(&mint(&keys)?, NOW)?;
        claims.iss = "https://other.example".to_owned();
        let other_issuer = jws::sign(&keys.current, TYP, &claims)?;
        assert_eq!(keys.verify(&other_issuer, NOW), Err(TokenError::WrongAudience));
        claims.iss.clone_from(&keys.issuer);
        claims.aud = "api".to_owned();
        let other_audience = jws::sign(&keys.current, TYP, &claims)?;
        assert_eq!(keys.verify(&other_audience, NOW), Err(TokenError::WrongAudience));
        Ok(())
    }
}
