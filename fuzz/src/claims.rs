//! Any header and claims under a valid signature: what verifies is a JSON object that says what has to be said.

use std::collections::HashMap;
use std::sync::LazyLock;

use auth_core::token::access::AccessVerifier;
use auth_core::token::key::Algorithm;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::value::RawValue;

use super::keys::{NOW, SECRET, access, access_token};

static VERIFIER: LazyLock<AccessVerifier> = LazyLock::new(|| access(Algorithm::HS256).1);
/// The header of a valid token: the `kid` is in it.
static HEADER: LazyLock<Value> = LazyLock::new(|| {
    let token = access_token(Algorithm::HS256);
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a header")).expect("base64url");
    serde_json::from_slice(&header).expect("JSON")
});

/// Header and claims, with a NUL between them; `KID` in the header stands for the key's.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some((header, claims)) = text.split_once('\0') else { return };
    let header = header.replace("KID", HEADER["kid"].as_str().expect("a kid"));
    if VERIFIER.verify(&sign(&header, claims), NOW).is_err() {
        return;
    }
    let header = members(&header);
    for member in ["alg", "typ", "kid"] {
        assert_eq!(header(member).as_ref(), Some(&HEADER[member]), "{member}");
    }
    assert_eq!(header("crit"), None, "RFC 7515 §4.1.11");
    let claim = members(claims);
    assert_eq!((claim("iss"), claim("aud")), (Some("urn:latchkey".into()), Some("urn:latchkey:api".into())));
    assert!(claim("exp").and_then(|end| end.as_u64()).is_some_and(|end| end > NOW.epoch_seconds()), "exp");
    assert!(claim("nbf").is_none_or(|start| start.as_u64() <= Some(NOW.epoch_seconds())), "nbf");
    let is_text = |name| claim(name).is_some_and(|value| value.is_string());
    assert!(is_text("sub") && is_text("sid"), "sub and sid");
}

/// The members of a JSON object. Those that nobody asks for may be what JSON has and `Value` has not: a number out of range.
fn members(object: &str) -> impl Fn(&str) -> Option<Value> {
    let members: HashMap<String, Box<RawValue>> = serde_json::from_str(object).expect("an object of JSON");
    move |name| members.get(name).map(|value| serde_json::from_str(value.get()).expect("a value"))
}

fn sign(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}
