//! The access token: a JWT that the authorizer checks on every request (RFC 9068).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::key::{SigningKey, VerifyingKey};
use super::{TokenError, TokenNames, jws, valid_at};
use crate::address;
use crate::clock::Timestamp;
use crate::random::Random;
use crate::session::SessionId;
use crate::user::{User, UserId};

/// RFC 9068 §2.1.
const TYP: &str = "at+jwt";

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Issuer.
    pub iss: String,
    /// The user.
    pub sub: UserId,
    /// The API that it is for.
    pub aud: String,
    /// When it was issued.
    pub iat: Timestamp,
    /// From this second on it is worth nothing.
    pub exp: Timestamp,
    /// Before this second it is worth nothing yet. No token of ours says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<Timestamp>,
    /// Names this token alone: 128 random bits.
    pub jti: String,
    /// The session that it belongs to.
    pub sid: SessionId,
    /// The user's address, normalised.
    pub email: String,
    /// Whether the user has shown that the address is theirs (OpenID Connect Core §5.1). Tokens of the first edition do not say so.
    #[serde(default)]
    pub email_verified: bool,
    /// The user's display name, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A token and the second at which it ends.
#[derive(Clone)]
pub struct IssuedAccessToken {
    /// The token.
    pub token: String,
    /// Its `exp`.
    pub expires_at: Timestamp,
}

/// Issues access tokens.
#[derive(Clone, Debug)]
pub struct AccessIssuer {
    key: SigningKey,
    names: TokenNames,
    lifetime: Duration,
}

/// An access token could not be signed.
#[derive(Debug, thiserror::Error)]
#[error("an access token could not be signed: {0}")]
pub struct IssueError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl AccessIssuer {
    /// An issuer of tokens that live for `lifetime`.
    pub const fn new(key: SigningKey, names: TokenNames, lifetime: Duration) -> Self {
        Self { key, names, lifetime }
    }

    /// A token for `user` in the session `sid`, which ends at `session_end` at the latest: a token never outlives its
    /// session.
    ///
    /// # Errors
    ///
    /// If there is no randomness, or the crypto library refuses the key.
    pub fn issue(
        &self,
        user: &User,
        sid: &SessionId,
        session_end: Timestamp,
        now: Timestamp,
        random: &Random,
    ) -> Result<IssuedAccessToken, IssueError> {
        let expires_at = session_end.min(now + self.lifetime);
        let claims = AccessClaims {
            iss: self.names.issuer.clone(),
            sub: user.id.clone(),
            aud: self.names.audience.clone(),
            iat: now,
            exp: expires_at,
            nbf: None,
            jti: random.text::<16>().map_err(|error| IssueError(error.into()))?,
            sid: sid.clone(),
            email: address::normalised(&user.email),
            email_verified: user.email_verified,
            name: user.names.display_name.clone(),
        };
        let token = jws::sign(&self.key, TYP, &claims).map_err(|error| IssueError(error.into()))?;
        Ok(IssuedAccessToken { token, expires_at })
    }
}

/// Checks access tokens.
#[derive(Clone, Debug)]
pub struct AccessVerifier {
    keys: Vec<VerifyingKey>,
    names: TokenNames,
}

impl AccessVerifier {
    /// A verifier of what any of `keys` signed.
    pub const fn new(keys: Vec<VerifyingKey>, names: TokenNames) -> Self {
        Self { keys, names }
    }

