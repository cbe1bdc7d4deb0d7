//! `AWS::Serverless::HttpApi`: an HTTP API, its authorizers and its CORS configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::node::Node;
use super::rest_api::{identity_sources, time_to_live, variables};
use super::scope::Scope;
use super::{Fault, authorizer_function};
use crate::api::{Api, ApiKind, Authorizer, AuthorizerPayload, Cors, ManagedCors};

/// Reads the API `id`, without its routes, and the name of its default authorizer.
pub(super) fn read(scope: &Scope<'_>, id: &str, properties: &Value) -> Result<(Api, Option<String>), Fault> {
    let place = format!("Resources.{id}.Properties");
    let properties = if properties.is_null() { &Value::Object(serde_json::Map::new()) } else { properties };
    let properties = Node::new(scope, properties, &place)?.ok_or_else(|| Fault::new(&place, "is missing"))?;
    let auth = properties.field("Auth")?;
    let mut authorizers = BTreeMap::new();
    let mut default_authorizer = None;
    if let Some(auth) = &auth {
        default_authorizer = auth.field("DefaultAuthorizer")?.map(|node| node.text()).transpose()?;
        for (name, node) in auth.field("Authorizers")?.map_or(Ok(Vec::new()), |node| node.entries())? {
            authorizers.insert(name, authorizer(scope, &node)?);
        }
    }
    let api = Api {
        kind: ApiKind::Http,
        id: id.to_ascii_lowercase(),
        stage: properties.field("StageName")?.map_or(Ok("$default".to_owned()), |node| node.text())?,
        stage_variables: variables(properties.field("StageVariables")?)?,
        routes: Vec::new(),
        authorizers,
        gateway_responses: BTreeMap::new(),
        binary_media_types: Vec::new(),
        cors: properties.field("CorsConfiguration")?.map(|node| cors(&node)).transpose()?.flatten(),
    };
    Ok((api, default_authorizer))
}

fn authorizer(scope: &Scope<'_>, node: &Node<'_>) -> Result<Authorizer, Fault> {
    let function = authorizer_function(scope, node)?;
    let version = node.required("AuthorizerPayloadFormatVersion")?;
    let simple = node.field("EnableSimpleResponses")?.map_or(Ok(false), |node| node.flag())?;
    let payload = match (version.text()?.as_str(), simple) {
        ("1.0" | "1", false) => AuthorizerPayload::Http1,
        ("1.0" | "1", true) => return Err(version.fault("must be 2.0 for simple responses")),
        ("2.0" | "2", false) => AuthorizerPayload::Http2Policy,
        ("2.0" | "2", true) => AuthorizerPayload::Http2Simple,
        _ => return Err(version.fault("must be 1.0 or 2.0")),
    };
    let identity = node.field("Identity")?;
    let sources = identity.as_ref().map_or(Ok(Vec::new()), identity_sources)?;
    // An HTTP API keeps nothing unless it is told to, and can only do so by an identity source ("Control access to HTTP
    // APIs with AWS Lambda authorizers").
    let ttl = time_to_live(identity.as_ref())?.unwrap_or(0);
    if sources.is_empty() && ttl > 0 {
        return Err(node.fault("needs an Identity source, or ReauthorizeEvery: 0"));
    }
    Ok(Authorizer { function, payload, identity: sources, validation: None, ttl: Duration::from_secs(ttl) })
}

fn cors(node: &Node<'_>) -> Result<Option<Cors>, Fault> {
    if node.is_scalar() {
        // `CorsConfiguration: true` allows everything, `false` nothing.
        return Ok(node.flag()?.then(|| {
            let any = vec!["*".to_owned()];
            Cors::Managed(ManagedCors {
                origins: any.clone(),
                methods: any.clone(),
                headers: any,
                ..ManagedCors::default()
            })
        }));
    }
    let list = |name: &str| node.field(name)?.map_or(Ok(Vec::new()), |node| node.texts());
    Ok(Some(Cors::Managed(ManagedCors {
        origins: list("AllowOrigins")?,
        methods: list("AllowMethods")?,
        headers: list("AllowHeaders")?,
        exposed: list("ExposeHeaders")?,
        credentials: node.field("AllowCredentials")?.map_or(Ok(false), |node| node.flag())?,
        max_age: node.field("MaxAge")?.map(|node| node.integer()).transpose()?,
    })))
}
