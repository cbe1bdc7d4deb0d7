//! What an earlier edition left: its table, its settings, live tokens and the requests of its functions.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::support::http::Reply;
use crate::support::table::{Item, Table};
use crate::support::tap::Tap;
use crate::support::{Service, Tokens, tapped};

/// The settings of a recorded deployment.
pub(super) const SETTINGS: [(&str, &str); 4] = [
    ("JWT_SECRET", "first-edition-signing-secret-0123456789abcdef0123456789abcdef"),
    ("REFRESH_TOKEN_SECRET", "first-edition-refresh-secret-0123456789abcdef0123456789abcdef"),
    ("LOGIN_LIMIT_PER_ADDRESS", "10"),
    ("LOGIN_LOCK_FAILURES", "12"),
];

/// The engine looks at the form of a signature and not at its value.
const UNSIGNED: &str = "AWS4-HMAC-SHA256 Credential=local/20260201/local/dynamodb/aws4_request, \
                        SignedHeaders=host;x-amz-date, Signature=0";

/// The file that `record` writes.
#[derive(Deserialize)]
pub(super) struct Edition {
    settings: Vec<(String, String)>,
    /// The time of the snapshot, in seconds since the Unix epoch.
    now: u64,
    pub(super) tokens: BTreeMap<String, IssuedTokens>,
    /// By operation: the requests that one call made the functions send, in their order.
    requests: BTreeMap<String, Vec<Request>>,
    table: Vec<Map<String, Value>>,
}

/// The tokens of one answer.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IssuedTokens {
    access_token: String,
    refresh_token: String,
    user_id: String,
}

/// A request of a function to the table.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Request {
    operation: String,
    pub(super) body: Value,
}

/// The functions of this edition on the table of an earlier one, at the time of the snapshot.
pub(super) struct Upgraded {
    pub(super) service: Service,
    pub(super) table: Table,
    pub(super) tap: Tap,
    edition: Edition,
    engine: Service,
}

impl Upgraded {
    /// From the first edition.
    pub(super) async fn from_first() -> Self {
        let edition: Edition = serde_json::from_str(include_str!("first_edition.json")).expect("the fixture");
        let settings: Vec<_> = edition.settings.iter().map(|(name, value)| (&**name, &**value)).collect();
        let (engine, service, tap) = tapped(&settings).await;
        service.pass(edition.now - service.now());
        let table = Table::of(&engine).await;
        for item in &edition.table {
            table.put(&item_of(item)).await;
        }
        Self { service, table, tap, edition, engine }
    }

    /// Tokens of the earlier edition, by the name of their session.
    pub(super) fn tokens(&self, name: &str) -> Tokens {
        let issued = self.edition.tokens.get(name).unwrap_or_else(|| panic!("{name} is in the fixture"));
        let IssuedTokens { access_token, refresh_token, user_id } = issued.clone();
        Tokens { access: access_token, refresh: refresh_token, user: user_id }
    }

    /// Who signed up with each address, as it was typed.
    pub(super) fn signups(&self) -> impl Iterator<Item = (&str, &str)> {
        self.edition
            .tokens
            .iter()
            .filter_map(|(name, issued)| Some((name.strip_prefix("signup of ")?, &*issued.user_id)))
    }

    /// The requests that one call made the functions of the earlier edition send: those of one operation.
    pub(super) fn recorded(&self, call: &str, operation: &str) -> Vec<Request> {
        let requests = self.edition.requests.get(call).unwrap_or_else(|| panic!("{call} is in the fixture"));
        let requests: Vec<_> = requests.iter().filter(|one| one.operation == operation).cloned().collect();
        assert!(!requests.is_empty(), "{call} has no {operation}");
        requests
    }

    /// Sends a request of the earlier edition to the table, as it was but for the table's name.
    pub(super) async fn send(&self, request: &Request) -> Reply {
        let mut body = request.body.clone();
        rename(&mut body, &self.service.stack.environment("LoginFunction")["TABLE_NAME"]);
        let call = self.service.call_url("POST", self.engine.stack.store_endpoint());
        let call = call.header("x-amz-target", &format!("DynamoDB_20120810.{}", request.operation));
        let call = call.header("content-type", "application/x-amz-json-1.0");
        let call = call.header("x-amz-date", "20260201T000000Z").header("authorization", UNSIGNED);
        call.body(body.to_string()).send().await
    }

    /// Sends all of them, each of which the table carries out.
    pub(super) async fn send_all(&self, requests: &[Request]) {
        for request in requests {
            self.send(request).await.expect(200);
        }
    }
}

impl Request {
    /// The same request for another item.
    pub(super) fn about(mut self, item: &Value) -> Self {
        for name in ["pk", "sk"] {
            self.body["Key"][name] = item[name].clone();
        }
        self
    }
}

/// Whether the table refused a request because its condition did not hold.
pub(super) fn refuses_condition(reply: &Reply) -> bool {
    let code = reply.body["__type"].as_str().unwrap_or_default();
    reply.status == 400 && code.ends_with("#ConditionalCheckFailedException")
}

/// `TableName`, wherever a request has it.
fn rename(body: &mut Value, table: &str) {
    match body {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "TableName" {
                    *member = table.into();
                } else {
                    rename(member, table);
                }
            }
        }
        Value::Array(members) => members.iter_mut().for_each(|member| rename(member, table)),
        _ => {}
    }
}

fn item_of(members: &Map<String, Value>) -> Item {
    let attribute = |value: &Value| match (&value["S"], &value["N"], &value["BOOL"]) {
        (Value::String(text), _, _) => AttributeValue::S(text.clone()),
        (_, Value::String(number), _) => AttributeValue::N(number.clone()),
        (_, _, Value::Bool(flag)) => AttributeValue::Bool(*flag),
        _ => panic!("no edition writes {value}"),
    };
    members.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}
