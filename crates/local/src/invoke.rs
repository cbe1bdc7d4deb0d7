//! A function as the gateway sees it: an event goes in as JSON text, an answer or an error comes out.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

/// What a function is handed.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The event, as JSON text.
    pub event: String,
    /// Lambda's id of this invocation.
    pub request_id: String,
}

/// What the Lambda runtime reports when a function fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// The kind of failure.
    pub error_type: String,
    /// Its text; an authorizer says `Unauthorized` in it.
    pub error_message: String,
}

/// The error type of an invocation that took too long.
pub const TIMED_OUT: &str = "Sandbox.Timedout";

/// The error type of an event that is larger than Lambda takes.
pub const TOO_LARGE: &str = "RequestEntityTooLargeException";

/// The largest event and the largest answer of a synchronous invocation ("Lambda quotas", invocation payload).
const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// The future of an invocation.
pub type Answering = Pin<Box<dyn Future<Output = Result<String, FunctionError>> + Send>>;

/// A function, ready to be called any number of times and in parallel.
pub type Invoke = Arc<dyn Fn(Invocation) -> Answering + Send + Sync>;

/// A function with the time that it may take.
#[derive(Clone)]
pub struct Deployed {
    /// The function.
    pub invoke: Invoke,
    /// After this, Lambda ends the invocation.
    pub timeout: Duration,
}

impl Deployed {
    /// Calls the function as Lambda does.
    ///
    /// # Errors
    /// A [`FunctionError`]: what the function said, that it panicked, that it took too long, that its answer is not JSON,
    /// or that event or answer are too large.
    pub async fn call(&self, event: &Value, request_id: &str) -> Result<Value, FunctionError> {
        let invocation = Invocation { event: event.to_string(), request_id: request_id.to_owned() };
        if invocation.event.len() > MAX_PAYLOAD_BYTES {
            return Err(failure(TOO_LARGE, "the event is larger than 6 MB"));
        }
        let mut task = tokio::spawn((self.invoke)(invocation));
        let Ok(joined) = tokio::time::timeout(self.timeout, &mut task).await else {
            // Lambda stops the sandbox; nothing of the invocation goes on.
            task.abort();
            let seconds = self.timeout.as_secs_f64();
            return Err(failure(
                TIMED_OUT,
                &format!("{request_id} Task timed out after {seconds:.2} seconds"),
            ));
        };
        let answer = joined.map_err(|_| failure("Runtime.Panic", "the function panicked"))??;
        if answer.len() > MAX_PAYLOAD_BYTES {
            return Err(failure("Function.ResponseSizeTooLarge", "the answer is larger than 6 MB"));
        }
        serde_json::from_str(&answer).map_err(|error| failure("Runtime.InvalidAnswer", &error.to_string()))
    }
}

fn failure(kind: &str, message: &str) -> FunctionError {
    FunctionError { error_type: kind.to_owned(), error_message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn outcome(invoke: Invoke) -> Result<Value, String> {
        let deployed = Deployed { invoke, timeout: Duration::from_millis(50) };
        deployed.call(&Value::Null, "id").await.map_err(|error| error.error_type)
    }

    #[tokio::test]
    async fn every_way_to_fail_is_a_function_error() {
        let echo: Invoke = Arc::new(|invocation| Box::pin(async move { Ok(invocation.event) }));
        let panics: Invoke = Arc::new(|_| Box::pin(async { std::panic::panic_any("no") }));
        let sleeps: Invoke = Arc::new(|_| Box::pin(std::future::pending()));
        let babbles: Invoke = Arc::new(|_| Box::pin(async { Ok("not json".to_owned()) }));
        let floods: Invoke = Arc::new(|_| Box::pin(async { Ok(" ".repeat(MAX_PAYLOAD_BYTES + 1)) }));
        assert_eq!(outcome(echo).await, Ok(Value::Null));
        assert_eq!(outcome(panics).await, Err("Runtime.Panic".to_owned()));
        assert_eq!(outcome(sleeps).await, Err("Sandbox.Timedout".to_owned()));
        assert_eq!(outcome(babbles).await, Err("Runtime.InvalidAnswer".to_owned()));
        assert_eq!(outcome(floods).await, Err("Function.ResponseSizeTooLarge".to_owned()));
    }
}
