//! The policies of `template.yaml`, as IAM would hold them against a request to the table.

use std::collections::{BTreeMap, BTreeSet};

use local::template::yaml;
use serde_json::{Value, json};

use crate::agreement::{FUNCTIONS, TEMPLATE};

/// The name that a local run gives the template's one table.
pub(crate) const TABLE: &str = "latchkey-Table";

/// The operations of a transaction's members and the action that each of them needs ("Using IAM with transactions"). Any other
/// operation is the action of its own name.
const MEMBERS: [(&str, &str); 5] = [
    ("Put", "PutItem"),
    ("Update", "UpdateItem"),
    ("Delete", "DeleteItem"),
    ("ConditionCheck", "ConditionCheckItem"),
    ("Get", "GetItem"),
];

/// An action and the pattern of partition keys that it is for.
pub(crate) type Grant = (String, String);

/// What each function may do to the table, by package.
pub(crate) struct Policies(BTreeMap<&'static str, Vec<Statement>>);

/// What one statement allows, on the table and nothing else.
struct Statement {
    actions: Vec<String>,
    /// The values of `dynamodb:LeadingKeys`.
    keys: Vec<String>,
}

/// An action that a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) action: String,
    pub(crate) table: String,
    /// The partition keys that the request names.
    pub(crate) keys: Vec<String>,
}

impl Policies {
    /// Those of the template, deployed with `Renewal=rotate` or without.
    pub(crate) fn of_template(rotates: bool) -> Self {
        let template = yaml::parse(TEMPLATE).expect("YAML");
        let statements = |id| statements(&template["Resources"][id]["Properties"]["Policies"], rotates);
        Self(FUNCTIONS.iter().map(|(package, id)| (*package, statements(id))).collect())
    }

    /// All that one function may do.
    pub(crate) fn of(&self, package: &str) -> BTreeSet<Grant> {
        let pairs = |statement: &Statement| {
            let keys = statement.keys.clone();
            statement
                .actions
                .clone()
                .into_iter()
                .flat_map(move |action| keys.clone().into_iter().map(move |key| (action.clone(), key)))
        };
        self.0[package].iter().flat_map(pairs).collect()
    }

    /// The first that a request needs and `role` may not do.
    pub(crate) fn refuse<'n>(&self, role: &str, needs: &'n [Need]) -> Option<&'n Need> {
        let statements = &self.0[role];
        needs.iter().find(|need| need.table != TABLE || !statements.iter().any(|one| one.allows(need)))
    }
}

impl Statement {
    /// `ForAllValues`: each key matches a pattern, and if there is no key the condition holds.
    fn allows(&self, need: &Need) -> bool {
        let matched = |key: &String| self.keys.iter().any(|pattern| is_like(pattern, key));
        self.actions.contains(&need.action) && need.keys.iter().all(matched)
    }
}

impl Need {
    /// The action, with the pattern that is to allow each of its keys and nothing else: all items of one kind.
    pub(crate) fn grants(&self) -> impl Iterator<Item = Grant> + '_ {
        self.keys.iter().map(|key| (self.action.clone(), kind(key)))
    }
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} in {}", self.action, self.keys.join(", "), self.table)
    }
}

/// `USER#<id>` is one of `USER#*`. What is limited has kinds of its own.
fn kind(key: &str) -> String {
    let parts: Vec<&str> = key.split('#').collect();
    let named = if parts[0] == "LIMIT" { 2 } else { 1 };
    format!("{}#*", parts[..named.min(parts.len())].join("#"))
}

/// IAM's `StringLike`: `*` stands for any number of characters, `?` for one, and case counts.
pub(crate) fn is_like(pattern: &str, text: &str) -> bool {
    let (mut wanted, mut left) = (pattern.chars(), text.chars());
    match (wanted.next(), left.next()) {
        (Some('*'), None) => is_like(wanted.as_str(), ""),
        (Some('*'), Some(_)) => is_like(wanted.as_str(), text) || is_like(pattern, left.as_str()),
        (Some(wants), Some(has)) => (wants == '?' || wants == has) && is_like(wanted.as_str(), left.as_str()),
        (wants, has) => wants == has,
    }
}

