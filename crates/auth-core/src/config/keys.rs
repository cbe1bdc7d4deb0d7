//! The keys of access and refresh tokens.

use super::setting::Setting;
use super::{Settings, setting};
use crate::secret::Secret;
use crate::token::TokenNames;
use crate::token::key::{self, Algorithm, KeyError, KeyPair, SigningKey, VerifyingKey};
use crate::token::pem;
use crate::token::refresh::{RefreshKey, RefreshKeys};

/// Reads `JWT_ALGORITHM`.
fn algorithm(settings: &mut Settings<'_>) -> Algorithm {
    let algorithms = [
        ("HS256", Algorithm::HS256),
        ("HS384", Algorithm::HS384),
        ("HS512", Algorithm::HS512),
        ("RS256", Algorithm::RS256),
        ("ES256", Algorithm::ES256),
        ("EdDSA", Algorithm::EdDSA),
    ];
    settings.choice(&setting::JWT_ALGORITHM, &algorithms)
}

const fn is_hmac(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
}

/// The key that access tokens are signed with: `JWT_SECRET` or `JWT_PRIVATE_KEY`.
pub fn read_signing_key(settings: &mut Settings<'_>) -> Option<SigningKey> {
    let algorithm = algorithm(settings);
    let pair =
        if is_hmac(algorithm) { secret_pair(settings, algorithm) } else { private_pair(settings, algorithm) };
    pair.map(|(signing, _)| signing)
}

/// The keys that access tokens are checked with, the current one first. With an asymmetric algorithm, public keys are
/// enough.
pub fn read_verifying_keys(settings: &mut Settings<'_>) -> Option<Vec<VerifyingKey>> {
    let algorithm = algorithm(settings);
    let current = if is_hmac(algorithm) {
        secret_pair(settings, algorithm).map(|(_, verifying)| verifying)
    } else {
        public_key(settings, algorithm)
    };
    let previous = previous(settings, algorithm);
    Some([current?].into_iter().chain(previous).collect())
}

/// The keys that recognise access tokens where they are signed: the public half of the private key, or the secret and the previous
/// ones. A function that signs holds no previous public keys: all of them and a private key may not fit into its environment.
pub fn read_own_verifying_keys(settings: &mut Settings<'_>) -> Option<Vec<VerifyingKey>> {
    let algorithm = algorithm(settings);
    if !is_hmac(algorithm) {
        return private_pair(settings, algorithm).map(|(_, verifying)| vec![verifying]);
    }
    let (_, current) = secret_pair(settings, algorithm)?;
    Some([current].into_iter().chain(previous(settings, algorithm)).collect())
}

/// The keys that the JWK set publishes: none for HMAC, of which nothing is read here.
pub fn read_public_keys(settings: &mut Settings<'_>) -> Option<(Algorithm, Vec<VerifyingKey>)> {
    let algorithm = algorithm(settings);
    let keys = if is_hmac(algorithm) { Vec::new() } else { read_verifying_keys(settings)? };
    Some((algorithm, keys))
}

/// The keys of refresh tokens: derived from `REFRESH_TOKEN_SECRET`, or else from `JWT_SECRET`, and from the previous ones of
/// the same.
pub fn read_refresh_keys(settings: &mut Settings<'_>, names: &TokenNames) -> Option<RefreshKeys> {
    let own = settings.text(&setting::REFRESH_TOKEN_SECRET).is_some();
    if !own && settings.text(&setting::JWT_SECRET).is_none() {
        settings.fault(&setting::REFRESH_TOKEN_SECRET, "is missing, and so is JWT_SECRET");
        return None;
    }
    let (current, previous) = if own {
        (&setting::REFRESH_TOKEN_SECRET, &setting::REFRESH_TOKEN_PREVIOUS_SECRETS)
    } else {
        (&setting::JWT_SECRET, &setting::JWT_PREVIOUS_SECRETS)
    };
    let key = current_secret(settings, current)
        .and_then(|secret| usable(settings, current, RefreshKey::derive(&secret)));
    let previous: Vec<_> = previous_secrets(settings, previous)
        .iter()
        .filter_map(|secret| usable(settings, previous, RefreshKey::derive(secret)))
        .collect();
    Some(RefreshKeys::new(names, key?, previous))
}

fn secret_pair(settings: &mut Settings<'_>, algorithm: Algorithm) -> Option<KeyPair> {
    settings.required(&setting::JWT_SECRET)?;
    let secret = current_secret(settings, &setting::JWT_SECRET)?;
    usable(settings, &setting::JWT_SECRET, key::from_secret(algorithm, &secret))
}

/// A secret that could not stand in the list of previous ones would sign everybody out on the day that it moves there.
fn current_secret(settings: &mut Settings<'_>, setting: &Setting) -> Option<Secret> {
    let secret = settings.secret(setting)?;
    let text = secret.expose();
    if text.contains(',') || text.trim() != text {
        settings.fault(setting, "has a comma, or a space at an end");
        return None;
    }
    Some(secret)
}

fn private_pair(settings: &mut Settings<'_>, algorithm: Algorithm) -> Option<KeyPair> {
    let pem = settings.required(&setting::JWT_PRIVATE_KEY)?;
    let pem = Secret::new(pem);
    usable(settings, &setting::JWT_PRIVATE_KEY, key::from_private_pem(algorithm, &pem))
}

