//! Keys in the forms that tools write, each accepted or refused with what to do. The files are made by openssl and ssh-keygen.

use jsonwebtoken::Algorithm::{self, ES256, EdDSA, RS256};

use crate::secret::Secret;
use crate::token::key::{from_private_pem, from_public_pem};

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("pem/", $name))
    };
}

fn private(algorithm: Algorithm, pem: &str) -> String {
    let key = from_private_pem(algorithm, &Secret::new(pem));
    key.err().map(|error| error.to_string()).unwrap_or_default()
}

fn public(algorithm: Algorithm, pem: &str) -> String {
    from_public_pem(algorithm, pem).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn a_key_of_the_algorithm_is_accepted_however_its_lines_are_broken() {
    for (algorithm, half, other) in [
        (ES256, file!("p256.pem"), file!("p256-public.pem")),
        (EdDSA, file!("ed25519.pem"), file!("ed25519-public.pem")),
        (RS256, file!("rsa.pem"), file!("rsa-public.pem")),
        (RS256, file!("rsa-pkcs1.pem"), file!("rsa-pkcs1-public.pem")),
    ] {
        for breaks in ["\n", "\r\n", "\\n", "\\r\\n", " "] {
            let written = |pem: &str| format!("\u{feff} {}", pem.replace('\n', breaks));
            assert_eq!(private(algorithm, &written(half)), "", "{breaks:?}");
            assert_eq!(public(algorithm, &written(other)), "", "{breaks:?}");
        }
    }
}

#[test]
fn a_private_key_in_another_form_is_refused_with_what_to_do() {
    for (pem, what) in [
        (file!("encrypted.pem"), "is encrypted with a passphrase: decrypt it with openssl pkey"),
        (file!("encrypted-sec1.pem"), "is encrypted with a passphrase: decrypt it with openssl pkey"),
        (file!("encrypted-pkcs1.pem"), "is encrypted with a passphrase: decrypt it with openssl pkey"),
        (file!("sec1.pem"), "is in SEC1 form: convert it to PKCS#8 with openssl pkcs8"),
        (file!("ecparam.pem"), "is in SEC1 form: convert it to PKCS#8 with openssl pkcs8"),
        (file!("openssh.pem"), "is a private key of OpenSSH: convert it with ssh-keygen"),
        (file!("openssh-public.txt"), "is a public key of OpenSSH: convert it with ssh-keygen"),
        (file!("p256-public.pem"), "is a public key, and the private one is needed"),
        (file!("certificate.pem"), "is a PEM text of another kind than a key"),
        ("", "is not PEM: it has no line -----BEGIN PRIVATE KEY-----"),
        ("keys/private.pem", "is not PEM: it has no line -----BEGIN PRIVATE KEY-----"),
        ("-----BEGIN PRIVATE KEY-----\nMC4CAQ", "has no -----END line: it is cut off"),
    ] {
        for algorithm in [ES256, EdDSA, RS256] {
            assert!(private(algorithm, pem).starts_with(what), "{what}: {}", private(algorithm, pem));
        }
    }
}

#[test]
fn a_public_key_in_another_form_is_refused_with_what_to_do() {
    for (pem, what) in [
        (file!("certificate.pem"), "is a certificate: take its public key with openssl x509"),
        (file!("certificate-rsa.pem"), "is a certificate: take its public key with openssl x509"),
        (file!("p256.pem"), "is a private key, and a public one is needed: openssl pkey"),
        (file!("rsa-pkcs1.pem"), "is a private key, and a public one is needed: openssl pkey"),
        (file!("sec1.pem"), "is a private key, and a public one is needed: openssl pkey"),
        (file!("encrypted.pem"), "is encrypted with a passphrase"),
        (file!("openssh-public.txt"), "is a public key of OpenSSH: convert it with ssh-keygen"),
        ("ssh-rsa AAAA", "is a public key of OpenSSH"),
        ("nonsense", "is not PEM: it has no line -----BEGIN PUBLIC KEY-----"),
    ] {
        for algorithm in [ES256, EdDSA, RS256] {
            assert!(public(algorithm, pem).starts_with(what), "{what}: {}", public(algorithm, pem));
        }
    }
}

#[test]
fn a_key_of_another_algorithm_is_named() {
    for (algorithm, pem, what) in [
        (
            ES256,
            file!("p384.pem"),
            "is a key on P-384, and JWT_ALGORITHM is ES256: make one with openssl genpkey",
        ),
        (ES256, file!("secp256k1.pem"), "is a key on secp256k1, and"),
        (ES256, file!("rsa.pem"), "is an RSA key, and JWT_ALGORITHM is ES256"),
        (ES256, file!("rsa-pkcs1.pem"), "is an RSA key, and JWT_ALGORITHM is ES256"),
        (ES256, file!("ed25519.pem"), "is an Ed25519 key, and JWT_ALGORITHM is ES256"),
        (EdDSA, file!("p256.pem"), "is a key on P-256, and JWT_ALGORITHM is EdDSA"),
        (EdDSA, file!("ed448.pem"), "is an Ed448 key, and JWT_ALGORITHM is EdDSA"),
        (EdDSA, file!("x25519.pem"), "is an X25519 key, which signs nothing, and"),
        (RS256, file!("ed25519.pem"), "is an Ed25519 key, and JWT_ALGORITHM is RS256"),
        (RS256, file!("rsa-pss.pem"), "is an RSA-PSS key, and JWT_ALGORITHM is RS256"),
    ] {
        assert!(private(algorithm, pem).starts_with(what), "{what}: {}", private(algorithm, pem));
    }
    for (algorithm, pem, what) in [
        (ES256, file!("p384-public.pem"), "is a key on P-384, and JWT_ALGORITHM is ES256"),
        (ES256, file!("ed25519-public.pem"), "is an Ed25519 key, and JWT_ALGORITHM is ES256"),
        (RS256, file!("p256-public.pem"), "is a key on P-256, and JWT_ALGORITHM is RS256"),
        (EdDSA, file!("rsa-public.pem"), "is an RSA key, and JWT_ALGORITHM is EdDSA"),
        (EdDSA, file!("rsa-pkcs1-public.pem"), "is an RSA key, and JWT_ALGORITHM is EdDSA"),
    ] {
        assert!(public(algorithm, pem).starts_with(what), "{what}: {}", public(algorithm, pem));
    }
}

#[test]
fn an_rsa_key_has_a_size_that_verifiers_take() {
    assert!(private(RS256, file!("rsa-1024.pem")).starts_with("is an RSA key of less than 2048 bits"));
    assert!(public(RS256, file!("rsa-16384-public.pem")).starts_with("is an RSA key of more than 8192 bits"));
}

#[test]
fn a_damaged_key_is_said_to_be_so() {
    let pem = file!("p256.pem");
    let missing_line = pem.replacen(pem.lines().nth(1).unwrap_or_default(), "", 1);
    assert!(private(ES256, &missing_line).starts_with("cannot be read as a key for ES256"));
    let encoded = "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg==";
    assert!(private(ES256, encoded).starts_with("is base64 of a PEM text"));
    let public_key = file!("rsa-public.pem").replace('M', "*");
    assert!(public(RS256, &public_key).starts_with("cannot be read as a key for RS256"));
}

#[test]
fn what_follows_a_key_is_not_read() {
    let with = |pem: &str| format!("Bag Attributes\n{pem}{}# a note\n", file!("certificate.pem"));
    assert_eq!(private(ES256, &with(file!("p256.pem"))), "");
    assert_eq!(public(ES256, &with(file!("p256-public.pem"))), "");
}
