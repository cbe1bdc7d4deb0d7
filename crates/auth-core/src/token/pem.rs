//! What is wrong with a PEM text that is no key of a deployment (RFC 7468), and which command repairs it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::Algorithm;

/// Which half of a key pair a text is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// PKCS#8 (RFC 5958); for RSA also PKCS#1.
    Private,
    /// SPKI (RFC 5280 §4.1).
    Public,
}

/// Why a PEM text cannot be used. It never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemFault {
    /// No `-----BEGIN …-----`.
    #[error("is not PEM: it has no line -----BEGIN {0} KEY-----")]
    NoPem(&'static str),
    /// As some consoles ask for it.
    #[error("is base64 of a PEM text: decode it with base64 -d")]
    Base64OfPem,
    /// `-----BEGIN …-----` without `-----END …-----`.
    #[error("has no -----END line: it is cut off")]
    CutOff,
    /// PKCS#8 with a passphrase, or the older `Proc-Type: 4,ENCRYPTED`.
    #[error("is encrypted with a passphrase: decrypt it with openssl pkey -in key.pem -out plain.pem")]
    Encrypted,
    /// SEC1 (RFC 5915), which `openssl ecparam -genkey` writes.
    #[error("is in SEC1 form: convert it to PKCS#8 with openssl pkcs8 -topk8 -nocrypt -in key.pem")]
    Sec1,
    /// What `ssh-keygen` writes.
    #[error(
        "is a private key of OpenSSH: convert it with ssh-keygen -p -m PKCS8 -f key, or make one with openssl genpkey"
    )]
    OpenSshPrivate,
    /// A line of `authorized_keys`, or RFC 4716.
    #[error("is a public key of OpenSSH: convert it with ssh-keygen -e -m PKCS8 -f key.pub")]
    OpenSshPublic,
    /// X.509.
    #[error("is a certificate: take its public key with openssl x509 -in cert.pem -pubkey -noout")]
    Certificate,
    /// The other half of the pair is wanted.
    #[error("is a private key, and a public one is needed: openssl pkey -in key.pem -pubout")]
    IsPrivate,
    /// The other half of the pair is wanted.
    #[error("is a public key, and the private one is needed")]
    IsPublic,
    /// A label that is no key's.
    #[error("is a PEM text of another kind than a key")]
    OtherLabel,
    /// A key of another algorithm than `JWT_ALGORITHM`.
    #[error("is {0}, and JWT_ALGORITHM is {1:?}: make one with {2}")]
    OtherAlgorithm(&'static str, Algorithm, &'static str),
    /// The label is right and the content is not.
    #[error("cannot be read as a key for {0:?}: its base64 or DER is damaged or incomplete")]
    Damaged(Algorithm),
}

/// Object identifiers in DER, and what a key that has one is. Curves come before the type that they are curves of.
const KINDS: [(&[u8], &str, Option<Algorithm>); 10] = [
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], "a key on P-256", Some(Algorithm::ES256)),
    (&[0x2b, 0x81, 0x04, 0x00, 0x22], "a key on P-384", None),
    (&[0x2b, 0x81, 0x04, 0x00, 0x23], "a key on P-521", None),
    (&[0x2b, 0x81, 0x04, 0x00, 0x0a], "a key on secp256k1", None),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01], "a key on an elliptic curve other than P-256", None),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a], "an RSA-PSS key", None),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01], "an RSA key", Some(Algorithm::RS256)),
    (&[0x06, 0x03, 0x2b, 0x65, 0x70], "an Ed25519 key", Some(Algorithm::EdDSA)),
    (&[0x06, 0x03, 0x2b, 0x65, 0x71], "an Ed448 key", None),
    (&[0x06, 0x03, 0x2b, 0x65, 0x6e], "an X25519 key, which signs nothing", None),
];

/// The text with the line breaks that it has, or that are written `\n` or `\r\n`: consoles and parameter stores make it hard to
/// enter one. A byte order mark is left out.
pub fn line_breaks(pem: &str) -> String {
    let pem = pem.trim_start_matches('\u{feff}');
    pem.replace("\\r", "").replace("\\n", "\n").replace('\r', "")
}

/// Whether a text is of the form and the algorithm that it has to be. What its key is like is not looked at.
///
/// # Errors
///
/// Why it is not.
pub fn check(half: Half, algorithm: Algorithm, pem: &str) -> Result<(), PemFault> {
    if let Some(fault) = other_form(half, pem) {
        return Err(fault);
    }
    if !pem.contains("-----END ") {
        return Err(PemFault::CutOff);
    }
    match kind(pem, algorithm) {
        Some(kind) => Err(PemFault::OtherAlgorithm(kind, algorithm, command(algorithm))),
        None => Ok(()),
    }
}

