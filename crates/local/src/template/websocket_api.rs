//! `AWS::Serverless::WebSocketApi`: a WebSocket API, of which `$connect` and its authorizer run locally.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::node::Node;
use super::rest_api::variables;
use super::scope::Scope;
use super::{Fault, function_of};
use crate::api::{Api, ApiKind, Authorizer, AuthorizerPayload, IdentitySource, Route};

/// The only route that can have an authorizer ("The `$connect` route" in the API Gateway Developer Guide).
const CONNECT: &str = "$connect";

/// Reads the API `id`.
pub(super) fn read(scope: &Scope<'_>, id: &str, properties: &Value) -> Result<Api, Fault> {
    let place = format!("Resources.{id}.Properties");
    let properties = Node::new(scope, properties, &place)?.ok_or_else(|| Fault::new(&place, "is missing"))?;
    let authorizer = match properties.field("Auth")? {
        Some(auth) => authorizer(scope, &auth)?,
        None => None,
    };
    let mut routes = Vec::new();
    for (path, node) in properties.required("Routes")?.entries()? {
        if path != CONNECT {
            return Err(node.fault("only $connect runs locally"));
        }
        let function = function_of(scope, &node.required("FunctionArn")?)?;
        let authorizer = authorizer.as_ref().map(|_| id.to_owned());
        routes.push(Route { method: "GET".to_owned(), path, function, authorizer });
    }
    Ok(Api {
        kind: ApiKind::WebSocket,
        id: id.to_ascii_lowercase(),
        // SAM's name for a stage without one.
        stage: properties.field("StageName")?.map_or(Ok("default".to_owned()), |node| node.text())?,
        stage_variables: variables(properties.field("StageVariables")?)?,
        routes,
        authorizers: authorizer.into_iter().map(|authorizer| (id.to_owned(), authorizer)).collect(),
        gateway_responses: BTreeMap::new(),
        binary_media_types: Vec::new(),
        cors: None,
    })
}

fn authorizer(scope: &Scope<'_>, auth: &Node<'_>) -> Result<Option<Authorizer>, Fault> {
    let kind = auth.required("AuthType")?;
    match kind.text()?.as_str() {
        "NONE" => return Ok(None),
        "CUSTOM" => {}
        _ => return Err(kind.fault("only Lambda authorizers run locally")),
    }
    let function = function_of(scope, &auth.required("AuthArn")?)?;
    let sources = auth.field("IdentitySource")?.map_or(Ok(Vec::new()), |node| node.items())?;
    let identity = sources.iter().map(source).collect::<Result<_, _>>()?;
    // A WebSocket API asks once for a connection and keeps nothing: SAM has no property for it.
    let ttl = Duration::ZERO;
    Ok(Some(Authorizer { function, payload: AuthorizerPayload::WebSocket, identity, validation: None, ttl }))
}

/// "identitySource" in the API Gateway V2 API Reference: `route.request.header.Auth` and the like.
fn source(node: &Node<'_>) -> Result<IdentitySource, Fault> {
    let text = node.text()?;
    let after = |prefix: &str| text.strip_prefix(prefix).map(str::to_owned);
    after("route.request.header.")
        .map(IdentitySource::Header)
        .or_else(|| after("route.request.querystring.").map(IdentitySource::Query))
        .or_else(|| after("stageVariables.").map(IdentitySource::StageVariable))
        .or_else(|| after("context.").map(IdentitySource::Context))
        .ok_or_else(|| node.fault("is no source of an identity"))
}
