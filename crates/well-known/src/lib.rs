//! `GET /.well-known/jwks.json` and `GET /.well-known/openid-configuration`: what others need to verify access tokens.
//!
//! It holds public keys alone and has no access to the table.

use auth_core::Platform;
use auth_core::config::{self, Faults, HttpConfig, Lookup, read_issuer, read_public_keys};
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming};
use auth_core::token::key::{Algorithm, jwk_set};
use serde_json::{Value, json};

/// How long others may keep the documents, in seconds: a new key is verified everywhere that long after it is published.
const CACHE_LIFETIME: u32 = 300;

/// The endpoint.
pub struct WellKnown {
    issuer: String,
    algorithm: Algorithm,
    keys: Value,
}

/// Builds the function.
///
/// # Errors
///
/// Every fault of the environment.
pub fn build(lookup: &Lookup<'_>, _platform: Platform) -> Result<HttpFunction<WellKnown>, Faults> {
    config::from_lookup(lookup, |settings| {
        let http = HttpConfig::read_for_anybody(settings);
        let issuer = read_issuer(settings);
        let (algorithm, keys) = read_public_keys(settings)?;
        let well_known = WellKnown { issuer, algorithm, keys: json!(jwk_set(&keys)) };
        Some(HttpFunction::new(well_known, &http))
    })
}

impl Endpoint for WellKnown {
    async fn answer(&self, request: Incoming) -> Result<Answer, ApiError> {
        let document =
            if request.path.ends_with("/jwks.json") { self.keys.clone() } else { self.discovery(&request) };
        Ok(Answer::document(document, CACHE_LIFETIME))
    }
}

impl WellKnown {
    /// The members of OpenID Connect Discovery 1.0 §3 that hold for a service without an authorization endpoint.
    fn discovery(&self, request: &Incoming) -> Value {
        let base = self.base_url(request);
        json!({
            "issuer": self.issuer,
            "jwks_uri": format!("{base}/.well-known/jwks.json"),
            // Required, and a member without elements must be left out (§4.2). `id_token` is what issuers without an
            // authorization endpoint publish, such as Kubernetes and GitHub Actions; verifiers read nothing of it.
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [format!("{:?}", self.algorithm)],
            "claims_supported": ["iss", "sub", "aud", "iat", "exp", "jti", "sid", "email", "email_verified", "name"],
        })
    }

    /// The issuer's own URL (Discovery §4), or where the client called if the issuer is no URL.
    fn base_url(&self, request: &Incoming) -> String {
        if self.issuer.starts_with("https://") || self.issuer.starts_with("http://") {
            return self.issuer.trim_end_matches('/').to_owned();
        }
        request.base_url.clone()
    }
}
