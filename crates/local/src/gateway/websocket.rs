//! A WebSocket API at `$connect`: whether the upgrade is granted, and to whom.
//!
//! Sources: "Manage connected users and client apps: `$connect` and `$disconnect` routes" and "Create a Lambda REQUEST
//! authorizer function" (for WebSocket APIs) in the API Gateway Developer Guide.

use axum::body::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::authorizer::{Principal, authorize};
use super::exchange::{ClientRequest, Exchange};
use super::refusal::Refusal;
use super::rest_event::{authorizer_context, query_maps, spelling, text_map};
use super::route::Matched;
use super::{Gateway, reply};
use crate::api::Api;
use crate::template::{ACCOUNT, REGION};

/// A connection that `$connect` has granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// The subprotocol that the function chose, among those that the client offers.
    pub protocol: Option<String>,
    request_id: String,
}

impl Connection {
    /// The answer to a message that no route takes, in API Gateway's words.
    pub fn forbidden(&self) -> String {
        json!({"message": "Forbidden", "connectionId": self.id, "requestId": self.request_id}).to_string()
    }
}

impl Gateway {
    /// Whether this is a WebSocket API, which is connected to and not called.
    pub fn is_websocket(&self) -> bool {
        self.api.kind == crate::api::ApiKind::WebSocket
    }

    /// Asks the authorizer and the function of `$connect`.
    ///
    /// # Errors
    /// What the client is answered instead of 101: 401 or 403 if it may not connect ("the client will receive a `401` or
    /// `403` response"), the function's own status if that is no success, or 5xx.
    pub async fn connect(&self, client: ClientRequest) -> Result<Connection, Box<Response<Bytes>>> {
        let path = client.uri.path().to_owned();
        let exchange = Exchange::new(client, &path, &self.source);
        self.granted(&exchange).await.map_err(|status| Box::new(refused(&exchange, status)))
    }

    async fn granted(&self, exchange: &Exchange) -> Result<Connection, StatusCode> {
        let route = self.api.routes.first().ok_or(StatusCode::FORBIDDEN)?;
        let matched = Matched { route, parameters: std::collections::BTreeMap::new() };
        let principal = match &route.authorizer {
            Some(name) => {
                let allowed = authorize(self, exchange, &matched, name).await;
                Some(allowed.map_err(Refusal::handshake_status)?)
            }
            None => None,
        };
        let event = function_event(&self.api, exchange, principal.as_ref());
        let output = self.invoke(&route.function, &event, exchange).await;
        let output = output.map_err(Refusal::handshake_status)?;
        let status = output.get("statusCode").and_then(Value::as_u64).unwrap_or(200);
        match u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok()) {
            Some(status) if status.is_success() => Ok(Connection {
                id: connection_id(exchange),
                protocol: chosen_protocol(&output),
                request_id: exchange.extended_request_id.clone(),
            }),
            Some(status) => Err(status),
            None => Err(StatusCode::BAD_GATEWAY),
        }
    }
}

fn refused(exchange: &Exchange, status: StatusCode) -> Response<Bytes> {
    let message = match status {
        StatusCode::UNAUTHORIZED => "Unauthorized",
        status if status.is_server_error() => "Internal server error",
        _ => "Forbidden",
    };
    let body = json!({
        "message": message,
        "connectionId": connection_id(exchange),
        "requestId": exchange.extended_request_id,
    });
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    reply(status, headers, Bytes::from(body.to_string()))
}

/// The function of `$connect` names it in a header of its answer ("Set up a `$connect` route that requires a WebSocket
/// subprotocol").
fn chosen_protocol(output: &Value) -> Option<String> {
    let headers = output.get("headers")?.as_object()?;
    let named = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"));
    named.and_then(|(_, value)| value.as_str()).map(str::to_owned)
}

/// The ARN that an authorizer's policy must allow: "it has no HTTP method".
pub(super) fn route_arn(api: &Api) -> String {
    format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{}/{}/$connect", api.id, api.stage)
}

/// The event of a `REQUEST` authorizer.
pub(super) fn request_event(api: &Api, exchange: &Exchange) -> Value {
    let mut event = parts(api, exchange);
    event.insert("type".to_owned(), Value::from("REQUEST"));
    event.insert("methodArn".to_owned(), Value::from(route_arn(api)));
    Value::Object(event)
}

/// The event of the function of `$connect`.
fn function_event(api: &Api, exchange: &Exchange, principal: Option<&Principal>) -> Value {
    let mut event = parts(api, exchange);
    if let (Some(principal), Some(Value::Object(context))) = (principal, event.get_mut("requestContext")) {
        context.insert("authorizer".to_owned(), authorizer_context(principal));
    }
    event.insert("isBase64Encoded".to_owned(), Value::Bool(false));
    Value::Object(event)
}

