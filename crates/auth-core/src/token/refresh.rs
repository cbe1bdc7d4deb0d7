//! The refresh token: a JWT that is computed from a session's stored state.
//!
//! Nothing about a token is stored, not even a digest. The token of a session's current generation follows from its
//! state and the key, byte for byte, which is how a replay inside the grace is answered with the very same successor.
//! A forged or expired token is refused before any database call.

use aws_lc_rs::hkdf::{self, HKDF_SHA256};
use serde::{Deserialize, Serialize};

use super::key::{self, Algorithm, KeyError, SigningKey, VerifyingKey};
use super::{TokenError, jws};
use crate::clock::Timestamp;
use crate::config::Secret;
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
}

/// The keys of refresh tokens: the current one, and previous ones that still verify.
#[derive(Clone, Debug)]
pub struct RefreshKeys {
    current: SigningKey,
    verifying: Vec<VerifyingKey>,
    issuer: String,
    audience: String,
}

impl RefreshKeys {
    /// Derives the keys from the secrets of `issuer`.
    ///
    /// # Errors
    ///
    /// [`KeyError::SecretTooShort`].
    pub fn derive(issuer: &str, current: &Secret, previous: &[Secret]) -> Result<Self, KeyError> {
        let (signing, verifying) = derive(current)?;
        let mut keys = vec![verifying];
        for secret in previous {
            keys.push(derive(secret)?.1);
        }
        Ok(Self {
            current: signing,
            verifying: keys,
            issuer: issuer.to_owned(),
            audience: format!("{issuer}#refresh"),
        })
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
        if claims.exp <= now { Err(TokenError::Expired) } else { Ok(claims) }
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

/// One key for one purpose (RFC 8725 §3.8, RFC 5869): even where access tokens are signed with the same secret, neither
/// key says anything about the other.
fn derive(secret: &Secret) -> Result<(SigningKey, VerifyingKey), KeyError> {
    const PURPOSE: &[u8] = b"latchkey refresh token v1";
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
    Ok(key::from_hmac_key(Algorithm::HS256, &derived))
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

    fn mint(keys: &RefreshKeys) -> Result<String, Box<dyn std::error::Error>> {
        let user = UserId::generate(&Random::seeded(1))?;
        let sid = SessionId::generate(&Random::seeded(2))?;
        Ok(keys.mint(&user, &sid, Generation::FIRST.next(), NOW, NOW + Duration::from_secs(60))?)
    }

    #[test]
    fn the_same_state_gives_the_same_token_byte_for_byte() -> TestResult {
        let keys = RefreshKeys::derive("https://id.example", &secret("a"), &[])?;
        assert_eq!(mint(&keys)?, mint(&keys)?);
        Ok(())
    }

    #[test]
    fn a_previous_key_still_verifies_and_a_foreign_one_does_not() -> TestResult {
        let old = RefreshKeys::derive("https://id.example", &secret("a"), &[])?;
        let new = RefreshKeys::derive("https://id.example", &secret("b"), &[secret("a")])?;
        let token = mint(&old)?;
        assert!(new.verify(&token, NOW).is_ok());
        assert_eq!(old.verify(&mint(&new)?, NOW), Err(TokenError::UnknownKey));
        let elsewhere = RefreshKeys::derive("https://other.example", &secret("a"), &[])?;
        assert_eq!(elsewhere.verify(&token, NOW), Err(TokenError::WrongAudience));
        Ok(())
    }

    #[test]
    fn an_expired_token_is_refused_but_can_still_be_logged_out() -> TestResult {
        let keys = RefreshKeys::derive("https://id.example", &secret("a"), &[])?;
        let token = mint(&keys)?;
        assert_eq!(keys.verify(&token, NOW + Duration::from_secs(60)), Err(TokenError::Expired));
        assert!(keys.verify_expired(&token).is_ok());
        Ok(())
    }
}
