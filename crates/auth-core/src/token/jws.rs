//! A compact JWS (RFC 7515 §3.1) that holds claims: signing and verifying, for either kind of token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Header, crypto};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};

use super::TokenError;
use super::key::{Algorithm, SigningKey, VerifyingKey};

/// Longest token that is looked at, in bytes. Ours have about 600; API Gateway passes header lines up to 10 KiB.
pub const MAXIMUM_LENGTH: usize = 8 * 1024;

/// Signs `claims` as a token of the media type `typ` (RFC 7515 §4.1.9). The same key and claims give the same token for
/// HMAC and `EdDSA`.
///
/// # Errors
///
/// If the crypto library refuses the key.
pub fn sign<C: Serialize>(
    key: &SigningKey,
    typ: &str,
    claims: &C,
) -> Result<String, jsonwebtoken::errors::Error> {
    let mut header = Header::new(key.algorithm);
    header.typ = Some(typ.to_owned());
    header.kid = Some(key.kid.clone());
    jsonwebtoken::encode(&header, claims, &key.key)
}

/// The claims of `token`, if one of `keys` signed it and it is of the media type `typ`.
///
/// The key is chosen by `kid` among ours and its algorithm is the key's own; what the token says about keys otherwise
/// (`jwk`, `jku`, `x5c`…) is not looked at (RFC 8725 §3.1, §3.10), and a token with critical extensions is refused, as
/// none is understood here (RFC 7515 §4.1.11).
///
/// # Errors
///
/// [`TokenError::Malformed`], [`TokenError::UnknownKey`], [`TokenError::BadSignature`].
pub fn verify<C: DeserializeOwned>(token: &str, keys: &[VerifyingKey], typ: &str) -> Result<C, TokenError> {
    if token.len() > MAXIMUM_LENGTH {
        return Err(TokenError::Malformed);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, claims) = message.split_once('.').ok_or(TokenError::Malformed)?;
    let header: ReadHeader = decode(header)?;
    if header.crit || header.typ != typ {
        return Err(TokenError::Malformed);
    }
    let key = keys.iter().find(|key| key.kid == header.kid).ok_or(TokenError::UnknownKey)?;
    if key.algorithm != header.alg {
        return Err(TokenError::UnknownKey);
    }
    verify_signature(key, message.as_bytes(), signature)?;
    decode(claims)
}

/// Checks a signature in base64url. The comparison takes the same time wherever it fails: it is `aws-lc`'s.
pub(super) fn verify_signature(
    key: &VerifyingKey,
    message: &[u8],
    signature: &str,
) -> Result<(), TokenError> {
    match crypto::verify(signature, message, &key.key, key.algorithm) {
        Ok(true) => Ok(()),
        Ok(false) => Err(TokenError::BadSignature),
        Err(_) => Err(TokenError::Malformed),
    }
}

