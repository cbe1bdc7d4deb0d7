//! The keys of access and refresh tokens.

use super::setting::Setting;
use super::{Secret, Settings, TokenNames, setting};
use crate::token::key::{self, Algorithm, KeyError, KeyPair, VerifyingKey};
use crate::token::refresh::RefreshKeys;

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

/// The keys of a function that issues access tokens: the current pair, and previous keys that still verify.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    /// Signs.
    pub current: key::SigningKey,
    /// Verify, the current one first.
    pub verifying: Vec<VerifyingKey>,
}

impl SigningKeys {
    /// Reads the secret or the private key, and the previous keys.
    pub fn read(settings: &mut Settings<'_>) -> Option<Self> {
        let algorithm = algorithm(settings);
        let (current, first) = if is_hmac(algorithm) {
            secret_pair(settings, algorithm)
        } else {
            private_pair(settings, algorithm)
        }?;
        let mut verifying = vec![first];
        verifying.extend(previous(settings, algorithm));
        Some(Self { current, verifying })
    }
}

/// The keys of a function that only checks access tokens: with an asymmetric algorithm, public keys are enough.
pub fn read_verifying_keys(settings: &mut Settings<'_>) -> Option<Vec<VerifyingKey>> {
    let algorithm = algorithm(settings);
    let first = if is_hmac(algorithm) {
        secret_pair(settings, algorithm).map(|(_, verifying)| verifying)
    } else {
        public_key(settings, algorithm)
    }?;
    let mut verifying = vec![first];
    verifying.extend(previous(settings, algorithm));
    Some(verifying)
}

/// The keys that the JWK set publishes: none for HMAC, of which nothing is read here.
pub fn read_public_keys(settings: &mut Settings<'_>) -> Option<(Algorithm, Vec<VerifyingKey>)> {
    let algorithm = algorithm(settings);
    let keys = if is_hmac(algorithm) { Vec::new() } else { read_verifying_keys(settings)? };
    Some((algorithm, keys))
}

/// The keys of refresh tokens: derived from `REFRESH_TOKEN_SECRET`, or else from `JWT_SECRET`.
pub fn read_refresh_keys(settings: &mut Settings<'_>, names: &TokenNames) -> Option<RefreshKeys> {
    let own = settings.secret(&setting::REFRESH_TOKEN_SECRET);
    let (setting, previous) = match own {
        Some(_) => (&setting::REFRESH_TOKEN_SECRET, &setting::REFRESH_TOKEN_PREVIOUS_SECRETS),
        None => (&setting::JWT_SECRET, &setting::JWT_PREVIOUS_SECRETS),
    };
    let Some(current) = own.or_else(|| settings.secret(&setting::JWT_SECRET)) else {
        settings.fault(&setting::REFRESH_TOKEN_SECRET, "is missing, and so is JWT_SECRET");
        return None;
    };
    let previous = secrets(settings, previous);
    usable(settings, setting, RefreshKeys::derive(&names.issuer, &current, &previous))
}

fn secret_pair(settings: &mut Settings<'_>, algorithm: Algorithm) -> Option<KeyPair> {
    settings.required(&setting::JWT_SECRET)?;
    let secret = settings.secret(&setting::JWT_SECRET)?;
    usable(settings, &setting::JWT_SECRET, key::from_secret(algorithm, &secret))
}

fn private_pair(settings: &mut Settings<'_>, algorithm: Algorithm) -> Option<KeyPair> {
    let pem = settings.required(&setting::JWT_PRIVATE_KEY)?;
    let pem = Secret::new(line_breaks(&pem));
    usable(settings, &setting::JWT_PRIVATE_KEY, key::from_private_pem(algorithm, &pem))
}

/// `JWT_PUBLIC_KEY`, or else the public half of `JWT_PRIVATE_KEY`.
fn public_key(settings: &mut Settings<'_>, algorithm: Algorithm) -> Option<VerifyingKey> {
    if settings.text(&setting::JWT_PUBLIC_KEY).is_none() && settings.text(&setting::JWT_PRIVATE_KEY).is_some()
    {
        return private_pair(settings, algorithm).map(|(_, verifying)| verifying);
    }
    let pem = line_breaks(&settings.required(&setting::JWT_PUBLIC_KEY)?);
    usable(settings, &setting::JWT_PUBLIC_KEY, key::from_public_pem(algorithm, &pem))
}

fn previous(settings: &mut Settings<'_>, algorithm: Algorithm) -> Vec<VerifyingKey> {
    if is_hmac(algorithm) {
        let secrets = secrets(settings, &setting::JWT_PREVIOUS_SECRETS);
        let keys = secrets.iter().map(|secret| key::from_secret(algorithm, secret)).collect::<Vec<_>>();
        return keys
            .into_iter()
            .filter_map(|pair| usable(settings, &setting::JWT_PREVIOUS_SECRETS, pair))
            .map(|(_, verifying)| verifying)
            .collect();
    }
    let pems = line_breaks(&settings.text(&setting::JWT_PREVIOUS_PUBLIC_KEYS).unwrap_or_default());
    pems.split_inclusive("-----END PUBLIC KEY-----")
        .map(str::trim)
        .filter(|pem| !pem.is_empty())
        .filter_map(|pem| {
            usable(settings, &setting::JWT_PREVIOUS_PUBLIC_KEYS, key::from_public_pem(algorithm, pem))
        })
        .collect()
}

fn secrets(settings: &Settings<'_>, setting: &Setting) -> Vec<Secret> {
    let list = settings.text(setting).unwrap_or_default();
    list.split(',').map(str::trim).filter(|secret| !secret.is_empty()).map(Secret::new).collect()
}

/// Consoles and parameter stores make it hard to enter a line break.
fn line_breaks(pem: &str) -> String {
    pem.replace("\\n", "\n")
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
            let keys = SigningKeys::read(settings);
            let refresh = read_refresh_keys(settings, &names);
            keys.zip(refresh)
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
        assert!(message.starts_with("JWT_SECRET is shorter than 32 bytes"), "{message}");
        assert!(!message.contains("hunter"), "{message}");
        assert_eq!(
            faults(&[]),
            "JWT_SECRET is missing\nREFRESH_TOKEN_SECRET is missing, and so is JWT_SECRET"
        );
    }

    #[test]
    fn an_asymmetric_algorithm_needs_its_private_key_and_a_refresh_secret() {
        let message = faults(&[("JWT_ALGORITHM", "ES256"), ("JWT_PRIVATE_KEY", "nonsense")]);
        assert_eq!(
            message,
            "JWT_PRIVATE_KEY is not a PEM key for ES256 (a private key in PKCS#8 is needed)\n\
             REFRESH_TOKEN_SECRET is missing, and so is JWT_SECRET"
        );
    }

    #[test]
    fn an_unknown_algorithm_is_refused_by_name() {
        for algorithm in ["none", "hs256", "PS256", "ES384"] {
            let message = faults(&[("JWT_ALGORITHM", algorithm), ("JWT_SECRET", &"s".repeat(64))]);
            assert!(message.starts_with("JWT_ALGORITHM"), "{message}");
        }
    }
}