/// The statements of a function. Whatever is written otherwise than all others are fails.
fn statements(policies: &Value, rotates: bool) -> Vec<Statement> {
    let policies = policies.as_array().map(Vec::as_slice).unwrap_or_default();
    let statements = policies.iter().flat_map(|policy| policy["Statement"].as_array().expect("statements"));
    statements.map(|statement| read(statement, rotates)).collect()
}

fn read(statement: &Value, rotates: bool) -> Statement {
    let actions = match &statement["Action"]["Fn::If"] {
        Value::Null => &statement["Action"],
        choice => {
            assert_eq!(choice[0], "Rotates");
            &choice[if rotates { 1 } else { 2 }]
        }
    };
    let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
    let whole = json!({
        "Effect": "Allow",
        "Action": statement["Action"],
        // One table: the stack's own, or the one that was restored in its place.
        "Resource": {"Fn::If": [
            "HasRestoredTable",
            {"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${RestoredTableName}"},
            {"Fn::GetAtt": ["Table", "Arn"]},
        ]},
        "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}},
    });
    assert_eq!(*statement, whole);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let list = |value: &Value| value.as_array().expect("a list").iter().map(text).collect::<Vec<_>>();
    let action =
        |action: String| action.strip_prefix("dynamodb:").expect("an action on the table").to_owned();
    Statement { actions: list(actions).into_iter().map(action).collect(), keys: list(keys) }
}

/// What a request needs. Whether IAM is asked once for all members of a transaction that need the same action, or for each, AWS
/// does not say: here it is once, and a policy that passes would pass the other way as well.
pub(crate) fn needs(operation: &str, body: &[u8]) -> Vec<Need> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(tables) = body["RequestItems"].as_object() {
        return tables.iter().map(|(table, request)| batch(operation, table, request)).collect();
    }
    let Some(members) = body["TransactItems"].as_array() else {
        return vec![need(operation, &body)];
    };
    let mut needs: Vec<Need> = Vec::new();
    for member in members {
        let (name, action) = MEMBERS.iter().find(|(name, _)| !member[name].is_null()).expect("an operation");
        let next = need(action, &member[name]);
        match needs.iter_mut().find(|need| need.action == next.action && need.table == next.table) {
            Some(need) => need.keys.extend(next.keys),
            None => needs.push(next),
        }
    }
    needs
}

/// The keys that a batch reads from one table, or deletes there.
fn batch(operation: &str, table: &str, request: &Value) -> Need {
    let reads = request["Keys"].as_array().into_iter().flatten();
    let deletions = request.as_array().into_iter().flatten().map(|one| &one["DeleteRequest"]["Key"]);
    let keys = reads.chain(deletions).map(|key| key["pk"]["S"].as_str().unwrap_or_default().to_owned());
    Need { action: operation.to_owned(), table: table.to_owned(), keys: keys.collect() }
}

fn need(action: &str, request: &Value) -> Need {
    let table = request["TableName"].as_str().unwrap_or_default().to_owned();
    let named = [&request["Key"], &request["Item"]].map(|item| item["pk"]["S"].as_str());
    let keys = match action {
        "Query" => vec![queried(request)],
        _ => named.into_iter().flatten().map(str::to_owned).collect(),
    };
    Need { action: action.to_owned(), table, keys }
}

/// The partition key of a query, which always has one; nothing, which no policy allows, if it is written otherwise than ours.
fn queried(request: &Value) -> String {
    let condition = request["KeyConditionExpression"].as_str().unwrap_or_default();
    let value = condition.split(" AND ").find_map(|term| term.strip_prefix("pk = "));
    let value = value.and_then(|name| request["ExpressionAttributeValues"][name]["S"].as_str());
    value.unwrap_or_default().to_owned()
}

/// The body of DynamoDB's refusal.
pub(crate) fn refusal(role: &str, need: &Need) -> String {
    let (action, table) = (&need.action, &need.table);
    let message = format!(
        "User: arn:aws:sts::123456789012:assumed-role/{role}/{role} is not authorized to perform: dynamodb:{action} on \
         resource: arn:aws:dynamodb:us-east-1:123456789012:table/{table} because no identity-based policy allows the \
         dynamodb:{action} action"
    );
    serde_json::json!({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": message})
        .to_string()
}
