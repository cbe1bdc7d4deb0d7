//! Asymmetric keys, fresh for every test.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A key pair in PEM.
pub(crate) struct KeyPair {
    pub(crate) private: String,
    pub(crate) public: String,
}

/// A new pair for `RS256`, `ES256` or `EdDSA`.
pub(crate) fn generate(algorithm: &str) -> KeyPair {
    let random = SystemRandom::new();
    let (private, public) = match algorithm {
        "RS256" => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
            let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).expect("PKCS#8").as_ref().to_vec();
            let public =
                AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).expect("SPKI").as_ref().to_vec();
            (private, public)
        }
        "ES256" => {
            let private =
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
            let pair =
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private.as_ref()).expect("a key");
            let public =
                AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).expect("SPKI").as_ref().to_vec();
            (private.as_ref().to_vec(), public)
        }
        _ => {
            let private = Ed25519KeyPair::generate_pkcs8v1(&random).expect("a key");
            let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).expect("a key");
            // RFC 8410 §4: a fixed prefix in front of the 32 bytes.
            let mut public = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
            public.extend_from_slice(pair.public_key().as_ref());
            (private.as_ref().to_vec(), public)
        }
    };
    KeyPair { private: pem("PRIVATE KEY", &private), public: pem("PUBLIC KEY", &public) }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
