//! Makes tokens that no issuer of ours would: any header, any claims, any signature.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{EncodingKey, crypto};
use serde_json::{Value, json};

use super::super::TokenNames;
use super::super::access::AccessVerifier;
use super::super::key::{
    Algorithm, KeyPair, SigningKey, VerifyingKey, from_private_pem, from_secret, jwk_set,
};
use super::super::refresh::{RefreshKey, RefreshKeys};
use crate::clock::Timestamp;
use crate::secret::Secret;

pub(super) const NOW: Timestamp = Timestamp::from_epoch_seconds(1_800_000_000);
pub(super) const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
    Algorithm::RS256,
    Algorithm::ES256,
    Algorithm::EdDSA,
];
pub(super) const USER: &str = "4e9f1c0e-6f5a-4f0e-9d59-2f1b8b1c7a55";
const SECRET: &str = "a secret of sixty-four bytes, which is enough for HS512 as well..";
const OTHERS_SECRET: &str = "another one of sixty-four bytes, which is known to the attacker..";

/// One kind of token under one algorithm, and everything that it takes to make a good one.
pub(super) struct Forger {
    pub(super) algorithm: Algorithm,
    /// `typ` of this kind, and of the other.
    pub(super) typ: &'static str,
    pub(super) other_typ: &'static str,
    pub(super) kid: String,
    pub(super) audience: &'static str,
    key: EncodingKey,
    /// What the attacker knows of the key: nothing of a secret, all of a public key, in every spelling.
    pub(super) known: Vec<Vec<u8>>,
    verify: Box<dyn Fn(&str) -> bool>,
}

impl Forger {
    /// Access tokens under `algorithm`.
    pub(super) fn access(algorithm: Algorithm) -> Self {
        let (signing, verifying) = pair(algorithm);
        let known = known(algorithm, &verifying);
        let names = TokenNames { issuer: "urn:i".into(), audience: "urn:a".into() };
        let verifier = AccessVerifier::new(vec![verifying], names);
        Self {
            algorithm,
            typ: "at+jwt",
            other_typ: "rt+jwt",
            kid: signing.kid,
            audience: "urn:a",
            key: signing.key,
            known,
            verify: Box::new(move |token| verifier.verify(token, NOW).is_ok()),
        }
    }

    /// Refresh tokens.
    pub(super) fn refresh() -> Self {
        let names = TokenNames { issuer: "urn:i".into(), audience: "urn:a".into() };
        let key = || RefreshKey::derive(&Secret::new(SECRET)).expect("a key");
        let RefreshKey((signing, verifying)) = key();
        let keys = RefreshKeys::new(&names, key(), Vec::new());
        Self {
            algorithm: Algorithm::HS256,
            typ: "rt+jwt",
            other_typ: "at+jwt",
            kid: signing.kid,
            audience: "urn:i#refresh",
            key: signing.key,
            known: known(Algorithm::HS256, &verifying),
            verify: Box::new(move |token| keys.verify(token, NOW).is_ok()),
        }
    }

    /// Whether the token passes.
    pub(super) fn passes(&self, token: &str) -> bool {
        (self.verify)(token)
    }

    /// The header of a good token.
    pub(super) fn header(&self) -> Value {
        json!({ "typ": self.typ, "alg": self.algorithm, "kid": self.kid })
    }

    /// The claims of a good token of either kind.
    pub(super) fn claims(&self) -> Value {
        json!({
            "iss": "urn:i", "sub": USER, "aud": self.audience, "iat": NOW, "exp": NOW.epoch_seconds() + 60,
            "jti": "j", "sid": "A".repeat(43), "email": "ada@example.com", "gen": 0,
        })
    }

    /// A signature of ours.
    pub(super) fn sign(&self, message: &str) -> String {
        crypto::sign(message.as_bytes(), &self.key, self.algorithm).expect("a signature")
    }

    /// A token that we signed, whatever is in it.
    pub(super) fn token(&self, header: &str, claims: &str) -> String {
        let message = message(header, claims);
        format!("{message}.{}", self.sign(&message))
    }

