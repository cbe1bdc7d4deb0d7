//! `AWS::Serverless::Api`: a REST API, its authorizers and its gateway responses.

use std::collections::BTreeMap;
use std::time::Duration;

use regex_lite::Regex;
use serde_json::Value;

use super::node::Node;
use super::scope::Scope;
use super::{Fault, authorizer_function};
use crate::api::{Api, ApiKind, Authorizer, AuthorizerPayload, Cors, GatewayResponse, IdentitySource};

/// API Gateway keeps an authorizer's answer for five minutes unless it is told otherwise ("authorizerResultTtlInSeconds"
/// in the API Gateway V1 API Reference).
const DEFAULT_TTL_SECONDS: u64 = 300;

/// Reads the API `id`, without its routes, and the name of its default authorizer.
pub(super) fn read(scope: &Scope<'_>, id: &str, properties: &Value) -> Result<(Api, Option<String>), Fault> {
    let place = format!("Resources.{id}.Properties");
    let properties = Node::new(scope, properties, &place)?.ok_or_else(|| Fault::new(&place, "is missing"))?;
    let auth = properties.field("Auth")?;
    let (authorizers, default_authorizer) = match &auth {
        Some(auth) => (authorizers(scope, auth)?, auth.field("DefaultAuthorizer")?),
        None => (BTreeMap::new(), None),
    };
    let binary = properties.field("BinaryMediaTypes")?.map_or(Ok(Vec::new()), |node| node.texts())?;
    let api = Api {
        kind: ApiKind::Rest,
        id: id.to_ascii_lowercase(),
        // SAM's implicit API has the stage `Prod`.
        stage: properties.field("StageName")?.map_or(Ok("Prod".to_owned()), |node| node.text())?,
        stage_variables: variables(properties.field("Variables")?)?,
        routes: Vec::new(),
        authorizers,
        gateway_responses: gateway_responses(&properties)?,
        // SAM writes the slash of a media type as `~1`, as in a JSON pointer.
        binary_media_types: binary.iter().map(|kind| kind.replace("~1", "/")).collect(),
        cors: properties.field("Cors")?.map(|node| cors(&node)).transpose()?,
    };
    Ok((api, default_authorizer.map(|node| node.text()).transpose()?))
}

/// A map of strings, or nothing.
pub(super) fn variables(node: Option<Node<'_>>) -> Result<BTreeMap<String, String>, Fault> {
    let Some(node) = node else { return Ok(BTreeMap::new()) };
    node.entries()?.into_iter().map(|(name, value)| Ok((name, value.text()?))).collect()
}

fn authorizers(scope: &Scope<'_>, auth: &Node<'_>) -> Result<BTreeMap<String, Authorizer>, Fault> {
    let Some(declared) = auth.field("Authorizers")? else { return Ok(BTreeMap::new()) };
    declared.entries()?.into_iter().map(|(name, node)| Ok((name, authorizer(scope, &node)?))).collect()
}

fn authorizer(scope: &Scope<'_>, node: &Node<'_>) -> Result<Authorizer, Fault> {
    let function = authorizer_function(scope, node)?;
    let kind = node.field("FunctionPayloadType")?;
    let payload = match kind.as_ref().map(Node::text).transpose()?.as_deref() {
        None | Some("TOKEN") => AuthorizerPayload::RestToken,
        Some("REQUEST") => AuthorizerPayload::RestRequest,
        Some(_) => {
            return Err(kind.map_or_else(|| node.fault("?"), |kind| kind.fault("must be TOKEN or REQUEST")));
        }
    };
    let identity = node.field("Identity")?;
    let token = payload == AuthorizerPayload::RestToken;
    let sources = match &identity {
        Some(identity) if token => {
            vec![IdentitySource::Header(
                identity.field("Header")?.map_or(Ok("Authorization".to_owned()), |node| node.text())?,
            )]
        }
        Some(identity) => identity_sources(identity)?,
        None if token => vec![IdentitySource::Header("Authorization".to_owned())],
        None => Vec::new(),
    };
    let ttl = time_to_live(identity.as_ref())?.unwrap_or(DEFAULT_TTL_SECONDS);
    if sources.is_empty() && ttl > 0 {
        return Err(node.fault("needs an Identity source, or ReauthorizeEvery: 0"));
    }
    let validation = match &identity {
        Some(identity) if token => {
            identity.field("ValidationExpression")?.map(|node| expression(&node)).transpose()?
        }
        _ => None,
    };
    Ok(Authorizer { function, payload, identity: sources, validation, ttl: Duration::from_secs(ttl) })
}