    /// The claims of `token`, if all of them hold at `now`. There is no leeway: a token ends at its second.
    ///
    /// # Errors
    ///
    /// Why the token is refused.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<AccessClaims, TokenError> {
        let claims = self.verify_expired(token)?;
        valid_at(now, claims.exp, claims.nbf)?;
        Ok(claims)
    }

    /// As [`AccessVerifier::verify`], but for a token that may be past its end: enough to log out with.
    ///
    /// # Errors
    ///
    /// Why the token is refused.
    pub fn verify_expired(&self, token: &str) -> Result<AccessClaims, TokenError> {
        let claims: AccessClaims = jws::verify(token, &self.keys, TYP)?;
        if claims.iss != self.names.issuer || claims.aud != self.names.audience {
            return Err(TokenError::WrongAudience);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::{Algorithm, from_secret};
    use super::*;
    use crate::secret::Secret;
    use crate::user::{Names, UserStatus};

    type TestResult = Result<(), Box<dyn std::error::Error>>;

    const NOW: Timestamp = Timestamp::from_epoch_seconds(1_800_000_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn names() -> TokenNames {
        TokenNames { issuer: "https://id.example".into(), audience: "https://api.example".into() }
    }

    fn user() -> Result<User, Box<dyn std::error::Error>> {
        Ok(User {
            id: UserId::generate(&Random::seeded(1))?,
            email: "ada@example.com".into(),
            names: Names { display_name: Some("Ada".into()), ..Names::default() },
            email_verified: false,
            status: UserStatus::Active,
            sessions_serial: 0,
            created_at: NOW,
        })
    }

    fn issuer() -> Result<(AccessIssuer, AccessVerifier), Box<dyn std::error::Error>> {
        let (signing, verifying) = from_secret(Algorithm::HS256, &Secret::new("a".repeat(32)))?;
        Ok((AccessIssuer::new(signing, names(), HOUR), AccessVerifier::new(vec![verifying], names())))
    }

    #[test]
    fn a_token_holds_until_its_second_and_not_longer() -> TestResult {
        let (issuer, verifier) = issuer()?;
        let sid = SessionId::generate(&Random::seeded(2))?;
        let granted = issuer.issue(&user()?, &sid, NOW + HOUR * 24, NOW, &Random::seeded(3))?;
        assert_eq!(granted.expires_at, NOW + HOUR);
        let claims = verifier.verify(&granted.token, granted.expires_at - Duration::from_secs(1))?;
        assert_eq!((claims.sid, claims.email.as_str()), (sid, "ada@example.com"));
        assert_eq!(verifier.verify(&granted.token, granted.expires_at), Err(TokenError::Expired));
        Ok(())
    }

    #[test]
    fn a_token_never_outlives_its_session() -> TestResult {
        let (issuer, _) = issuer()?;
        let sid = SessionId::generate(&Random::seeded(2))?;
        let end = NOW + Duration::from_secs(60);
        assert_eq!(issuer.issue(&user()?, &sid, end, NOW, &Random::seeded(3))?.expires_at, end);
        Ok(())
    }

    #[test]
    fn a_token_for_somebody_else_is_refused() -> TestResult {
        let (issuer, verifier) = issuer()?;
        let sid = SessionId::generate(&Random::seeded(2))?;
        let token = issuer.issue(&user()?, &sid, NOW + HOUR, NOW, &Random::seeded(3))?.token;
        for (issuer, audience) in [("https://id.example", "other"), ("other", "https://api.example")] {
            let names = TokenNames { issuer: issuer.into(), audience: audience.into() };
            let other = AccessVerifier::new(verifier.keys.clone(), names);
            assert_eq!(other.verify(&token, NOW), Err(TokenError::WrongAudience));
        }
        Ok(())
    }

    #[test]
    fn a_token_without_one_of_its_claims_is_refused() -> TestResult {
        let (issuer, verifier) = issuer()?;
        let full = serde_json::json!({
            "iss": "https://id.example", "sub": "4e9f1c0e-6f5a-4f0e-9d59-2f1b8b1c7a55", "aud": "https://api.example",
            "iat": NOW, "exp": NOW + HOUR, "jti": "j", "sid": "A".repeat(43), "email": "ada@example.com"
        });
        assert!(verifier.verify(&jws::sign(&issuer.key, TYP, &full)?, NOW).is_ok());
        for claim in ["iss", "sub", "aud", "exp", "sid"] {
            let mut claims = full.clone();
            claims.as_object_mut().and_then(|claims| claims.remove(claim));
            let token = jws::sign(&issuer.key, TYP, &claims)?;
            assert_eq!(verifier.verify(&token, NOW), Err(TokenError::Malformed), "{claim}");
        }
        Ok(())
    }

    #[test]
    fn the_address_is_normalised_and_said_to_be_verified_or_not() -> TestResult {
        let (issuer, verifier) = issuer()?;
        let sid = SessionId::generate(&Random::seeded(2))?;
        for (typed, normalised) in
            [("Ada@Example.COM", "ada@example.com"), ("A@XN--BCHER-KVA.example", "a@bücher.example")]
        {
            for email_verified in [false, true] {
                let user = User { email: typed.into(), email_verified, ..user()? };
                let token = issuer.issue(&user, &sid, NOW + HOUR, NOW, &Random::seeded(3))?.token;
                let claims = verifier.verify(&token, NOW)?;
                assert_eq!((claims.email.as_str(), claims.email_verified), (normalised, email_verified));
            }
        }
        Ok(())
    }

    #[test]
    fn a_token_without_email_verified_is_accepted_as_unverified() -> TestResult {
        let (issuer, verifier) = issuer()?;
        let claims = serde_json::json!({
            "iss": "https://id.example", "sub": "4e9f1c0e-6f5a-4f0e-9d59-2f1b8b1c7a55", "aud": "https://api.example",
            "iat": NOW, "exp": NOW + HOUR, "jti": "j", "sid": "A".repeat(43), "email": "ada@example.com"
        });
        assert!(!verifier.verify(&jws::sign(&issuer.key, TYP, &claims)?, NOW)?.email_verified);
        Ok(())
    }
}
