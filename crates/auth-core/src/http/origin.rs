//! Requests from other origins: CORS (Fetch Standard), and what cookie delivery demands against forged requests.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{ApiError, Incoming};
use crate::audit::{AuditLog, Entry, Event, Outcome};
use crate::clock::Timestamp;
use crate::config::{HttpConfig, Origins, TokenDelivery};

/// How long a browser may keep a preflight's answer. Chromium caps it at two hours.
const PREFLIGHT_LIFETIME: Duration = Duration::from_secs(7_200);

/// Answers preflights and marks answers for the configured origins.
pub(super) fn cors(config: &HttpConfig) -> CorsLayer {
    let origins = match &config.origins {
        Origins::Any => AllowOrigin::any(),
        Origins::Listed(origins) => AllowOrigin::list(origins.iter().cloned()),
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_credentials(config.delivery == TokenDelivery::Cookie)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("x-refresh-token"),
            HeaderName::from_static("x-refresh-idempotency-key"),
        ])
        .expose_headers([
            header::RETRY_AFTER,
            HeaderName::from_static("x-new-token"),
            HeaderName::from_static("x-new-access-token"),
            HeaderName::from_static("x-new-refresh-token"),
        ])
        .max_age(PREFLIGHT_LIFETIME)
}

/// With cookie delivery, a request that uses the cookie has to come from a page of ours: from a listed origin, or by the
/// browser's own word (`Sec-Fetch-Site`, which no script can set) from this very origin, or from this site if the browser
/// names no origin. `SameSite=Strict` alone does not hold where a browser is old or a sibling domain is somebody else's.
///
/// # Errors
///
/// [`ApiError::Forbidden`].
pub fn require_same_site(
    request: &Incoming,
    config: &HttpConfig,
    audit: &AuditLog,
    now: Timestamp,
) -> Result<(), ApiError> {
    if config.delivery == TokenDelivery::Body || is_same_site(request, &config.origins) {
        return Ok(());
    }
    audit.record(
        Entry::new(Event::CrossSiteRefused, Outcome::Failure, &request.client, now).because("cross_site"),
    );
    Err(ApiError::Forbidden("The request comes from another site."))
}

fn is_same_site(request: &Incoming, origins: &Origins) -> bool {
    let site = request.headers.get("sec-fetch-site").map(HeaderValue::as_bytes).unwrap_or_default();
    match request.headers.get(header::ORIGIN) {
        Some(origin) => origins.contains(origin) || site == b"same-origin",
        None => site == b"same-origin" || site == b"same-site",
    }
}
