//! The table of attacks: none of them passes, under any algorithm, for either kind of token; and beside each of them the token
//! that it was made of does.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::super::jws;
use super::forger::{ALGORITHMS, Forger, NOW, USER, encode, mac, message, others_key};

/// What is done, and the token that comes of it.
type Attack = (String, String);

fn attack(name: &str, token: String) -> Attack {
    (name.to_owned(), token)
}

/// Every kind of token under every algorithm that it can be signed with.
fn kinds() -> Vec<Forger> {
    ALGORITHMS.into_iter().map(Forger::access).chain([Forger::refresh()]).collect()
}

fn none_passes(attacks: impl Fn(&Forger) -> Vec<Attack>) {
    for forger in kinds() {
        assert!(forger.passes(&forger.good()), "{:?} {}", forger.algorithm, forger.typ);
        for (name, token) in attacks(&forger) {
            assert!(!forger.passes(&token), "{name} passes under {:?} as {}", forger.algorithm, forger.typ);
        }
    }
}

/// The good header with one member changed, or without it.
fn header(forger: &Forger, member: &str, value: Value) -> String {
    changed(forger.header(), member, value)
}

fn changed(mut object: Value, member: &str, value: Value) -> String {
    object[member] = value;
    object.to_string()
}

fn without(mut object: Value, member: &str) -> String {
    object.as_object_mut().expect("an object").remove(member);
    object.to_string()
}

/// A JSON object with one member more, in front of all others.
fn first(member: &str, value: &Value, object: &str) -> String {
    format!("{{\"{member}\":{value},{}", object.strip_prefix('{').expect("an object"))
}

/// And behind all others.
fn last(member: &str, value: &Value, object: &str) -> String {
    format!("{},\"{member}\":{value}}}", object.strip_suffix('}').expect("an object"))
}

/// CVE-2015-9235 and every later one of its kind.
#[test]
fn no_signature_is_no_signature_however_none_is_spelt() {
    none_passes(|forger| {
        let claims = forger.claims().to_string();
        let mut attacks = Vec::new();
        for none in
            ["none", "None", "NONE", "nOnE", "none ", " none", "n\u{f6}ne", "no\u{200b}ne", "null", ""]
        {
            let header = header(forger, "alg", json!(none));
            let message = message(&header, &claims);
            attacks.push(attack(&format!("alg {none:?}, no signature"), format!("{message}.")));
            attacks.push(attack(&format!("alg {none:?}, two parts"), message.clone()));
            attacks.push(attack(&format!("alg {none:?}, our signature"), forger.token(&header, &claims)));
        }
        for alg in [Value::Null, json!(0), json!(["HS256"]), json!({"name": "HS256"}), json!(true)] {
            let name = format!("alg {alg}");
            attacks.push(attack(&name, forger.token(&header(forger, "alg", alg), &claims)));
        }
        attacks.push(attack("no alg", forger.token(&without(forger.header(), "alg"), &claims)));
        attacks
    });
}

/// RFC 8725 §2.1: the public key taken for the secret of an HMAC, and every other exchange of algorithms.
#[test]
fn one_algorithm_does_not_pass_for_another() {
    none_passes(|forger| {
        let claims = forger.claims().to_string();
        let mut attacks = Vec::new();
        for other in ALGORITHMS.into_iter().filter(|other| *other != forger.algorithm) {
            let header = header(forger, "alg", json!(other));
            attacks.push(attack(&format!("{other:?} over our signature"), forger.token(&header, &claims)));
            let message = message(&header, &claims);
            let signature = others_signature(other, &message);
            attacks.push(attack(&format!("{other:?} by another key"), format!("{message}.{signature}")));
        }
        for (at, known) in forger.known.iter().enumerate() {
            for (hmac, alg) in [(ALGORITHMS[0], json!("HS256")), (ALGORITHMS[0], json!(forger.algorithm))] {
                let message = message(&header(forger, "alg", alg.clone()), &claims);
                let name = format!("what is known of the key ({at}) as a secret, alg {alg}");
                attacks.push(attack(&name, format!("{message}.{}", mac(hmac, known, &message))));
            }
        }
        attacks
    });
}

fn others_signature(algorithm: jsonwebtoken::Algorithm, message: &str) -> String {
    let key = others_key(algorithm);
    jsonwebtoken::crypto::sign(message.as_bytes(), &key.key, algorithm).expect("a signature")
}

