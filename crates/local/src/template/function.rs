//! `AWS::Serverless::Function`: what runs, with which settings, and on which routes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::node::Node;
use super::scope::{Scope, fields};
use super::{Fault, Surroundings, dynamic_reference};

/// A function of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The folder, package and binary that this is, such as `well-known`.
    pub package: String,
    /// The ARN that authorizers refer to.
    pub arn: String,
    /// How long an invocation may take; Lambda's own default is three seconds.
    pub timeout: Duration,
    /// Memory in MiB; 128 unless the template says more.
    pub memory_mib: u64,
    /// The settings, after the overrides of the process's environment.
    pub environment: BTreeMap<String, String>,
}

/// A route as an event of a function states it.
pub(super) struct Event {
    /// The logical id of the API, where the event names one.
    pub(super) api: Option<String>,
    pub(super) http: bool,
    pub(super) method: String,
    pub(super) path: String,
    /// `NONE`, or the name of an authorizer; absent is the API's default.
    pub(super) authorizer: Option<String>,
}

/// Reads the function `id`, and the routes that it is called on.
pub(super) fn read(
    scope: &Scope<'_>,
    id: &str,
    resource: &Value,
    surroundings: &Surroundings<'_>,
) -> Result<(Function, Vec<Event>), Fault> {
    let place = format!("Resources.{id}.Properties");
    let merged = merge(
        scope.document.get("Globals").and_then(|globals| globals.get("Function")),
        resource.get("Properties").unwrap_or(&Value::Null),
    );
    let properties = Node::new(scope, &merged, &place)?.ok_or_else(|| Fault::new(&place, "is missing"))?;
    let timeout = properties.field("Timeout")?.map_or(Ok(3), |node| node.integer())?;
    let memory = properties.field("MemorySize")?.map_or(Ok(128), |node| node.integer())?;
    let function = Function {
        package: package(scope, id, resource)?,
        arn: scope.function_arn(id),
        timeout: Duration::from_secs(timeout),
        memory_mib: memory,
        environment: environment(&properties, surroundings)?,
    };
    Ok((function, events(&properties)?))
}

/// The function's package: what cargo-lambda is told to build, or else the words of the logical id
/// (`WellKnownFunction` is `well-known`).
fn package(scope: &Scope<'_>, id: &str, resource: &Value) -> Result<String, Fault> {
    let place = format!("Resources.{id}.Metadata");
    if let Some(metadata) = resource.get("Metadata")
        && let Some(metadata) = Node::new(scope, metadata, &place)?
        && let Some(build) = metadata.field("BuildProperties")?
        && let Some(binary) = build.field("Binary")?
    {
        return binary.text();
    }
    let mut words = String::new();
    for letter in id.strip_suffix("Function").unwrap_or(id).chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.push(letter.to_ascii_lowercase());
    }
    Ok(words)
}

fn environment(
    properties: &Node<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut settings = BTreeMap::new();
    let Some(variables) =
        properties.field("Environment")?.map(|node| node.field("Variables")).transpose()?.flatten()
    else {
        return Ok(settings);
    };
    for name in variables.names()? {
        // An overridden setting is not evaluated: it may be one that only exists in the cloud.
        let value = match (surroundings.lookup)(&name) {
            Some(given) => given,
            None => match variables.field(&name)? {
                Some(node) => dynamic_reference::resolve(&node.text()?, surroundings.secrets)
                    .map_err(|what| node.fault(what))?,
                None => continue,
            },
        };
        settings.insert(name, value);
    }
    Ok(settings)
}

fn events(properties: &Node<'_>) -> Result<Vec<Event>, Fault> {
    let mut routes = Vec::new();
    let Some(events) = properties.field("Events")? else { return Ok(routes) };
    for (_, event) in events.entries()? {
        let http = match event.required("Type")?.text()?.as_str() {
            "Api" => false,
            "HttpApi" => true,
            // A schedule or a queue has no part in a local run.
            _ => continue,
        };
        routes.push(route(&event, http)?);
    }
    Ok(routes)
}

