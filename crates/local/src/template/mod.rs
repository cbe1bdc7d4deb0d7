//! A SAM template, evaluated as CloudFormation and SAM would: its functions, its API, its tables.
//!
//! # Layout
//! - [`yaml`]: text to JSON, short forms to long forms
//! - `scope`, `conditions`, `intrinsics`: what names and expressions come to
//! - `node`: reading properties, with complaints that name the place
//! - `dynamic_reference`: secrets
//! - `function`, `rest_api`, `http_api`, `websocket_api`, `table`: one resource type each

mod conditions;
mod dynamic_reference;
mod fault;
mod function;
mod http_api;
mod intrinsics;
mod node;
mod rest_api;
mod scope;
mod table;
mod websocket_api;
pub mod yaml;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::{Api, ApiKind, Route};
use node::Node;
use scope::Scope;

pub use dynamic_reference::{SecretReference, Secrets};
pub use fault::Fault;
pub use function::Function;
pub use scope::{ACCOUNT, REGION};
pub use table::{KeyAttribute, Table};

/// What a local run needs of a template.
#[derive(Clone, Debug)]
pub struct Template {
    /// The functions by their logical ids.
    pub functions: BTreeMap<String, Function>,
    /// The APIs that have routes.
    pub apis: Vec<Api>,
    /// The tables.
    pub tables: Vec<Table>,
    /// What other stacks may import, by name.
    pub exports: BTreeMap<String, String>,
    /// The parameters that were given values.
    pub given: BTreeMap<String, String>,
}

/// What a template is evaluated in.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Settings of the process's environment; each replaces the one of the same name in a function's `Environment`.
    pub lookup: &'a dyn Fn(&str) -> Option<String>,
    /// The secrets that dynamic references name.
    pub secrets: Secrets<'a>,
    /// The name of the stack.
    pub stack: &'a str,
    /// What other stacks export, by name.
    pub imports: &'a BTreeMap<String, String>,
    /// Values of parameters; those that the template does not have are left aside.
    pub parameters: &'a BTreeMap<String, String>,
}

impl Template {
    /// Evaluates the template `text`.
    ///
    /// # Errors
    /// A [`Fault`] that names the resource and the property.
    pub fn evaluate(text: &str, surroundings: &Surroundings<'_>) -> Result<Self, Fault> {
        let document = yaml::parse(text)?;
        let mut given = surroundings.parameters.clone();
        given.extend(function::overridden_parameters(&document, surroundings.lookup));
        let scope = Scope::new(&document, surroundings.stack, surroundings.imports, &given)?;
        let mut functions = BTreeMap::new();
        let mut events = Vec::new();
        let mut tables = Vec::new();
        let mut apis = Apis::default();
        for (id, kind, resource) in resources(&scope)? {
            match kind {
                "AWS::Serverless::Function" => {
                    let (read, routes) = function::read(&scope, id, resource, surroundings)?;
                    functions.insert(id.to_owned(), read);
                    events.extend(routes.into_iter().map(|event| (id.to_owned(), event)));
                }
                "AWS::Serverless::Api" => apis.add(&scope, id, false, resource.get("Properties"))?,
                "AWS::Serverless::HttpApi" => apis.add(&scope, id, true, resource.get("Properties"))?,
                "AWS::Serverless::WebSocketApi" => apis.add_websocket(&scope, id, resource)?,
                "AWS::DynamoDB::Table" => tables.push(table::read(&scope, id, resource)?),
                _ => {}
            }
        }
        for (function, event) in events {
            apis.route(&scope, function, event)?;
        }
        let apis = apis.with_routes();
        for authorizer in apis.iter().flat_map(|api| api.authorizers.values()) {
            if !functions.contains_key(&authorizer.function) && !scope.is_imported(&authorizer.function) {
                return Err(Fault::new("Resources", format!("there is no function {}", authorizer.function)));
            }
        }
        let exports = exports(&scope)?;
        Ok(Self { functions, apis, tables, exports, given })
    }

    /// The one API to play; where there is one of each kind, the preferred one.
    ///
    /// # Errors
    /// A [`Fault`] if there is none, or there are several.
    pub fn api(&self, prefer: ApiKind) -> Result<&Api, Fault> {
        let preferred = || self.apis.iter().filter(|api| api.kind == prefer).collect::<Vec<_>>();
        match self.apis.as_slice() {
            [] => Err(Fault::new("Resources", "no function has a route")),
            [api] => Ok(api),
            _ => match preferred().as_slice() {
                [api] => Ok(api),
                _ => Err(Fault::new("Resources", "several APIs have routes; a local run plays one")),
            },
        }
    }
}