#[test]
fn a_signature_that_is_none_does_not_pass() {
    none_passes(|forger| {
        let good = forger.good();
        let (message, signature) = good.rsplit_once('.').expect("a signature");
        let bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        let length = bytes.len();
        let edit = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = bytes.clone();
            change(&mut bytes);
            bytes
        };
        let mut forged = vec![
            ("empty".to_owned(), Vec::new()),
            // CVE-2022-21449: r = s = 0.
            ("zeros".to_owned(), vec![0; length]),
            ("ones".to_owned(), vec![0xff; length]),
            ("one zero".to_owned(), vec![0]),
            ("r = 0".to_owned(), edit(&|bytes| bytes[..length / 2].fill(0))),
            ("s = 0".to_owned(), edit(&|bytes| bytes[length / 2..].fill(0))),
            ("halves exchanged".to_owned(), edit(&|bytes| bytes.rotate_left(length / 2))),
            ("DER".to_owned(), der(&bytes)),
            ("a byte more".to_owned(), edit(&|bytes| bytes.push(0))),
            ("a byte in front".to_owned(), edit(&|bytes| bytes.insert(0, 0))),
            ("twice".to_owned(), bytes.repeat(2)),
        ];
        for length in [1, length / 2, length - 1] {
            forged.push((format!("cut to {length}"), bytes[..length].to_vec()));
        }
        for bit in (0..length * 8).step_by(13) {
            forged.push((format!("bit {bit}"), edit(&|bytes| bytes[bit / 8] ^= 1 << (bit % 8))));
        }
        let of_another = forger.token(&forger.header().to_string(), r#"{"sub":"another"}"#);
        let of_another = of_another.rsplit_once('.').expect("a signature").1;
        let mut attacks: Vec<_> =
            forged.iter().map(|(name, bytes)| attack(name, format!("{message}.{}", encode(bytes)))).collect();
        attacks.push(attack("of another token", format!("{message}.{of_another}")));
        attacks
    });
}

/// Two integers of equal length as an ASN.1 sequence: how ECDSA signatures are written everywhere but in a JWS.
fn der(bytes: &[u8]) -> Vec<u8> {
    let (r, s) = bytes.split_at(bytes.len() / 2);
    let length = |bytes: &[u8]| bytes.len().to_le_bytes()[0];
    let integer = |n: &[u8]| [&[2, length(n) + 1, 0], n].concat();
    let body = [integer(r), integer(s)].concat();
    [&[0x30, length(&body)], body.as_slice()].concat()
}

/// RFC 8725 §3.10: what a token says about keys is not believed, and nothing is fetched.
#[test]
fn a_key_in_the_token_or_behind_a_link_is_not_used() {
    none_passes(|forger| {
        let key = others_key(forger.algorithm);
        let claims = forger.claims().to_string();
        let sign = |header: &str| {
            let message = message(header, &claims);
            let signed = jsonwebtoken::crypto::sign(message.as_bytes(), &key.key, forger.algorithm);
            format!("{message}.{}", signed.expect("a signature"))
        };
        let oct = json!({"kty": "oct", "k": encode("another secret of thirty-two bytes")});
        let mut attacks = Vec::new();
        for kid in [&key.kid, &forger.kid] {
            let base = changed(forger.header(), "kid", json!(kid));
            let base: Value = serde_json::from_str(&base).expect("JSON");
            for (member, value) in [
                ("jwk", oct.clone()),
                ("jku", json!("https://attacker.example/jwks.json")),
                ("x5u", json!("https://attacker.example/cert.pem")),
                ("x5c", json!(["MIIB"])),
                ("x5t", json!("AAAA")),
                ("iss", json!("urn:i")),
            ] {
                attacks.push(attack(member, sign(&changed(base.clone(), member, value))));
            }
            attacks.push(attack("a key of the attacker's", sign(&base.to_string())));
        }
        for kid in [
            "../../../../dev/null",
            "/proc/sys/kernel/randomize_va_space",
            "' UNION SELECT 'secret' --",
            "| id",
            "https://attacker.example/key",
            "\0",
            "",
            "*",
        ] {
            attacks.push(attack(kid, forger.token(&header(forger, "kid", json!(kid)), &claims)));
            let message = message(&header(forger, "kid", json!(kid)), &claims);
            let empty = mac(ALGORITHMS[0], b"", &message);
            attacks.push(attack(kid, format!("{message}.{empty}")));
        }
        for kid in [json!([forger.kid]), json!(0), Value::Null, json!({"kid": forger.kid})] {
            let name = format!("kid {kid}");
            attacks.push(attack(&name, forger.token(&header(forger, "kid", kid), &claims)));
        }
        attacks.push(attack("no kid", forger.token(&without(forger.header(), "kid"), &claims)));
        attacks
    });
}

