//! What a running stack tells the SAM CLI, as a file: the URL, the routes, and each function with its whole environment.
//!
//! The SAM CLI evaluates neither every condition nor any secret of the template, so it gets what was evaluated here.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::api::{Api, IdentitySource, Route};
use crate::engine::make_private_folder;
use crate::secrets::write_privately;
use crate::stack::Stack;
use crate::template::Function;

/// The file of a running stack. It is removed when this is dropped: its secrets may end with the stack.
#[derive(Debug)]
pub struct Outputs {
    file: PathBuf,
    text: String,
}

impl Outputs {
    /// Writes `file`, readable by its owner alone.
    ///
    /// # Errors
    /// One line, if it cannot be written.
    pub fn write(file: PathBuf, stack: &Stack) -> Result<Self, String> {
        let text = format!("{:#}\n", document(stack));
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        folder
            .map_or(Ok(()), make_private_folder)
            .and_then(|()| write_privately(&file, &text))
            .map_err(|error| format!("the outputs cannot be written to {}: {error}", file.display()))?;
        Ok(Self { file, text })
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        // Another stack may have written its own there since. There is nobody to tell that a file could not be removed.
        if fs::read_to_string(&self.file).is_ok_and(|text| text == self.text) {
            let _ = fs::remove_file(&self.file);
        }
    }
}

/// The stack as JSON.
pub fn document(stack: &Stack) -> Value {
    let api = stack.api();
    let functions = stack.functions().iter().map(|(id, function)| (id.clone(), described(function)));
    json!({
        "url": stack.url(),
        "stage": api.stage,
        "routes": api.routes.iter().map(|route| routed(api, route)).collect::<Vec<_>>(),
        "functions": functions.collect::<serde_json::Map<_, _>>(),
    })
}

fn described(function: &Function) -> Value {
    json!({
        "package": function.package,
        "memoryMib": function.memory_mib,
        "timeoutSeconds": function.timeout.as_secs(),
        "environment": function.environment,
    })
}

fn routed(api: &Api, route: &Route) -> Value {
    let authorizer = route.authorizer.as_ref().and_then(|name| api.authorizers.get(name));
    let authorizer = authorizer.map(|authorizer| {
        let header = |source: &IdentitySource| match source {
            IdentitySource::Header(name) => Some(name.clone()),
            IdentitySource::Query(_) | IdentitySource::StageVariable(_) | IdentitySource::Context(_) => None,
        };
        let headers: Vec<_> = authorizer.identity.iter().filter_map(header).collect();
        json!({"function": authorizer.function, "headers": headers})
    });
    json!({
        "method": route.method,
        "path": route.path,
        "function": route.function,
        "authorizer": authorizer,
    })
}
