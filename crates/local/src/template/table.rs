//! `AWS::DynamoDB::Table`: the keys and the time to live of a table.

use serde_json::Value;

use super::Fault;
use super::node::Node;
use super::scope::Scope;

/// A table of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The attributes of the key, the partition key first.
    pub key: Vec<KeyAttribute>,
    /// The attribute that holds the time to live, in epoch seconds.
    pub time_to_live: Option<String>,
}

/// One attribute of a table's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAttribute {
    /// The attribute's name.
    pub name: String,
    /// `HASH` or `RANGE`.
    pub role: String,
    /// `S`, `N` or `B`.
    pub kind: String,
}

/// Reads the table `id`.
pub(super) fn read(scope: &Scope<'_>, id: &str, resource: &Value) -> Result<Table, Fault> {
    let place = format!("Resources.{id}.Properties");
    let properties = Node::new(scope, resource.get("Properties").unwrap_or(&Value::Null), &place)?
        .ok_or_else(|| Fault::new(&place, "is missing"))?;
    let name = scope.reference(id, &place)?.and_then(|name| name.as_str().map(str::to_owned));
    let types = types(&properties)?;
    let mut key = Vec::new();
    for element in properties.required("KeySchema")?.list()? {
        let attribute = element.required("AttributeName")?;
        let name = attribute.text()?;
        let kind = types.iter().find(|(declared, _)| *declared == name).map(|(_, kind)| kind.clone());
        let kind = kind.ok_or_else(|| attribute.fault("has no entry in AttributeDefinitions"))?;
        key.push(KeyAttribute { name, role: element.required("KeyType")?.text()?, kind });
    }
    let time_to_live = match properties.field("TimeToLiveSpecification")? {
        Some(node) if node.required("Enabled")?.flag()? => Some(node.required("AttributeName")?.text()?),
        _ => None,
    };
    Ok(Table { name: name.unwrap_or_default(), key, time_to_live })
}

fn types(properties: &Node<'_>) -> Result<Vec<(String, String)>, Fault> {
    let mut types = Vec::new();
    for definition in properties.required("AttributeDefinitions")?.list()? {
        types.push((
            definition.required("AttributeName")?.text()?,
            definition.required("AttributeType")?.text()?,
        ));
    }
    Ok(types)
}
