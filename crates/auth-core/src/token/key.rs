//! Keys: one algorithm for each, fixed by configuration and never taken from a token (RFC 8725 §3.1).

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{DecodingKey, EncodingKey};

pub use jsonwebtoken::Algorithm;

use super::pem::{self, Half, PemFault};
use crate::secret::Secret;

/// A key that signs.
#[derive(Clone)]
pub struct SigningKey {
    pub(super) kid: String,
    pub(super) algorithm: Algorithm,
    pub(super) key: EncodingKey,
}

/// A key that verifies.
#[derive(Clone)]
pub struct VerifyingKey {
    pub(super) kid: String,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
    /// The public key for others; none for a shared secret.
    jwk: Option<Jwk>,
}

/// Why key material cannot be used. It never repeats the material.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// RFC 7518 §3.2: an HMAC key has at least the length of the hash.
    #[error("is shorter than {least} bytes, which {algorithm:?} needs (RFC 7518 section 3.2)")]
    SecretTooShort {
        /// Fewest bytes.
        least: usize,
        /// For this algorithm.
        algorithm: Algorithm,
    },
    /// The PEM text holds no key of the algorithm's kind.
    #[error(transparent)]
    Pem(#[from] PemFault),
    /// The key has no public half that others can use.
    #[error("has no usable public key for {0:?}")]
    Unusable(Algorithm),
    /// RFC 7518 §3.3.
    #[error(
        "is an RSA key of less than 2048 bits (RFC 7518 section 3.3): make one with openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072"
    )]
    RsaTooSmall,
    /// No signature of it could be verified.
    #[error(
        "is an RSA key of more than 8192 bits, which is not supported: make one with openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072"
    )]
    RsaTooLarge,
}

/// A signing key and the key that verifies what it signs.
pub type KeyPair = (SigningKey, VerifyingKey);

/// Makes the pair of an HMAC secret.
///
/// # Errors
///
/// [`KeyError::SecretTooShort`].
pub fn from_secret(algorithm: Algorithm, secret: &Secret) -> Result<KeyPair, KeyError> {
    let least = match algorithm {
        Algorithm::HS384 => 48,
        Algorithm::HS512 => 64,
        _ => 32,
    };
    let bytes = secret.expose().as_bytes();
    if bytes.len() < least {
        return Err(KeyError::SecretTooShort { least, algorithm });
    }
    Ok(from_hmac_key(algorithm, bytes))
}

/// Makes the pair of an HMAC key of full length.
pub(super) fn from_hmac_key(algorithm: Algorithm, bytes: &[u8]) -> KeyPair {
    let kid = secret_kid(bytes);
    let signing = SigningKey { kid: kid.clone(), algorithm, key: EncodingKey::from_secret(bytes) };
    let verifying = VerifyingKey { kid, algorithm, key: DecodingKey::from_secret(bytes), jwk: None };
    (signing, verifying)
}

/// Makes the pair of a private key in PKCS#8 PEM.
///
/// # Errors
///
/// Every [`KeyError`] but [`KeyError::SecretTooShort`].
pub fn from_private_pem(algorithm: Algorithm, pem: &Secret) -> Result<KeyPair, KeyError> {
    let text = pem::line_breaks(pem.expose());
    check(Half::Private, algorithm, &text)?;
    let pem = text.as_bytes();
    let key = match algorithm {
        Algorithm::RS256 => EncodingKey::from_rsa_pem(pem),
        Algorithm::ES256 => EncodingKey::from_ec_pem(pem),
        _ => EncodingKey::from_ed_pem(pem),
    };
    let refused = |_| PemFault::Damaged(algorithm);
    let key = key.map_err(refused)?;
    let verifying = public(algorithm, Jwk::from_encoding_key(&key, algorithm).map_err(refused)?)?;
    Ok((SigningKey { kid: verifying.kid.clone(), algorithm, key }, verifying))
}

/// Makes a verifying key of a public key in SPKI PEM.
///
/// # Errors
///
/// Every [`KeyError`] but [`KeyError::SecretTooShort`].
pub fn from_public_pem(algorithm: Algorithm, pem: &str) -> Result<VerifyingKey, KeyError> {
    let text = pem::line_breaks(pem);
    check(Half::Public, algorithm, &text)?;
    let key = match algorithm {
        Algorithm::RS256 => DecodingKey::from_rsa_pem(text.as_bytes()),
        Algorithm::ES256 => DecodingKey::from_ec_pem(text.as_bytes()),
        _ => DecodingKey::from_ed_pem(text.as_bytes()),
    };
    let refused = |_| PemFault::Damaged(algorithm);
    let jwk = key.and_then(|key| Jwk::from_decoding_key(&key, Some(algorithm))).map_err(refused)?;
    public(algorithm, jwk)
}

/// Whether a PEM text holds a key of the algorithm and of a size that can be used.
fn check(half: Half, algorithm: Algorithm, text: &str) -> Result<(), KeyError> {
    pem::check(half, algorithm, text)?;
    match pem::rsa_modulus_bytes(text).filter(|_| algorithm == Algorithm::RS256) {
        Some(0..256) => Err(KeyError::RsaTooSmall),
        None | Some(256..=1024) => Ok(()),
        Some(_) => Err(KeyError::RsaTooLarge),
    }
}