/// The outputs that have an export name.
fn exports(scope: &Scope<'_>) -> Result<BTreeMap<String, String>, Fault> {
    let mut exports = BTreeMap::new();
    for (id, output) in scope::fields(scope.document, "Outputs") {
        let place = format!("Outputs.{id}");
        let exists = match output.get("Condition").and_then(Value::as_str) {
            Some(condition) => scope.condition(condition, &format!("{place}.Condition"))?,
            None => true,
        };
        if exists
            && let Some(output) = Node::new(scope, output, &place)?
            && let Some(export) = output.field("Export")?
        {
            exports.insert(export.required("Name")?.text()?, output.required("Value")?.text()?);
        }
    }
    Ok(exports)
}

/// The resources that exist: those without a condition, or whose condition holds.
fn resources<'t>(scope: &Scope<'t>) -> Result<Vec<(&'t str, &'t str, &'t Value)>, Fault> {
    let mut present = Vec::new();
    for (id, resource) in scope::fields(scope.document, "Resources") {
        let place = format!("Resources.{id}");
        let kind = resource.get("Type").and_then(Value::as_str);
        let kind = kind.ok_or_else(|| Fault::new(&place, "has no Type"))?;
        let exists = match resource.get("Condition").and_then(Value::as_str) {
            Some(condition) => scope.condition(condition, &format!("{place}.Condition"))?,
            None => true,
        };
        if exists {
            present.push((id.as_str(), kind, resource));
        }
    }
    if present.is_empty() {
        return Err(Fault::new("Resources", "is missing or empty"));
    }
    Ok(present)
}

/// The APIs of a template, each with the name of its default authorizer.
#[derive(Default)]
struct Apis(BTreeMap<String, (Api, Option<String>)>);

impl Apis {
    fn add(
        &mut self,
        scope: &Scope<'_>,
        id: &str,
        http: bool,
        properties: Option<&Value>,
    ) -> Result<(), Fault> {
        let section = if http { "HttpApi" } else { "Api" };
        let globals = scope.document.get("Globals").and_then(|globals| globals.get(section));
        let empty = Value::Object(serde_json::Map::new());
        let merged = function::merge(globals, properties.unwrap_or(&empty));
        let read =
            if http { http_api::read(scope, id, &merged)? } else { rest_api::read(scope, id, &merged)? };
        self.0.insert(read.0.id.clone(), read);
        Ok(())
    }

    fn add_websocket(&mut self, scope: &Scope<'_>, id: &str, resource: &Value) -> Result<(), Fault> {
        let api = websocket_api::read(scope, id, resource.get("Properties").unwrap_or(&Value::Null))?;
        self.0.insert(api.id.clone(), (api, None));
        Ok(())
    }

    fn route(&mut self, scope: &Scope<'_>, function: String, event: function::Event) -> Result<(), Fault> {
        let place = format!("Resources.{function}.Properties.Events: {} {}", event.method, event.path);
        // An event that names no API belongs to the one that SAM makes for such events.
        let implicit = if event.http { "ServerlessHttpApi" } else { "ServerlessRestApi" };
        let id = event.api.unwrap_or_else(|| implicit.to_ascii_lowercase());
        if id == implicit.to_ascii_lowercase() && !self.0.contains_key(&id) {
            self.add(scope, implicit, event.http, None)?;
        }
        let (api, default) =
            self.0.get_mut(&id).ok_or_else(|| Fault::new(&place, format!("there is no API {id}")))?;
        let authorizer = match event.authorizer.or_else(|| default.clone()) {
            Some(name) if name == "NONE" => None,
            Some(name) if api.authorizers.contains_key(&name) => Some(name),
            Some(name) => {
                return Err(Fault::new(place, format!("{name} is not a Lambda authorizer of the API")));
            }
            None => None,
        };
        let route = Route { method: event.method, path: event.path, function, authorizer };
        if api.routes.iter().any(|other| other.method == route.method && other.path == route.path) {
            return Err(Fault::new(place, "is declared twice"));
        }
        api.routes.push(route);
        Ok(())
    }

    fn with_routes(self) -> Vec<Api> {
        self.0.into_values().map(|(api, _)| api).filter(|api| !api.routes.is_empty()).collect()
    }
}

/// The function that an authorizer calls.
fn authorizer_function(scope: &Scope<'_>, node: &Node<'_>) -> Result<String, Fault> {
    let Some(target) = node.field("FunctionArn")? else {
        return Err(node.fault("has no FunctionArn; only Lambda authorizers run locally"));
    };
    function_of(scope, &target)
}

/// The function whose ARN `target` is: the logical id of one of this template, or the ARN of one that another stack
/// exports.
fn function_of(scope: &Scope<'_>, target: &Node<'_>) -> Result<String, Fault> {
    let arn = target.text()?;
    let mut own = scope::fields(scope.document, "Resources").map(|(id, _)| id);
    match own.find(|id| scope.function_arn(id) == arn) {
        Some(id) => Ok(id.clone()),
        None if scope.is_imported(&arn) => Ok(arn),
        None => Err(target.fault("is not a function of this template")),
    }
}

#[cfg(test)]
mod tests;