/// A form that holds no key of this half, whatever the algorithm.
fn other_form(half: Half, pem: &str) -> Option<PemFault> {
    let public_key_of_openssh = ["ssh-", "ecdsa-sha2-", "sk-", "---- BEGIN SSH2"];
    let Some(label) = label(pem) else {
        let text = pem.trim_start();
        return Some(if public_key_of_openssh.iter().any(|start| text.starts_with(start)) {
            PemFault::OpenSshPublic
        } else if text.starts_with("LS0tLS1CRUdJTi") {
            PemFault::Base64OfPem
        } else {
            PemFault::NoPem(if half == Half::Private { "PRIVATE" } else { "PUBLIC" })
        });
    };
    if label == "ENCRYPTED PRIVATE KEY" || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Some(PemFault::Encrypted);
    }
    match (label, half) {
        ("OPENSSH PRIVATE KEY", _) => Some(PemFault::OpenSshPrivate),
        ("EC PRIVATE KEY" | "EC PARAMETERS", Half::Private) => Some(PemFault::Sec1),
        ("CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE", Half::Public) => {
            Some(PemFault::Certificate)
        }
        ("PRIVATE KEY" | "RSA PRIVATE KEY", Half::Private)
        | ("PUBLIC KEY" | "RSA PUBLIC KEY", Half::Public) => None,
        ("PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "EC PARAMETERS", Half::Public) => {
            Some(PemFault::IsPrivate)
        }
        ("PUBLIC KEY" | "RSA PUBLIC KEY", Half::Private) => Some(PemFault::IsPublic),
        _ => Some(PemFault::OtherLabel),
    }
}

/// The label of the first block.
fn label(pem: &str) -> Option<&str> {
    pem.split_once("-----BEGIN ")?.1.split_once("-----").map(|(label, _)| label)
}

/// The DER of the first block.
fn contents(pem: &str) -> Option<Vec<u8>> {
    let body = pem.split_once("-----BEGIN ")?.1.split_once("-----")?.1.split_once("-----END ")?.0;
    STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}

/// What a readable key is that is none for `algorithm`.
fn kind(pem: &str, algorithm: Algorithm) -> Option<&'static str> {
    let der = contents(pem)?;
    if label(pem)?.starts_with("RSA ") {
        return Some("an RSA key").filter(|_| algorithm != Algorithm::RS256);
    }
    // The object identifiers come first; what follows them is the key itself.
    let header = der.get(..der.len().min(48))?;
    let has = |oid: &&(&[u8], _, _)| header.windows(oid.0.len()).any(|window| window == oid.0);
    let (_, kind, own) = KINDS.iter().find(has)?;
    (*own != Some(algorithm)).then_some(*kind)
}

/// How many bytes the modulus of an RSA key has, in either form of either half. It is the first integer of such a length.
pub fn rsa_modulus_bytes(pem: &str) -> Option<usize> {
    let der = contents(pem)?;
    let length = der.windows(5).take(64).find_map(|window| match *window {
        [0x02, 0x82, high, low, first] => Some((usize::from(u16::from_be_bytes([high, low])), first)),
        [0x02, 0x81, length, first, _] => Some((usize::from(length), first)),
        _ => None,
    });
    // A zero in front keeps it positive (X.690 §8.3).
    length.map(|(bytes, first)| bytes - usize::from(first == 0 && bytes > 0))
}

/// How a private key is made.
const fn command(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RS256 => "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072",
        Algorithm::ES256 => "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        _ => "openssl genpkey -algorithm ED25519",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_are_real_or_written() {
        let pem = "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n";
        for (from, to) in
            [("\n", "\r\n"), ("\n", "\\n"), ("\n", "\\r\\n"), ("\n", "\\r\n"), ("-----B", "\u{feff}-----B")]
        {
            assert_eq!(line_breaks(&pem.replace(from, to)), pem, "{to:?}");
        }
    }

    #[test]
    fn a_fault_never_repeats_the_text() {
        let secret = "MC4CAQAwBQYDK2VwBCIE";
        for pem in
            [secret.to_owned(), format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n")]
        {
            for half in [Half::Private, Half::Public] {
                let fault = check(half, Algorithm::ES256, &pem).err();
                assert!(fault.is_none_or(|fault| !fault.to_string().contains(secret)));
            }
        }
    }
}
