//! Renewed tokens become headers of the answer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, PRAGMA, SET_COOKIE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use lambda_http::Request;
use tower_layer::Layer;
use tower_service::Service;

use crate::context::AuthorizerContext;

const NEW_TOKEN: HeaderName = HeaderName::from_static("x-new-token");
const NEW_ACCESS_TOKEN: HeaderName = HeaderName::from_static("x-new-access-token");
const NEW_REFRESH_TOKEN: HeaderName = HeaderName::from_static("x-new-refresh-token");

/// Says, as an extension of an answer, that the function has ended the session: its renewed tokens are worth nothing, and are
/// not handed over.
#[derive(Clone, Copy, Debug)]
pub struct SessionEnded;

/// Adds [`Renewal`] to a service.
#[derive(Clone, Copy, Debug, Default)]
pub struct RenewalLayer;

impl<S> Layer<S> for RenewalLayer {
    type Service = Renewal<S>;

    fn layer(&self, inner: S) -> Renewal<S> {
        Renewal { inner }
    }
}

/// A service whose answers carry the tokens that the authorizer has renewed for their request.
#[derive(Clone, Debug)]
pub struct Renewal<S> {
    inner: S,
}

impl<S, B> Service<Request> for Renewal<S>
where
    S: Service<Request, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let renewed = Renewed::of(&request);
        let answer = self.inner.call(request);
        let Some(renewed) = renewed else { return Box::pin(answer) };
        Box::pin(async move {
            let mut answer = answer.await?;
            if answer.extensions().get::<SessionEnded>().is_none() {
                renewed.write(answer.headers_mut());
            }
            Ok(answer)
        })
    }
}

/// What the authorizer renewed.
struct Renewed {
    access_token: HeaderValue,
    refresh_token: Option<HeaderValue>,
    refresh_cookie: Option<HeaderValue>,
}

impl Renewed {
    /// `None` if it renewed nothing. Both refresh tokens come with an access token only.
    fn of(request: &Request) -> Option<Self> {
        let context = AuthorizerContext::of(request)?;
        let header = |name| {
            let mut value = HeaderValue::from_str(context.text(name)?).ok()?;
            value.set_sensitive(true);
            Some(value)
        };
        Some(Self {
            access_token: header("newAccessToken")?,
            refresh_token: header("newRefreshToken"),
            refresh_cookie: header("newRefreshCookie"),
        })
    }

    fn write(self, headers: &mut HeaderMap) {
        headers.insert(NEW_TOKEN, self.access_token.clone());
        headers.insert(NEW_ACCESS_TOKEN, self.access_token);
        if let Some(token) = self.refresh_token {
            headers.insert(NEW_REFRESH_TOKEN, token);
        }
        if let Some(cookie) = self.refresh_cookie {
            headers.append(SET_COOKIE, cookie);
        }
        // RFC 6749 §5.1, whatever the function says about its own part of the answer.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        expose(headers);
    }
}

/// A script of another origin reads only the headers that are exposed to it (Fetch Standard, "CORS-exposed header name").
fn expose(headers: &mut HeaderMap) {
    if !headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    let listed = headers.get_all(ACCESS_CONTROL_EXPOSE_HEADERS).iter();
    let listed: Vec<_> =
        listed.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).collect();
    let names = [NEW_TOKEN, NEW_ACCESS_TOKEN, NEW_REFRESH_TOKEN];
    let missing =
        |name: &HeaderName| !listed.iter().any(|listed| listed.trim().eq_ignore_ascii_case(name.as_str()));
    let missing: Vec<String> = names.into_iter().filter(missing).map(|name| name.to_string()).collect();
    if let Ok(missing) = HeaderValue::from_str(&missing.join(", "))
        && !missing.is_empty()
    {
        headers.append(ACCESS_CONTROL_EXPOSE_HEADERS, missing);
    }
}
