//! The names that a template's expressions may use: parameters, mappings, resources, pseudo parameters.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::Value;

use super::Fault;

/// The account that every local ARN names.
pub const ACCOUNT: &str = "123456789012";
/// The region that every local ARN names.
pub const REGION: &str = "us-east-1";

/// A template and the values of its parameters.
pub(super) struct Scope<'t> {
    pub(super) document: &'t Value,
    stack: &'t str,
    imports: &'t BTreeMap<String, String>,
    parameters: BTreeMap<String, Value>,
    /// How many expressions are being evaluated inside one another: a condition or a name that refers to itself never
    /// comes to an end.
    pub(super) depth: Cell<usize>,
}

impl<'t> Scope<'t> {
    /// The scope of `document`, deployed as `stack`, its parameters at their defaults except for those that `given` has.
    /// `imports` is what other stacks export.
    ///
    /// # Errors
    /// A [`Fault`] if a parameter is not declared as CloudFormation wants it.
    pub(super) fn new(
        document: &'t Value,
        stack: &'t str,
        imports: &'t BTreeMap<String, String>,
        given: &BTreeMap<String, String>,
    ) -> Result<Self, Fault> {
        let mut parameters = BTreeMap::new();
        for (name, declared) in fields(document, "Parameters") {
            let place = format!("Parameters.{name}");
            let kind = declared.get("Type").and_then(Value::as_str);
            let kind = kind.ok_or_else(|| Fault::new(&place, "has no Type"))?;
            let value = match (given.get(name), declared.get("Default")) {
                (Some(given), _) => given.clone(),
                (None, Some(default)) => scalar_text(default)
                    .ok_or_else(|| Fault::new(format!("{place}.Default"), "is not a scalar"))?,
                // Only an expression that uses it misses it.
                (None, None) => continue,
            };
            parameters.insert(name.clone(), typed(kind, value));
        }
        Ok(Self { document, stack, imports, parameters, depth: Cell::new(0) })
    }

    /// The value of `!Ref name`; `None` is `AWS::NoValue`.
    pub(super) fn reference(&self, name: &str, place: &str) -> Result<Option<Value>, Fault> {
        let pseudo = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::Region" => Some(REGION.to_owned()),
            "AWS::AccountId" => Some(ACCOUNT.to_owned()),
            "AWS::StackName" => Some(self.stack.to_owned()),
            "AWS::StackId" => Some(arn("cloudformation", &format!("stack/{}/local", self.stack))),
            "AWS::Partition" => Some("aws".to_owned()),
            "AWS::URLSuffix" => Some("amazonaws.com".to_owned()),
            _ => None,
        };
        if let Some(value) = pseudo.map(Value::from).or_else(|| self.parameters.get(name).cloned()) {
            return Ok(Some(value));
        }
        if fields(self.document, "Parameters").any(|(parameter, _)| parameter == name) {
            return Err(Fault::new(place, format!("the parameter {name} has no Default")));
        }
        self.physical_id(name, place).map(|id| Some(Value::from(id)))
    }

    /// The value of `!GetAtt resource.attribute`.
    pub(super) fn attribute(&self, resource: &str, attribute: &str, place: &str) -> Result<Value, Fault> {
        let id = self.physical_id(resource, place)?;
        Ok(Value::from(match (self.kind(resource), attribute) {
            ("AWS::Serverless::Function" | "AWS::Lambda::Function", "Arn") => self.function_arn(resource),
            ("AWS::DynamoDB::Table", "Arn") => arn("dynamodb", &format!("table/{id}")),
            ("AWS::Serverless::HttpApi" | "AWS::ApiGatewayV2::Api", "ApiEndpoint") => {
                format!("https://{id}.execute-api.{REGION}.amazonaws.com")
            }
            // Nothing that runs locally reads any other attribute; a stable name is enough.
            (_, "Arn") => arn("local", &id),
            (_, other) => format!("{id}.{other}"),
        }))
    }

    /// The entry of a mapping, as `Fn::FindInMap` finds it.
    pub(super) fn mapped(&self, map: &str, top: &str, second: &str, place: &str) -> Result<&'t Value, Fault> {
        self.document
            .get("Mappings")
            .and_then(|mappings| mappings.get(map)?.get(top)?.get(second))
            .ok_or_else(|| Fault::new(place, format!("Mappings.{map}.{top}.{second} is not there")))
    }

    fn physical_id(&self, name: &str, place: &str) -> Result<String, Fault> {
        let resource = self.document.get("Resources").and_then(|resources| resources.get(name));
        // `ServerlessRestApi` and `ServerlessHttpApi` are made by SAM for events that name no API.
        let implicit = matches!(name, "ServerlessRestApi" | "ServerlessHttpApi");
        if resource.is_none() && !implicit {
            return Err(Fault::new(place, format!("there is no parameter or resource {name}")));
        }
        let table_name = resource.and_then(|resource| resource.get("Properties")?.get("TableName"));
        if let ("AWS::DynamoDB::Table", Some(raw)) = (self.kind(name), table_name)
            && let Some(given) = self.evaluate(raw, &format!("Resources.{name}.Properties.TableName"))?
        {
            return scalar_text(&given)
                .ok_or_else(|| Fault::new(place, format!("{name} has no usable TableName")));
        }
        Ok(match self.kind(name) {
            "AWS::SecretsManager::Secret" => arn("secretsmanager", &format!("secret:{name}")),
            "AWS::Serverless::Api" | "AWS::Serverless::HttpApi" | "AWS::Serverless::WebSocketApi" => {
                name.to_ascii_lowercase()
            }
            _ => format!("{}-{name}", self.stack),
        })
    }

    /// The value that another stack exports as `name`.
    pub(super) fn import(&self, name: &str, place: &str) -> Result<Value, Fault> {
        let exported = self.imports.get(name).cloned();
        exported.map(Value::from).ok_or_else(|| {
            Fault::new(place, format!("imports {name} from another stack, which is not there locally"))
        })
    }

    /// Whether another stack exports this value.
    pub(super) fn is_imported(&self, value: &str) -> bool {
        self.imports.values().any(|exported| exported == value)
    }

    /// The ARN of the function with this logical id.
    pub(super) fn function_arn(&self, logical_id: &str) -> String {
        arn("lambda", &format!("function:{}-{logical_id}", self.stack))
    }

    fn kind(&self, resource: &str) -> &'t str {
        let declared =
            self.document.get("Resources").and_then(|resources| resources.get(resource)?.get("Type"));
        declared.and_then(Value::as_str).unwrap_or_default()
    }
}

fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}

/// The fields of one of the template's sections; none if it is not there.
pub(super) fn fields<'t>(
    document: &'t Value,
    section: &str,
) -> impl Iterator<Item = (&'t String, &'t Value)> {
    document.get(section).and_then(Value::as_object).into_iter().flatten()
}

/// A scalar as CloudFormation writes it where it wants a string.
pub(super) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A parameter of a list type is a list wherever it is referred to.
fn typed(kind: &str, value: String) -> Value {
    if kind == "CommaDelimitedList" || kind.starts_with("List<") {
        return value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect();
    }
    Value::from(value)
}