/// RFC 7515 §4.1.11 and RFC 7797; RFC 8725 §3.11.
#[test]
fn a_header_that_asks_for_more_or_for_something_else_is_refused() {
    none_passes(|forger| {
        let claims = forger.claims().to_string();
        let mut headers = Vec::new();
        for crit in [json!(["exp"]), json!([]), json!(["b64"]), Value::Null, json!("exp"), json!({})] {
            headers.push(header(forger, "crit", crit));
        }
        headers.push(
            json!({"typ": forger.typ, "alg": forger.algorithm, "kid": forger.kid, "b64": false, "crit": ["b64"]})
                .to_string(),
        );
        let typs =
            ["JWT", "jwt", "", "AT+JWT", "at+jwt ", "application/at+jwt", "secevent+jwt", forger.other_typ];
        headers.extend(typs.map(|typ| header(forger, "typ", json!(typ))));
        headers.push(header(forger, "typ", Value::Null));
        headers.push(without(forger.header(), "typ"));
        headers.push(json!([forger.algorithm, forger.typ, forger.kid]).to_string());
        headers.push(json!([forger.algorithm, forger.typ, forger.kid, null]).to_string());
        headers.extend(["", "{}", "[]", "null", "\"HS256\""].map(str::to_owned));
        let good = forger.header().to_string();
        for member in ["alg", "typ", "kid"] {
            let own = &forger.header()[member];
            for other in [json!("none"), own.clone()] {
                headers.push(first(member, &other, &good));
                headers.push(last(member, &other, &good));
            }
        }
        headers.push(format!("\u{feff}{good}"));
        headers.push(format!("{good}{good}"));
        headers.push(format!("{good}\0"));
        headers.into_iter().map(|header| (header.clone(), forger.token(&header, &claims))).collect()
    });
}

#[test]
fn claims_of_another_time_issuer_or_audience_or_of_another_form_are_refused() {
    none_passes(|forger| {
        let now = NOW.epoch_seconds();
        let good = forger.claims();
        let mut claims = Vec::new();
        for (member, values) in [
            ("iss", vec![json!("urn:other"), json!("urn:i "), json!("URN:I"), json!(["urn:i"]), Value::Null]),
            ("aud", vec![json!("urn:other"), json!([good["aud"]]), json!(["urn:x", good["aud"]]), json!("")]),
            ("aud", vec![json!(if forger.typ == "at+jwt" { "urn:i#refresh" } else { "urn:a" })]),
            ("exp", vec![json!(now), json!(now - 1), json!(0), json!(-1), json!(1e300), json!("9999999999")]),
            ("exp", vec![json!(1_800_000_060.5), Value::Null, json!([now + 60])]),
            ("nbf", vec![json!(now + 1), json!("soon"), json!(1e300)]),
            ("sub", vec![json!("admin"), json!(""), json!(USER.to_uppercase()), json!([USER]), json!(1)]),
            ("sub", vec![json!(format!("{USER}\0")), json!(format!("USER#{USER}"))]),
            (
                "sid",
                vec![json!(""), json!("A"), json!("A".repeat(44)), json!(format!("{}=", "A".repeat(43)))],
            ),
        ] {
            claims.extend(values.into_iter().map(|value| changed(good.clone(), member, value)));
        }
        claims.extend(["iss", "aud", "exp", "sub", "sid"].map(|member| without(good.clone(), member)));
        let text = good.to_string();
        for member in ["iss", "aud", "exp", "sub", "sid"] {
            claims.push(first(member, &good[member], &text));
        }
        claims.extend(["", "{}", "[]", "null", "1"].map(str::to_owned));
        let values: Vec<&Value> = good.as_object().expect("an object").values().collect();
        claims.push(json!(values).to_string());
        claims.extend([
            format!("{text}{text}"),
            format!("{text},"),
            format!("\u{feff}{text}"),
            format!("{text}\0"),
        ]);
        claims.push(text.replace(':', "="));
        let nested = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
        claims.push(text.replace(&format!("\"{USER}\""), &nested));
        claims.push(first("x", &json!("x".repeat(jws::MAXIMUM_LENGTH)), &text));
        let header = forger.header().to_string();
        claims.into_iter().map(|claims| (claims.clone(), forger.token(&header, &claims))).collect()
    });
}

/// The claims of one's own token, written anew around its signature.
#[test]
fn nobody_becomes_somebody_else_or_lives_longer() {
    none_passes(|forger| {
        let good = forger.good();
        let (message, signature) = good.rsplit_once('.').expect("a signature");
        let header = message.split_once('.').expect("a header").0;
        let edits = [
            ("sub", json!("4e9f1c0e-6f5a-4f0e-9d59-2f1b8b1c7a56")),
            ("sid", json!("B".repeat(43))),
            ("exp", json!(NOW.epoch_seconds() + 61)),
            ("gen", json!(1)),
            ("email", json!("eve@example.com")),
            ("role", json!("admin")),
        ];
        let edits = edits.map(|(member, value)| (member, changed(forger.claims(), member, value)));
        edits.map(|(name, claims)| attack(name, format!("{header}.{}.{signature}", encode(claims)))).into()
    });
}

