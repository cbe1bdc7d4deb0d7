//! `$connect` of a WebSocket API: API Gateway makes the connection when this answers 200.

use std::convert::Infallible;
use std::future::{Ready, ready};

use lambda_runtime::{LambdaEvent, Service, service_fn};
use renewal::Principal;
use serde::Deserialize;
use serde_json::{Value, json};

/// The part of the event that counts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connecting {
    request_context: Context,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    connection_id: String,
    authorizer: Option<Principal>,
}

type Answering = Ready<Result<Value, Infallible>>;

/// The function.
pub fn function()
-> impl Service<LambdaEvent<Connecting>, Response = Value, Error = Infallible, Future = Answering> + Clone + Send
{
    service_fn(|event: LambdaEvent<Connecting>| ready(Ok(answer(event.payload.request_context))))
}

fn answer(context: Context) -> Value {
    match context.authorizer {
        Some(principal) => {
            remember(&context.connection_id, &principal);
            json!({"statusCode": 200})
        }
        // Only a route that was left without its authorizer has no principal. It must not be an open door.
        None => json!({"statusCode": 401}),
    }
}

/// Your own table: whose connection this is, and of which session, so that it can be closed when that ends. The line is
/// for CloudWatch Logs.
#[expect(clippy::print_stdout, reason = "a function's log")]
fn remember(connection_id: &str, principal: &Principal) {
    println!(
        "{}",
        json!({"connectionId": connection_id, "userId": principal.user_id, "sessionId": principal.session_id})
    );
}