fn route(event: &Node<'_>, http: bool) -> Result<Event, Fault> {
    let Some(properties) = event.field("Properties")? else {
        // An HTTP API event without properties is the catch-all route.
        return if http { Ok(Event::catch_all()) } else { Err(event.fault("has no Properties")) };
    };
    let api =
        properties.field(if http { "ApiId" } else { "RestApiId" })?.map(|node| node.text()).transpose()?;
    let authorizer = match properties.field("Auth")? {
        Some(auth) => auth.field("Authorizer")?.map(|node| node.text()).transpose()?,
        None => None,
    };
    let path = if http { properties.field("Path")? } else { Some(properties.required("Path")?) };
    let Some(path) = path else { return Ok(Event { api, authorizer, ..Event::catch_all() }) };
    let method = properties.field("Method")?.map_or(Ok("ANY".to_owned()), |node| node.text())?;
    let method = if method == "*" { "ANY".to_owned() } else { method.to_ascii_uppercase() };
    let text = path.text()?;
    if !text.starts_with('/') && text != "$default" {
        return Err(path.fault("must start with a slash"));
    }
    Ok(Event { api, http, method, path: text, authorizer })
}

impl Event {
    fn catch_all() -> Self {
        Self {
            api: None,
            http: true,
            method: "ANY".to_owned(),
            path: "$default".to_owned(),
            authorizer: None,
        }
    }
}

/// `Globals` under a resource's own properties: maps are merged, lists are joined, everything else is the resource's.
/// Source: "Globals section of the AWS SAM template", overridable globals.
pub(super) fn merge(global: Option<&Value>, own: &Value) -> Value {
    match (global, own) {
        (Some(Value::Object(global)), Value::Object(own))
            if !is_expression(own) && !is_expression(global) =>
        {
            let mut merged = global.clone();
            for (name, value) in own {
                merged.insert(name.clone(), merge(global.get(name), value));
            }
            Value::Object(merged)
        }
        (Some(Value::Array(global)), Value::Array(own)) => global.iter().chain(own).cloned().collect(),
        (Some(global), Value::Null) => global.clone(),
        _ => own.clone(),
    }
}

fn is_expression(fields: &serde_json::Map<String, Value>) -> bool {
    fields.len() == 1 && fields.keys().all(|name| name == "Ref" || name.starts_with("Fn::"))
}

/// The parameters that a setting's override stands for: a function that declares `RESPONSE_FORMAT: !Ref ResponseFormat`
/// ties the two together, and whatever else the template derives from the parameter has to follow.
pub(super) fn overridden_parameters(
    document: &Value,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> BTreeMap<String, String> {
    let globals = document.get("Globals").and_then(|globals| globals.get("Function"));
    let own = fields(document, "Resources").filter_map(|(_, resource)| resource.get("Properties"));
    let declared =
        globals.into_iter().chain(own).filter_map(|function| function.get("Environment")?.get("Variables"));
    let mut given = BTreeMap::new();
    for (name, value) in declared.filter_map(Value::as_object).flatten() {
        if let Some(parameter) = value.get("Ref").and_then(Value::as_str)
            && let Some(definition) = document.get("Parameters").and_then(|all| all.get(parameter))
            && let Some(value) = lookup(name)
            && allowed(definition, &value)
        {
            given.insert(parameter.to_owned(), value);
        }
    }
    given
}

/// A value that the parameter does not allow is left to the function, which refuses it by the setting's name.
fn allowed(definition: &Value, value: &str) -> bool {
    match definition.get("AllowedValues").and_then(Value::as_array) {
        Some(values) => {
            values.iter().any(|allowed| super::scope::scalar_text(allowed).as_deref() == Some(value))
        }
        None => true,
    }
}