/// The `kid` of a public key is its RFC 7638 thumbprint: whoever has the key can compute it.
pub(super) fn public(algorithm: Algorithm, mut jwk: Jwk) -> Result<VerifyingKey, KeyError> {
    let refused = |_| KeyError::Unusable(algorithm);
    if let AlgorithmParameters::EllipticCurve(ec) = &jwk.algorithm
        && ec.curve != EllipticCurve::P256
    {
        return Err(KeyError::Unusable(algorithm));
    }
    let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(refused)?;
    jwk.common.key_id = Some(kid.clone());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    let key = DecodingKey::from_jwk(&jwk).map_err(refused)?;
    Ok(VerifyingKey { kid, algorithm, key, jwk: Some(jwk) })
}

/// The `kid` of a secret: a MAC under the secret itself, cut to 128 bits. Unlike a plain digest it shares nothing with
/// any other use of the secret.
fn secret_kid(secret: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), b"latchkey/kid");
    URL_SAFE_NO_PAD.encode(tag.as_ref().get(..16).unwrap_or_default())
}

/// The public keys among `keys` (RFC 7517 §5). Shared secrets are left out.
pub fn jwk_set<'a>(keys: impl IntoIterator<Item = &'a VerifyingKey>) -> JwkSet {
    JwkSet { keys: keys.into_iter().filter_map(|key| key.jwk.clone()).collect() }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_secret_is_refused() {
        for (algorithm, least) in [(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)] {
            let secret = |length| Secret::new("s".repeat(length));
            assert!(from_secret(algorithm, &secret(least)).is_ok());
            let refused = from_secret(algorithm, &secret(least - 1)).err();
            assert_eq!(refused, Some(KeyError::SecretTooShort { least, algorithm }));
        }
    }

    #[test]
    fn a_shared_secret_is_not_published() -> Result<(), KeyError> {
        let (_, key) = from_secret(Algorithm::HS256, &Secret::new("s".repeat(32)))?;
        assert!(jwk_set([&key]).keys.is_empty());
        Ok(())
    }

    #[test]
    fn the_kid_of_a_public_key_is_its_thumbprint() -> Result<(), KeyError> {
        // The key and thumbprint of RFC 8037 appendix A.3.
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
        let key = from_public_pem(Algorithm::EdDSA, pem)?;
        assert_eq!(key.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        Ok(())
    }

    #[test]
    fn a_key_of_another_curve_is_refused() {
        // From `openssl ecparam -name secp384r1 -genkey | openssl ec -pubout`.
        let pem = "-----BEGIN PUBLIC KEY-----\n\
                   MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE4XQnPLNXknJ7ImOyLo+Qt2zMOZg/j06/\n\
                   zsyfvs7Y1x8QNjpulyY8BV2P/WBjqk+t9LhtziTNznbb5tZt9SGjV3rOgdCFgqE8\n\
                   HvlVwWdcFr53aX0frHXOG8ZSjvx1qrrz\n\
                   -----END PUBLIC KEY-----\n";
        assert!(from_public_pem(Algorithm::ES256, pem).is_err());
    }

    #[test]
    fn an_rsa_key_has_2048_bits_or_more() {
        // From `openssl genrsa 1024 | openssl rsa -pubout`, and the same with 3072.
        let small = "-----BEGIN PUBLIC KEY-----\n\
                     MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDJe36PMpREQTCFRjxypejX3bL3\n\
                     WYaE/SZ147XdOcSMBKljjiSbf/cKTAijvdP9z3SHMGsWoE3LvHD/L/MGAkUrcgye\n\
                     xapxMvedMeF+XXQW9CZtUpbHbicYBfjQ2JZmA9Tv5cBQ8ROHbUwaez/2IT0AtBib\n\
                     ldS+u33hpofZcbLIyQIDAQAB\n\
                     -----END PUBLIC KEY-----\n";
        assert_eq!(from_public_pem(Algorithm::RS256, small).err(), Some(KeyError::RsaTooSmall));
        let large = "-----BEGIN PUBLIC KEY-----\n\
                     MIIBojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEAl8YN3BX+64QtDaF41IAz\n\
                     X9RNqFGnrLHNUmar+Bk7AgzzXIqLxVezmUdwDnzpugTRAERDJt1Pex+RwjhHk6iQ\n\
                     OoN148O1P9PZXvLppT+vHOUfaq2or5ruKicYphtpCkcQensFy0EXNXkPDdr5nar6\n\
                     Am/+tFkDmmp38pJpXHE68eArMvTeoDDjmV59/4IeYZWkQgTcSIsqG0LYjRO+zLyK\n\
                     zzvd4nLuhiAkmQO2+yu0yDHm3Dmcqkieq8BlYnQeoHGkrMbspZbZhyf5UGY4sRUJ\n\
                     v1/sNafc3+ASytsRoQqZjdEQ44jL+xuwQn8j0ev554fpESAHP+lrP+Z+aN8DStcf\n\
                     ysTg9aXt+h3WBKenEMp5Q29bdOIwO1zwhPE7IyM6bjThA8jJl2TJai5yGNKqWd1B\n\
                     S2B0pR1oVRp0h4fFV0gaTzG9FqlAuPgPGXFy0pxkzm8+KkL8Zs6BqNC49TjH2Dde\n\
                     mC7kF311s7JzR+qPo85dtupFWPvzTJuBtGFDrCNmGNdhAgMBAAE=\n\
                     -----END PUBLIC KEY-----\n";
        assert!(from_public_pem(Algorithm::RS256, large).is_ok());
    }

    #[test]
    fn a_key_of_another_kind_is_refused() {
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
        assert!(from_public_pem(Algorithm::ES256, pem).is_err());
        assert!(from_public_pem(Algorithm::RS256, pem).is_err());
        assert!(from_private_pem(Algorithm::EdDSA, &Secret::new(pem)).is_err());
    }
}
