//! The policies of `template.yaml`, as IAM would hold them against a request to the table.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::agreement::{FUNCTIONS, resource};

/// The name that a local run gives the template's one table.
const TABLE: &str = "latchkey-Table";

/// The resource of every statement.
const RESOURCE: &str = "!If [HasRestoredTable, !Sub 'arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/\
                        ${RestoredTableName}', !GetAtt Table.Arn]";

/// The operations of a transaction's members and the action that each of them needs ("Using IAM with transactions"). Any other
/// operation is the action of its own name.
const MEMBERS: [(&str, &str); 4] = [
    ("Put", "PutItem"),
    ("Update", "UpdateItem"),
    ("Delete", "DeleteItem"),
    ("ConditionCheck", "ConditionCheckItem"),
];

/// What each function may do to the table, by package.
pub(crate) struct Policies(BTreeMap<&'static str, BTreeSet<String>>);

impl Policies {
    /// Those of the template, deployed with `Renewal=rotate` or without.
    pub(crate) fn of_template(rotates: bool) -> Self {
        Self(FUNCTIONS.iter().map(|(package, id)| (*package, actions(&resource(id), rotates))).collect())
    }

    /// The actions of one function.
    pub(crate) fn of(&self, package: &str) -> &BTreeSet<String> {
        &self.0[package]
    }

    /// The first action that a request needs and `role` may not do, with the table that it is for.
    pub(crate) fn refuse(&self, role: &str, needs: &[(String, String)]) -> Option<(String, String)> {
        let allowed = |(action, table): &&(String, String)| self.of(role).contains(action) && table == TABLE;
        needs.iter().find(|need| !allowed(need)).cloned()
    }
}

/// The actions of the one statement in the text of a function, which is about the table and nothing else.
fn actions(text: &str, rotates: bool) -> BTreeSet<String> {
    let lines =
        |name: &str| text.lines().filter_map(move |line| line.trim().strip_prefix(name)).collect::<Vec<_>>();
    // One table: the stack's own, or the one that was restored in its place.
    let resources = lines("Resource: ");
    assert!(resources.iter().all(|resource| *resource == RESOURCE), "{resources:?}");
    let lists = lines("Action: ");
    assert_eq!(lists.len(), resources.len(), "{text}");
    let chosen = lists.iter().map(|list| match list.strip_prefix("!If [Rotates, ") {
        Some(lists) => lists.split("], ").nth(usize::from(!rotates)).expect("two lists"),
        None => list,
    });
    let actions = chosen.flat_map(|list| list.trim_matches(['[', ']']).split(','));
    actions.map(|action| action.trim().trim_start_matches("dynamodb:").to_owned()).collect()
}

/// The actions that a request needs, each with its table.
pub(crate) fn needs(operation: &str, body: &[u8]) -> Vec<(String, String)> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let table = |request: &Value| request["TableName"].as_str().unwrap_or_default().to_owned();
    if operation != "TransactWriteItems" {
        return vec![(operation.to_owned(), table(&body))];
    }
    let members = body["TransactItems"].as_array().cloned().unwrap_or_default();
    let need = |member: &Value| {
        let (name, action) = MEMBERS.iter().find(|(name, _)| !member[name].is_null()).expect("an operation");
        ((*action).to_owned(), table(&member[name]))
    };
    members.iter().map(need).collect()
}

/// The body of DynamoDB's refusal.
pub(crate) fn refusal(role: &str, action: &str, table: &str) -> String {
    let message = format!(
        "User: arn:aws:sts::123456789012:assumed-role/{role}/{role} is not authorized to perform: dynamodb:{action} on \
         resource: arn:aws:dynamodb:us-east-1:123456789012:table/{table} because no identity-based policy allows the \
         dynamodb:{action} action"
    );
    serde_json::json!({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": message})
        .to_string()
}
