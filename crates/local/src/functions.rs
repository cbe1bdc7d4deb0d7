//! The functions of this workspace, by the name of their package, each the very service that runs on Lambda.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use auth_core::Platform;
use auth_core::config::{Faults, Lookup, setting};
use auth_core::function::{LambdaFunction, read_logs};
use lambda_http::{Adapter, Body, Request, Response};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::{Service, ServiceExt as _};

use crate::environment::Environment;
use crate::invoke::{Deployed, FunctionError, Invocation, Invoke};
use crate::tables::Access;
use crate::template::Template;

/// Builds every function, or says everything that is wrong with the settings of all of them.
pub(crate) fn deploy(
    template: &Template,
    access: &Access,
    platform: &Platform,
    environment: &Environment<'_>,
) -> Result<BTreeMap<String, Deployed>, String> {
    let mut deployed = BTreeMap::new();
    let mut faults: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (id, function) in &template.functions {
        let lookup = |name: &str| environment.variable(access, function, name);
        let built = build(&function.package, &lookup, platform.clone())
            .ok_or_else(|| format!("{id}: this workspace has no function called {}", function.package))?;
        // As `auth_core::function::start` does. The example's functions have no log of their own.
        let has_log = function.environment.contains_key(setting::LOG_LEVEL.name);
        let logs = if has_log { read_logs(&lookup).map(drop) } else { Ok(()) };
        let built = match (logs, built) {
            (Ok(()), built) => built,
            (Err(faults), Ok(_)) => Err(faults),
            (Err(faults), Err(more)) => Err(faults.and(more)),
        };
        match built {
            Ok(invoke) => {
                deployed.insert(id.clone(), Deployed { invoke, timeout: function.timeout });
            }
            Err(found) => {
                for line in found.to_string().lines() {
                    faults.entry(line.to_owned()).or_default().push(&function.package);
                }
            }
        }
    }
    if faults.is_empty() {
        return Ok(deployed);
    }
    let lines: Vec<_> =
        faults.iter().map(|(line, packages)| format!("{line} ({})", packages.join(", "))).collect();
    Err(lines.join("\n"))
}

/// Builds the function of `package` from its settings, one of the service or of the example; `None` if this workspace has no
/// such function.
pub fn build(package: &str, lookup: &Lookup<'_>, platform: Platform) -> Option<Result<Invoke, Faults>> {
    Some(match package {
        "change-password" => change_password::build(lookup, platform).map(http),
        "login" => login::build(lookup, platform).map(http),
        "logout" => logout::build(lookup, platform).map(http),
        "me" => me::build(lookup, platform).map(http),
        "refresh" => refresh::build(lookup, platform).map(http),
        "sessions" => sessions::build(lookup, platform).map(http),
        "signup" => signup::build(lookup, platform).map(http),
        "well-known" => well_known::build(lookup, platform).map(http),
        "authorizer" => authorizer::build(lookup, platform).map(plain),
        "token-authorizer" => authorizer::build_without_table(lookup, platform).map(plain),
        "orders" => {
            let allowed_origin = lookup("ALLOWED_ORIGIN").unwrap_or_default();
            Ok(plain(Adapter::from(protected_api::orders::function(allowed_origin))))
        }
        "connect" => Ok(plain(protected_api::connect::function())),
        _ => return None,
    })
}

/// An HTTP function: wrapped as its `main` wraps it.
fn http<S>(service: S) -> Invoke
where
    S: Service<Request, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    plain(LambdaFunction::from(service))
}

/// What the Lambda runtime does around a function: the event through the function's own deserialiser, the answer through its
/// serialiser.
fn plain<S, Event>(service: S) -> Invoke
where
    S: Service<LambdaEvent<Event>> + Clone + Send + 'static,
    S::Response: Serialize,
    S::Error: Into<Diagnostic>,
    S::Future: Send + 'static,
    Event: DeserializeOwned + Send + 'static,
{
    let service = Mutex::new(service);
    std::sync::Arc::new(move |invocation| {
        let service = service.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            let payload: Event = serde_json::from_str(&invocation.event).map_err(malformed)?;
            let answer = service.oneshot(LambdaEvent::new(payload, context(&invocation))).await;
            let answer = answer.map_err(|error| {
                let Diagnostic { error_type, error_message } = error.into();
                FunctionError { error_type, error_message }
            })?;
            serde_json::to_string(&answer).map_err(malformed)
        })
    })
}

fn context(invocation: &Invocation) -> Context {
    let mut context = Context::default();
    context.request_id.clone_from(&invocation.request_id);
    context
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
fn malformed(error: serde_json::Error) -> FunctionError {
    FunctionError { error_type: "Runtime.MalformedEvent".to_owned(), error_message: error.to_string() }
}