/// `JWT_PUBLIC_KEY`, or else the public half of `JWT_PRIVATE_KEY`.
fn public_key(settings: &mut Settings<'_>, algorithm: Algorithm) -> Option<VerifyingKey> {
    if settings.text(&setting::JWT_PUBLIC_KEY).is_none() && settings.text(&setting::JWT_PRIVATE_KEY).is_some()
    {
        return private_pair(settings, algorithm).map(|(_, verifying)| verifying);
    }
    let pem = settings.required(&setting::JWT_PUBLIC_KEY)?;
    usable(settings, &setting::JWT_PUBLIC_KEY, key::from_public_pem(algorithm, &pem))
}

fn previous(settings: &mut Settings<'_>, algorithm: Algorithm) -> Vec<VerifyingKey> {
    if is_hmac(algorithm) {
        let setting = &setting::JWT_PREVIOUS_SECRETS;
        return previous_secrets(settings, setting)
            .iter()
            .filter_map(|secret| usable(settings, setting, key::from_secret(algorithm, secret)))
            .map(|(_, verifying)| verifying)
            .collect();
    }
    let pems = pem::line_breaks(&settings.text(&setting::JWT_PREVIOUS_PUBLIC_KEYS).unwrap_or_default());
    pems.split_inclusive("-----END PUBLIC KEY-----")
        .map(str::trim)
        .filter(|pem| !pem.is_empty())
        .filter_map(|pem| {
            usable(settings, &setting::JWT_PREVIOUS_PUBLIC_KEYS, key::from_public_pem(algorithm, pem))
        })
        .collect()
}

fn previous_secrets(settings: &Settings<'_>, setting: &Setting) -> Vec<Secret> {
    let list = settings.text(setting).unwrap_or_default();
    list.split(',').map(str::trim).filter(|secret| !secret.is_empty()).map(Secret::new).collect()
}

fn usable<T>(settings: &mut Settings<'_>, setting: &Setting, key: Result<T, KeyError>) -> Option<T> {
    key.map_err(|error| settings.fault(setting, &error.to_string())).ok()
}

#[cfg(test)]
mod tests {
    use super::super::from_lookup;
    use super::*;

    fn faults(pairs: &[(&str, &str)]) -> String {
        let lookup =
            |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let result = from_lookup(&lookup, |settings| {
            let names = TokenNames::read(settings);
            let keys = read_verifying_keys(settings);
            let signing = read_signing_key(settings);
            let refresh = read_refresh_keys(settings, &names);
            keys.zip(signing).zip(refresh)
        });
        result.err().map(|faults| faults.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_secret_is_all_that_hmac_needs() {
        assert_eq!(faults(&[("JWT_SECRET", &"s".repeat(32))]), "");
    }

    #[test]
    fn a_fault_names_the_variable_and_keeps_the_secret() {
        let message = faults(&[("JWT_SECRET", "hunter2"), ("JWT_PREVIOUS_SECRETS", "hunter3")]);
        let what = "is shorter than 32 bytes, which HS256 needs (RFC 7518 section 3.2)";
        assert_eq!(message, format!("JWT_SECRET {what}\nJWT_PREVIOUS_SECRETS {what}"));
        assert_eq!(
            faults(&[]),
            "JWT_SECRET is missing\nREFRESH_TOKEN_SECRET is missing, and so is JWT_SECRET"
        );
    }

    #[test]
    fn an_asymmetric_algorithm_needs_its_private_key_and_a_refresh_secret() {
        let keys = [("JWT_ALGORITHM", "ES256"), ("JWT_PRIVATE_KEY", "nonsense")];
        let message = faults(&keys);
        assert_eq!(
            message,
            "JWT_PRIVATE_KEY is not PEM: it has no line -----BEGIN PRIVATE KEY-----\n\
             REFRESH_TOKEN_SECRET is missing, and so is JWT_SECRET"
        );
    }

    #[test]
    fn a_secret_that_could_not_become_a_previous_one_is_refused() {
        for secret in [format!("{},{}", "s".repeat(20), "t".repeat(20)), format!(" {}", "s".repeat(40))] {
            assert_eq!(faults(&[("JWT_SECRET", &secret)]), "JWT_SECRET has a comma, or a space at an end");
        }
    }

    #[test]
    fn an_unresolved_reference_signs_and_verifies_nothing() {
        let reference = "{{resolve:secretsmanager:SigningSecret:SecretString:::}}";
        let what = "is a CloudFormation reference that is not resolved ({{resolve:…}}): set the value itself";
        let secret = "s".repeat(32);
        for (name, settings) in [
            ("JWT_SECRET", vec![]),
            ("JWT_PREVIOUS_SECRETS", vec![("JWT_SECRET", secret.as_str())]),
            ("REFRESH_TOKEN_SECRET", vec![("JWT_SECRET", secret.as_str())]),
            (
                "REFRESH_TOKEN_PREVIOUS_SECRETS",
                vec![("JWT_SECRET", secret.as_str()), ("REFRESH_TOKEN_SECRET", secret.as_str())],
            ),
            ("JWT_PRIVATE_KEY", vec![("JWT_ALGORITHM", "ES256"), ("REFRESH_TOKEN_SECRET", secret.as_str())]),
        ] {
            let pairs: Vec<_> = settings.into_iter().chain([(name, reference)]).collect();
            assert_eq!(faults(&pairs), format!("{name} {what}"), "{name}");
        }
    }

    #[test]
    fn an_unknown_algorithm_is_refused_by_name() {
        for algorithm in ["none", "hs256", "PS256", "ES384"] {
            let message = faults(&[("JWT_ALGORITHM", algorithm), ("JWT_SECRET", &"s".repeat(64))]);
            assert!(message.starts_with("JWT_ALGORITHM"), "{message}");
        }
    }
}
