//! `GET /orders`: what belongs to the caller, and to nobody else.

use std::convert::Infallible;
use std::future::ready;

use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Request, Response, Service, service_fn};
use renewal::{Principal, RenewalLayer};
use serde_json::{Value, json};
use tower::Layer;

/// The function. `allowed_origin` is the page that may read its answers. The layer hands over what the authorizer has renewed.
pub fn function(
    allowed_origin: String,
) -> impl Service<Request, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send {
    RenewalLayer.layer(service_fn(move |request: Request| ready(Ok(answer(&request, &allowed_origin)))))
}

fn answer(request: &Request, origin: &str) -> Response<Body> {
    // Only a route that was left without its authorizer has no principal. It must not be an open door.
    let Ok(principal) = Principal::of(request) else {
        return response(StatusCode::UNAUTHORIZED, origin, &json!({"message": "Unauthorized"}));
    };
    let orders = orders_of(&principal.user_id);
    let body = json!({"email": principal.email, "name": principal.name, "orders": orders});
    response(StatusCode::OK, origin, &body)
}

/// Your own table, read by the user's id.
fn orders_of(user_id: &str) -> Value {
    json!([{"orderId": "1", "userId": user_id}])
}

/// A REST API passes the function's CORS headers on. An HTTP API sets its own in their place.
fn response(status: StatusCode, origin: &str, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::Text(body.to_string()));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
    ] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
