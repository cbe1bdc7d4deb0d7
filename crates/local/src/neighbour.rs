//! The APIs of another stack, which imports the service's authorizer: each beside the service, at a port of its own.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::api::{Api, ApiKind};
use crate::environment::Environment;
use crate::functions;
use crate::gateway::{Gateway, Source};
use crate::invoke::Deployed;
use crate::options::Options;
use crate::server::{self, Beside, Server};
use crate::tables::Access;
use crate::template::{Surroundings, Template};

/// One API of another stack. It ends when this is dropped.
pub struct Neighbour {
    api: Api,
    address: SocketAddr,
    server: Server,
}

impl Neighbour {
    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> String {
        let scheme = if self.api.kind == ApiKind::WebSocket { "ws" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The API that is played.
    pub const fn api(&self) -> &Api {
        &self.api
    }

    /// What it is.
    pub const fn name(&self) -> &'static str {
        match self.api.kind {
            ApiKind::Rest => "REST API",
            ApiKind::Http => "HTTP API",
            ApiKind::WebSocket => "WebSocket API",
        }
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}

/// What another stack sees of the service.
pub(crate) struct Service<'a> {
    pub(crate) template: &'a Template,
    pub(crate) functions: &'a BTreeMap<String, Deployed>,
    pub(crate) access: &'a Access,
}

/// Starts every API of the template that is to run beside the service, if there is one.
///
/// A parameter that both templates have is given the same value.
pub(crate) async fn start(
    options: &Options,
    environment: &Environment<'_>,
    service: &Service<'_>,
    source: &Source,
) -> Result<Vec<Neighbour>, String> {
    let Some(path) = &options.beside else { return Ok(Vec::new()) };
    let template = evaluate(path, environment, service.template)?;
    let mut functions = functions::deploy(&template, service.access, &options.platform, environment)?;
    // Its authorizers name the service's functions by ARN.
    for (id, function) in &service.template.functions {
        if let Some(deployed) = service.functions.get(id) {
            functions.insert(function.arn.clone(), deployed.clone());
        }
    }
    let mut neighbours = Vec::new();
    for (api, place) in template.apis.into_iter().zip(1..) {
        let port = if options.port == 0 { Some(0) } else { options.port.checked_add(place) };
        let port = port.ok_or("there are not enough ports after --port")?;
        let listener = server::listen(port).await?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let gateway = Gateway::new(api.clone(), functions.clone(), None, source.clone());
        let server = Server::start(listener, gateway, Beside::default(), Arc::clone(&options.log));
        neighbours.push(Neighbour { api, address, server });
    }
    Ok(neighbours)
}

fn evaluate(path: &Path, environment: &Environment<'_>, service: &Template) -> Result<Template, String> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let surroundings = Surroundings {
        lookup: &|name| environment.process(name),
        secrets: &|secret| Err(format!("the secret {} is not there locally", secret.id)),
        // CloudFormation's names are per stack, so that two functions of one name have two ARNs.
        stack: "neighbour",
        imports: &service.exports,
        parameters: &service.given,
    };
    Template::evaluate(&text, &surroundings).map_err(|fault| format!("{name}: {fault}"))
}