    /// A token that is as it should be.
    pub(super) fn good(&self) -> String {
        self.token(&self.header().to_string(), &self.claims().to_string())
    }
}

/// Header and claims as they are signed.
pub(super) fn message(header: &str, claims: &str) -> String {
    format!("{}.{}", encode(header), encode(claims))
}

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An HMAC with bytes that are no secret.
pub(super) fn mac(algorithm: Algorithm, key: &[u8], message: &str) -> String {
    crypto::sign(message.as_bytes(), &EncodingKey::from_secret(key), algorithm).expect("a MAC")
}

fn secret_key(algorithm: Algorithm, secret: &str) -> KeyPair {
    from_secret(algorithm, &Secret::new(secret)).expect("a key")
}

fn private_key(algorithm: Algorithm, pem: &str) -> KeyPair {
    from_private_pem(algorithm, &Secret::new(pem)).expect("a key")
}

fn is_hmac(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
}

fn pair(algorithm: Algorithm) -> KeyPair {
    if is_hmac(algorithm) { secret_key(algorithm, SECRET) } else { private_key(algorithm, pem_of(algorithm)) }
}

fn pem_of(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RS256 => include_str!("../../../benches/keys/rs256.pem"),
        Algorithm::ES256 => include_str!("../../../benches/keys/es256.pem"),
        _ => include_str!("../../../benches/keys/eddsa.pem"),
    }
}

/// A key of the same kind that the attacker has made.
pub(super) fn others_key(algorithm: Algorithm) -> SigningKey {
    let random = SystemRandom::new();
    let der = match algorithm {
        Algorithm::RS256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
            AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).expect("PKCS#8").as_ref().to_vec()
        }
        Algorithm::ES256 => {
            let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
            der.expect("a key").as_ref().to_vec()
        }
        Algorithm::EdDSA => Ed25519KeyPair::generate_pkcs8v1(&random).expect("a key").as_ref().to_vec(),
        _ => return secret_key(algorithm, OTHERS_SECRET).0,
    };
    private_key(algorithm, &pem("PRIVATE KEY", &der)).0
}

/// All that an attacker can know of our key, in each form that somebody might take for the secret of an HMAC.
fn known(algorithm: Algorithm, key: &VerifyingKey) -> Vec<Vec<u8>> {
    let mut known = vec![Vec::new(), vec![0; 32], b"secret".to_vec(), key.kid.clone().into_bytes()];
    if is_hmac(algorithm) {
        return known;
    }
    let der = spki(algorithm);
    let text = pem("PUBLIC KEY", &der);
    known.extend([
        text.trim_end().as_bytes().to_vec(),
        text.replace('\n', "\r\n").into_bytes(),
        text.into_bytes(),
    ]);
    known.extend([STANDARD.encode(&der).into_bytes(), der]);
    for jwk in jwk_set([key]).keys {
        let text = serde_json::to_string(&jwk).expect("JSON");
        let members: Value = serde_json::from_str(&text).expect("JSON");
        let parts = ["n", "x", "y"].iter().filter_map(|name| members[name].as_str());
        for part in parts {
            known.extend([URL_SAFE_NO_PAD.decode(part).expect("base64url"), part.as_bytes().to_vec()]);
        }
        known.push(text.into_bytes());
    }
    known
}

/// The public half as SPKI.
fn spki(algorithm: Algorithm) -> Vec<u8> {
    let body: String = pem_of(algorithm).lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body).expect("base64");
    match algorithm {
        Algorithm::RS256 => {
            let pair = RsaKeyPair::from_pkcs8(&der).expect("a key");
            AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).expect("SPKI").as_ref().to_vec()
        }
        Algorithm::ES256 => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).expect("a key");
            AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).expect("SPKI").as_ref().to_vec()
        }
        _ => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).expect("a key");
            AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).expect("SPKI").as_ref().to_vec()
        }
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