/// One token has one spelling (RFC 4648 §3.5, RFC 7515 §2).
#[test]
fn another_spelling_of_a_token_is_another_token() {
    none_passes(|forger| {
        let good = forger.good();
        let parts: Vec<&str> = good.split('.').collect();
        let [header, claims, signature] = parts[..] else { panic!("three parts") };
        let mut attacks = Vec::new();
        for (name, part) in [("header", 0), ("claims", 1), ("signature", 2)] {
            let spell = |spelling: String| {
                let mut parts = parts.clone();
                parts[part] = &spelling;
                parts.join(".")
            };
            let bytes = URL_SAFE_NO_PAD.decode(parts[part]).expect("base64url");
            let padded = URL_SAFE.encode(&bytes);
            for (how, spelling) in [
                ("padding", if padded == parts[part] { format!("{padded}====") } else { padded }),
                ("one equals sign", format!("{}=", parts[part])),
                ("a space", format!("{} ", parts[part])),
                ("a line break", format!("\n{}", parts[part])),
                ("a percent sign", format!("{}%3D", parts[part])),
                ("a plus sign", parts[part].replacen(['-', '_', 'A'], "+", 1)),
                ("twice", parts[part].repeat(2)),
                ("nothing", String::new()),
            ] {
                attacks.push(attack(&format!("{how} in the {name}"), spell(spelling)));
            }
            attacks.extend(
                trailing_bits(parts[part])
                    .map(|spelling| attack(&format!("other trailing bits in the {name}"), spell(spelling))),
            );
        }
        for token in [
            format!(".{good}"),
            format!("{good}."),
            format!("{good}.{signature}"),
            format!("{header}..{signature}"),
            format!("{header}.{claims}"),
            format!("{header}.{claims}.{signature}.{claims}.{signature}"),
            good.replace('.', "\u{ff0e}"),
            good.replace('.', "%2E"),
            good.replace('.', ". "),
            good.replacen('e', "\u{435}", 1),
            good.replacen('e', "\u{ff45}", 1),
            format!("{good}\0"),
            format!("{good}\n"),
            format!(" {good}"),
            format!("\u{200b}{good}"),
            format!("\u{feff}{good}"),
            format!("{good},{good}"),
            format!("{good} {good}"),
            good.to_uppercase(),
            good.to_lowercase(),
            json!({"protected": header, "payload": claims, "signature": signature}).to_string(),
            json!({"payload": claims, "signatures": [{"protected": header, "signature": signature}]})
                .to_string(),
            encode(&good),
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
        ] {
            attacks.push((token.clone(), token));
        }
        attacks
    });
}

/// The last character of a part whose length leaves bits over, with those bits set: the same bytes to a decoder that looks away.
fn trailing_bits(part: &str) -> Option<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = part.split_at_checked(part.len().checked_sub(1)?)?;
    let other = ALPHABET.iter().position(|letter| last.as_bytes() == [*letter])? | 1;
    (!part.len().is_multiple_of(4)).then(|| format!("{rest}{}", char::from(ALPHABET[other])))
}

#[test]
fn neither_kind_of_token_passes_for_the_other() {
    let refresh = Forger::refresh();
    for access in ALGORITHMS.map(Forger::access) {
        assert!(
            !access.passes(&refresh.good()),
            "a refresh token as an access token ({:?})",
            access.algorithm
        );
        assert!(
            !refresh.passes(&access.good()),
            "an access token as a refresh token ({:?})",
            access.algorithm
        );
        // Even with all that the other kind says, in its own words.
        let disguised = refresh.token(&access.header().to_string(), &access.claims().to_string());
        assert!(!access.passes(&disguised) && !refresh.passes(&disguised), "{:?}", access.algorithm);
        let disguised = access.token(&refresh.header().to_string(), &refresh.claims().to_string());
        assert!(!access.passes(&disguised) && !refresh.passes(&disguised), "{:?}", access.algorithm);
    }
}

#[test]
fn a_token_of_one_algorithm_does_not_pass_where_another_is_configured() {
    let kinds = ALGORITHMS.map(Forger::access);
    for (at, forger) in kinds.iter().enumerate() {
        for (with, other) in kinds.iter().enumerate() {
            assert_eq!(
                other.passes(&forger.good()),
                at == with,
                "{:?} {:?}",
                forger.algorithm,
                other.algorithm
            );
        }
    }
}
