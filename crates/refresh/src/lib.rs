//! `POST /auth/refresh`: a refresh token becomes the next one.
//!
//! The token is found ([`auth_core::http::presented`]) and redeemed ([`auth_core::redeem`]): checked without a database call,
//! then one read and one conditional write. Cookies of several sessions cost a read of each
//! more ([`auth_core::selection`]).

use auth_core::Platform;
use auth_core::config::{self, Faults, HttpConfig, Lookup, StoreConfig, read_own_verifying_keys};
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming, origin, presented};
use auth_core::redeem::{Redeemer, Redemption};
use auth_core::selection::NamedSession;
use auth_core::session::{IdempotencyDigest, MAXIMUM_IDEMPOTENCY_KEY, SessionId};
use auth_core::store::Store;
use auth_core::token::TokenNames;
use auth_core::token::access::AccessVerifier;
use http::StatusCode;

/// The endpoint.
pub struct Refresh {
    http: HttpConfig,
    redeemer: Redeemer,
    /// For access tokens that name the session of a request with cookies of several.
    access: AccessVerifier,
    platform: Platform,
}

/// Builds the function.
///
/// # Errors
///
/// Every fault of the environment.
pub fn build(lookup: &Lookup<'_>, platform: Platform) -> Result<HttpFunction<Refresh>, Faults> {
    config::from_lookup(lookup, |settings| {
        let http = HttpConfig::read(settings);
        let store = Store::new(&StoreConfig::read(settings));
        let redeemer = Redeemer::read(settings, store, platform.clone());
        let names = TokenNames::read(settings);
        let access = AccessVerifier::new(read_own_verifying_keys(settings)?, names);
        let refresh = Refresh { http: http.clone(), redeemer: redeemer?, access, platform };
        Some(HttpFunction::new(refresh, &http))
    })
}

impl Endpoint for Refresh {
    async fn answer(&self, request: Incoming) -> Result<Answer, ApiError> {
        let now = self.platform.clock.now();
        origin::require_same_site(&request, &self.http, &self.platform.audit, now)?;
        let tokens = presented::refresh_tokens(&request, &self.http)?;
        let named = || NamedSession::of(request.bearer(), &self.access);
        let claims = self.redeemer.select(&tokens, named, &request.client).await?;
        let idempotency = idempotency_digest(&request, &claims.sid)?;
        let redemption = Redemption {
            claims: &claims,
            idempotency: idempotency.as_ref(),
            access_issued_at: None,
            client: &request.client,
        };
        let user = self.redeemer.user(&redemption).await?;
        let grant = self.redeemer.redeem(&redemption, user).await?;
        Ok(Answer::tokens(&self.http, StatusCode::OK, &request, &grant))
    }

    async fn warm_up(&self) {
        self.redeemer.store().connect_by_get_user().await;
    }
}

/// The digest of the request's `Idempotency-Key`, if it has one.
fn idempotency_digest(request: &Incoming, sid: &SessionId) -> Result<Option<IdempotencyDigest>, ApiError> {
    let mut keys = request.headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let digest = if keys.next().is_none() { IdempotencyDigest::of(sid, key.as_bytes()) } else { None };
    let refused = || format!("is not one key of 1 to {MAXIMUM_IDEMPOTENCY_KEY} visible characters of ASCII");
    digest.map(Some).ok_or_else(|| ApiError::field("Idempotency-Key", &refused()))
}