/// The members of a JOSE header that count. A second `alg`, `typ`, `kid` or `crit` is an error (RFC 7515 §4).
#[derive(Deserialize)]
struct ReadHeader {
    alg: Algorithm,
    typ: String,
    kid: String,
    /// Whether it is there at all: `null` is no list of extensions either.
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

fn is_there<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

/// Header and claims are JSON objects (RFC 7515 §4, RFC 7519 §7.2). A list of the members' values would be read as a struct, too.
fn decode<T: DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err(TokenError::Malformed);
    }
    serde_json::from_slice(&json).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::key::{KeyError, from_secret};
    use super::*;
    use crate::secret::Secret;

    fn pair(letter: &str) -> Result<(SigningKey, VerifyingKey), KeyError> {
        from_secret(Algorithm::HS256, &Secret::new(letter.repeat(32)))
    }

    fn forge(header: &Value, key: &SigningKey) -> Result<String, jsonwebtoken::errors::Error> {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(header), part(&json!({"sub": "u"})));
        let signature = crypto::sign(message.as_bytes(), &key.key, key.algorithm)?;
        Ok(format!("{message}.{signature}"))
    }

    #[test]
    fn what_a_key_signed_it_verifies() -> Result<(), Box<dyn std::error::Error>> {
        let (signing, verifying) = pair("a")?;
        let token = sign(&signing, "at+jwt", &json!({"sub": "u"}))?;
        let claims: Value = verify(&token, &[pair("b")?.1, verifying], "at+jwt")?;
        assert_eq!(claims, json!({"sub": "u"}));
        Ok(())
    }

    #[test]
    fn a_token_has_8_kib_at_the_most() -> Result<(), Box<dyn std::error::Error>> {
        let (signing, verifying) = pair("a")?;
        let keys = [verifying];
        let mut lengths = Vec::new();
        for padding in 5_990..6_080 {
            let header =
                json!({"alg": "HS256", "typ": "at+jwt", "kid": signing.kid, "x": "x".repeat(padding)});
            let token = forge(&header, &signing)?;
            assert_eq!(
                verify::<Value>(&token, &keys, "at+jwt").is_ok(),
                token.len() <= 8_192,
                "{}",
                token.len()
            );
            lengths.push(token.len());
        }
        assert!(lengths.contains(&8_192) && lengths.last() > Some(&8_192), "{lengths:?}");
        Ok(())
    }

    #[test]
    fn another_type_key_or_signature_is_refused() -> Result<(), Box<dyn std::error::Error>> {
        let (signing, verifying) = pair("a")?;
        let token = sign(&signing, "at+jwt", &json!({"sub": "u"}))?;
        let check = |token: &str, keys: &[VerifyingKey], typ| verify::<Value>(token, keys, typ).err();
        assert_eq!(check(&token, std::slice::from_ref(&verifying), "rt+jwt"), Some(TokenError::Malformed));
        assert_eq!(check(&token, &[pair("b")?.1], "at+jwt"), Some(TokenError::UnknownKey));
        let (message, _) = token.rsplit_once('.').unwrap_or_default();
        for (signature, error) in
            [("", TokenError::BadSignature), ("AAAA", TokenError::BadSignature), ("=", TokenError::Malformed)]
        {
            let forged = format!("{message}.{signature}");
            assert_eq!(
                check(&forged, std::slice::from_ref(&verifying), "at+jwt"),
                Some(error),
                "{signature}"
            );
        }
        Ok(())
    }

    #[test]
    fn a_header_that_asks_for_trust_gets_none() -> Result<(), Box<dyn std::error::Error>> {
        let (signing, verifying) = pair("a")?;
        let kid = signing.kid.clone();
        let good = json!({"typ": "at+jwt", "alg": "HS256", "kid": kid});
        assert!(
            verify::<Value>(&forge(&good, &signing)?, std::slice::from_ref(&verifying), "at+jwt").is_ok()
        );
        for bad in [
            json!({"typ": "at+jwt", "alg": "none", "kid": kid}),
            json!({"typ": "at+jwt", "alg": "HS512", "kid": kid}),
            json!({"typ": "at+jwt", "alg": "RS256", "kid": kid}),
            json!({"typ": "at+jwt", "alg": "HS256"}),
            json!({"typ": "at+jwt", "alg": "HS256", "kid": "../../dev/null"}),
            json!({"typ": "JWT", "alg": "HS256", "kid": kid}),
            json!({"alg": "HS256", "kid": kid}),
            json!({"typ": "at+jwt", "alg": "HS256", "kid": kid, "crit": ["exp"]}),
            json!({"typ": "at+jwt", "alg": "HS256", "kid": kid, "crit": []}),
        ] {
            let token = forge(&bad, &signing)?;
            assert!(verify::<Value>(&token, std::slice::from_ref(&verifying), "at+jwt").is_err(), "{bad}");
        }
        Ok(())
    }

    #[test]
    fn nothing_malformed_panics() {
        for token in ["", ".", "..", "...", "a.b.c", "é.é.é", "eyJ9.e30.AA", &"a.".repeat(9000)] {
            assert_eq!(
                verify::<Value>(token, &[], "at+jwt").err(),
                Some(TokenError::Malformed),
                "{token:.20}"
            );
        }
    }
}
