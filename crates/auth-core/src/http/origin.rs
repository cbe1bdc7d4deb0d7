//! Requests from other origins: CORS (Fetch Standard), and what cookie delivery demands against forged requests.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::{ApiError, Incoming};
use crate::audit::{AuditLog, Entry, Event, Outcome};
use crate::clock::Timestamp;
use crate::config::{HttpConfig, Origins, TokenDelivery};

/// How long a browser may keep a preflight's answer. Chromium caps it at two hours.
const PREFLIGHT_LIFETIME: Duration = Duration::from_secs(7_200);

/// Answers preflights and marks answers for the configured origins.
///
/// A page that may call may send any header: libraries for tracing add theirs to every request (`traceparent`, `baggage`,
/// `sentry-trace`, `x-datadog-…`). What is asked for is repeated, as `*` would not cover `Authorization` ("CORS non-wildcard
/// request-header name", Fetch Standard).
pub(super) fn cors(config: &HttpConfig) -> CorsLayer {
    let origins = match config.origins.clone() {
        Origins::Any => AllowOrigin::any(),
        origins @ Origins::Listed(_) => AllowOrigin::predicate(move |origin, _| origins.contains(origin)),
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_credentials(config.delivery == TokenDelivery::Cookie)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
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
    if config.delivery == TokenDelivery::Body || is_same_site(&request.headers, &config.origins) {
        return Ok(());
    }
    audit.record(
        Entry::new(Event::CrossSiteRefused, Outcome::Failure, &request.client, now).because("cross_site"),
    );
    Err(ApiError::Forbidden("The request comes from another site."))
}

/// Whether a body may be JSON without saying so. With cookie delivery it may not: a page of any site can send it without a
/// preflight, and the browser adds the cookie. With body delivery a page of an origin that is not listed still may not: it cannot
/// read the answer, but could have every visitor try passwords.
pub(super) fn may_leave_out_the_type(headers: &HeaderMap, config: &HttpConfig) -> bool {
    let by_foreign_page = || headers.contains_key(header::ORIGIN) && !is_same_site(headers, &config.origins);
    config.delivery == TokenDelivery::Body && !by_foreign_page()
}

fn is_same_site(headers: &HeaderMap, origins: &Origins) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes).unwrap_or_default();
    match headers.get(header::ORIGIN) {
        Some(origin) => origins.contains(origin) || site == b"same-origin",
        None => site == b"same-origin" || site == b"same-site",
    }
}