/// API Gateway matches the whole token against the expression.
fn expression(node: &Node<'_>) -> Result<Regex, Fault> {
    Regex::new(&format!("^(?:{})$", node.text()?)).map_err(|error| node.fault(error.to_string()))
}

/// The sources of a `REQUEST` authorizer; REST and HTTP APIs name them alike in SAM.
pub(super) fn identity_sources(identity: &Node<'_>) -> Result<Vec<IdentitySource>, Fault> {
    let mut sources = Vec::new();
    let names = |property: &str| identity.field(property)?.map_or(Ok(Vec::new()), |node| node.texts());
    sources.extend(names("Headers")?.into_iter().map(IdentitySource::Header));
    sources.extend(names("QueryStrings")?.into_iter().map(IdentitySource::Query));
    sources.extend(names("StageVariables")?.into_iter().map(IdentitySource::StageVariable));
    sources.extend(names("Context")?.into_iter().map(IdentitySource::Context));
    Ok(sources)
}

/// The seconds for which an answer is kept, where the template says so.
pub(super) fn time_to_live(identity: Option<&Node<'_>>) -> Result<Option<u64>, Fault> {
    match identity {
        Some(identity) => identity.field("ReauthorizeEvery")?.map(|node| node.integer()).transpose(),
        None => Ok(None),
    }
}

fn gateway_responses(properties: &Node<'_>) -> Result<BTreeMap<String, GatewayResponse>, Fault> {
    let Some(declared) = properties.field("GatewayResponses")? else { return Ok(BTreeMap::new()) };
    declared.entries()?.into_iter().map(|(kind, node)| Ok((kind, gateway_response(&node)?))).collect()
}

fn gateway_response(node: &Node<'_>) -> Result<GatewayResponse, Fault> {
    let status = match node.field("StatusCode")? {
        Some(status) => {
            let code = u16::try_from(status.integer()?).ok().filter(|code| (200..=599).contains(code));
            Some(code.ok_or_else(|| status.fault("must be a status from 200 to 599"))?)
        }
        None => None,
    };
    let headers = match node.field("ResponseParameters")? {
        Some(parameters) => variables(parameters.field("Headers")?)?,
        None => BTreeMap::new(),
    };
    let templates = variables(node.field("ResponseTemplates")?)?;
    Ok(GatewayResponse { status, headers: headers.into_iter().collect(), templates })
}

/// SAM's `Cors` of a REST API: one origin, or a map; values are expressions in single quotes.
fn cors(node: &Node<'_>) -> Result<Cors, Fault> {
    if node.is_scalar() {
        return Ok(Cors::Mock(vec![("Access-Control-Allow-Origin".to_owned(), unquoted(&node.text()?))]));
    }
    let mut headers = Vec::new();
    for (property, header) in [
        ("AllowOrigin", "Access-Control-Allow-Origin"),
        ("AllowMethods", "Access-Control-Allow-Methods"),
        ("AllowHeaders", "Access-Control-Allow-Headers"),
        ("MaxAge", "Access-Control-Max-Age"),
        ("AllowCredentials", "Access-Control-Allow-Credentials"),
    ] {
        if let Some(value) = node.field(property)? {
            headers.push((header.to_owned(), unquoted(&value.text()?)));
        }
    }
    Ok(Cors::Mock(headers))
}

fn unquoted(text: &str) -> String {
    text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(text).to_owned()
}