fn parts(api: &Api, exchange: &Exchange) -> Map<String, Value> {
    let headers = exchange.headers().into_iter().map(|(name, values)| (spelling(&name), values));
    let headers: Vec<_> = headers.collect();
    let last = |values: &[String]| Value::from(values.last().cloned());
    let mut event = Map::new();
    event.insert(
        "headers".to_owned(),
        headers.iter().map(|(name, values)| (name.clone(), last(values))).collect(),
    );
    event.insert(
        "multiValueHeaders".to_owned(),
        headers.iter().map(|(name, values)| (name.clone(), Value::from(values.clone()))).collect(),
    );
    // Without a query, both are left out.
    let (query, all) = query_maps(exchange);
    if !query.is_empty() {
        event.insert("queryStringParameters".to_owned(), Value::Object(query));
        event.insert("multiValueQueryStringParameters".to_owned(), Value::Object(all));
    }
    if !api.stage_variables.is_empty() {
        event.insert("stageVariables".to_owned(), Value::Object(text_map(&api.stage_variables)));
    }
    event.insert("requestContext".to_owned(), request_context(api, exchange));
    event
}

/// `$context`, as `events/authorizer-websocket.json` has it.
pub(super) fn request_context(api: &Api, exchange: &Exchange) -> Value {
    json!({
        "routeKey": "$connect",
        "eventType": "CONNECT",
        "extendedRequestId": exchange.extended_request_id,
        "requestTime": exchange.time(),
        "messageDirection": "IN",
        "stage": api.stage,
        "connectedAt": exchange.epoch_ms,
        "requestTimeEpoch": exchange.epoch_ms,
        "identity": {
            "userAgent": exchange.user_agent(),
            "sourceIp": exchange.client.peer.to_string(),
        },
        "requestId": exchange.extended_request_id,
        "domainName": exchange.domain_name(),
        "connectionId": connection_id(exchange),
        "apiId": api.id,
    })
}

/// The id of the connection: like the request's, and another.
fn connection_id(exchange: &Exchange) -> String {
    exchange.extended_request_id.chars().rev().skip(1).chain(['=']).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{api, fails, gateway, request};
    use super::*;
    use crate::api::{ApiKind, Authorizer, AuthorizerPayload, IdentitySource};
    use crate::invoke::FunctionError;

    const TARGET: &str = "/?access_token=t&a=1&a=2";

    /// The authorizer and the function of `$connect` are one function here: the authorizer's event has a type.
    async fn connect(
        authorizer: Result<Value, FunctionError>,
        function: Value,
        target: &str,
    ) -> Result<Connection, u16> {
        let mut api = api(ApiKind::WebSocket, &[("GET", "$connect")]);
        api.stage = "prod".to_owned();
        let guard = Authorizer {
            function: "F".to_owned(),
            payload: AuthorizerPayload::WebSocket,
            identity: vec![IdentitySource::Query("access_token".to_owned())],
            validation: None,
            ttl: std::time::Duration::ZERO,
        };
        api.authorizers.insert("Guard".to_owned(), guard);
        api.routes[0].authorizer = Some("Guard".to_owned());
        let gateway = gateway(api, move |event| {
            if event["type"] == "REQUEST" {
                assert_eq!(
                    event["methodArn"],
                    "arn:aws:execute-api:us-east-1:123456789012:api/prod/$connect"
                );
                assert_eq!(event["queryStringParameters"], json!({"access_token": "t", "a": "2"}));
                assert_eq!(event["multiValueQueryStringParameters"]["a"], json!(["1", "2"]));
                return authorizer.clone();
            }
            assert_eq!(event["requestContext"]["authorizer"]["userId"], "u");
            assert_eq!(event["requestContext"]["eventType"], "CONNECT");
            Ok(function.clone())
        });
        gateway.connect(request("GET", target, &[])).await.map_err(|refused| refused.status().as_u16())
    }

    fn policy(effect: &str) -> Value {
        let statement = json!({"Action": "execute-api:Invoke", "Effect": effect, "Resource": "arn:aws:execute-api:*/prod/*"});
        let document = json!({"Version": "2012-10-17", "Statement": [statement]});
        json!({"principalId": "u", "policyDocument": document, "context": {"userId": "u"}})
    }

    #[tokio::test]
    async fn a_connection_needs_an_authorizer_that_allows_and_a_function_that_agrees() {
        let done = json!({"statusCode": 200});
        assert!(connect(Ok(policy("Allow")), done.clone(), TARGET).await.is_ok());
        for (authorizer, function, status) in [
            (Ok(policy("Deny")), done.clone(), 403),
            (Err(fails("Unauthorized")), done.clone(), 401),
            (Err(fails("no table")), done.clone(), 500),
            (Ok(json!({"isAuthorized": true})), done.clone(), 500),
            (Ok(policy("Allow")), json!({"statusCode": 409}), 409),
            (Ok(policy("Allow")), json!({"statusCode": "many"}), 200),
        ] {
            let outcome = connect(authorizer, function, TARGET).await.map(|_| 200);
            assert_eq!(outcome.unwrap_or_else(|status| status), status);
        }
        assert_eq!(connect(Ok(policy("Allow")), done, "/").await, Err(401), "no identity source");
    }

    #[tokio::test]
    async fn the_function_chooses_the_subprotocol() {
        let answer = json!({"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "orders"}});
        let connection = connect(Ok(policy("Allow")), answer, TARGET).await.unwrap();
        assert_eq!(connection.protocol.as_deref(), Some("orders"));
        assert!(connection.forbidden().contains(&connection.id));
    }
}
