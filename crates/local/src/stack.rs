//! Everything together: template, secrets, engine, functions, gateway and server, in one process.
//!
//! It is what `main` runs and what tests start, many at a time: each has its own engine, port, clock and audit log.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use auth_core::audit::AuditLog;
use auth_core::clock::Clock;
use serde_json::Value;

use crate::api::{Api, ApiKind};
use crate::description;
use crate::engine::Engine;
use crate::environment::Environment;
use crate::functions;
use crate::gateway::{Gateway, Source};
use crate::invoke::{Deployed, FunctionError};
use crate::neighbour::{self, Neighbour};
pub use crate::options::{Data, Options};
use crate::pages::Pages;
use crate::public_suffix;
use crate::secrets::Secrets;
use crate::server::{self, Beside, Server};
use crate::tables::{self, Access};
use crate::template::{Function, Surroundings, Template};

/// Why a stack did not start: one line, or one for each fault of the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

impl From<String> for StartError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// A running stack. It ends when this is dropped.
pub struct Stack {
    address: SocketAddr,
    options: Options,
    api: Api,
    access: Access,
    overridden: BTreeSet<String>,
    engine: Option<Engine>,
    functions: BTreeMap<String, Deployed>,
    described: BTreeMap<String, Function>,
    server: Server,
    neighbours: Vec<Neighbour>,
}

/// The name of the service's own stack.
const STACK: &str = "latchkey";

impl Stack {
    /// Starts a stack.
    ///
    /// # Errors
    /// [`StartError`]: the template, the data, the settings or the port cannot be used.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let pages = options.demo.as_ref().map(Pages::of).transpose()?;
        let listener = server::listen(options.port).await?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let secrets = Secrets::load(options.data.secrets_file(), options.platform.random.clone())?;
        let environment = Environment::new(&options.environment);
        let mut template = evaluate(&options, &secrets, &environment)?;
        let api = play(&template, &options, &environment)?;
        let engine = engine(&options)?;
        // Not before the engine holds the lock on the data: another process may be about to make secrets too.
        secrets.save()?;
        let access = access(&options, engine.as_ref());
        make_tables(&mut template, &access, &options).await?;
        let functions = functions::deploy(&template, &access, &options.platform, &environment)?;
        public_suffix::check(&environment.shared(&template, "CORS_ALLOWED_ORIGINS").unwrap_or_default())?;
        if let Some(engine) = engine.as_ref().filter(|_| options.platform.clock.is_system()) {
            engine.sweep_regularly();
        }
        let of = |function: &Function| Function {
            environment: environment.of(&access, function),
            ..function.clone()
        };
        let described = template.functions.iter().map(|(id, function)| (id.clone(), of(function))).collect();
        let source = source(&options);
        let service = neighbour::Service { template: &template, functions: &functions, access: &access };
        let neighbours = neighbour::start(&options, &environment, &service, &source).await?;
        let overridden = environment.overridden();
        let gateway = Gateway::new(api.clone(), functions.clone(), options.base_path.clone(), source);
        let description = description::document(options.base_path.as_deref().unwrap_or_default());
        let beside = Beside { pages, description: Some(description) };
        let server = Server::start(listener, gateway, beside, Arc::clone(&options.log));
        Ok(Self {
            address,
            options,
            api,
            access,
            overridden,
            engine,
            functions,
            described,
            server,
            neighbours,
        })
    }

    /// The APIs that run beside the service, in the order of their ids.
    pub fn neighbours(&self) -> &[Neighbour] {
        &self.neighbours
    }

    /// The URL of the API, with the base path and without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.options.base_path.as_deref().unwrap_or_default())
    }

    /// The URL of the API's OpenAPI document.
    pub fn description_url(&self) -> String {
        format!("http://{}{}", self.address, description::PATH)
    }

    /// The API that is played.
    pub const fn api(&self) -> &Api {
        &self.api
    }

    /// The clock of the functions and of the gateway.
    pub const fn clock(&self) -> &Clock {
        &self.options.platform.clock
    }

    /// The audit log of the functions.
    pub const fn audit(&self) -> &AuditLog {
        &self.options.platform.audit
    }

    /// The URL of the demo's page, if there is one.
    pub fn demo(&self) -> Option<String> {
        self.options.demo.as_ref().map(|_| format!("http://{}/", self.address))
    }

    /// The environment of a function, by logical id, as Lambda would give it.
    pub fn environment(&self, function: &str) -> BTreeMap<String, String> {
        self.described.get(function).map(|function| function.environment.clone()).unwrap_or_default()
    }

    /// The functions by logical id, each with its whole environment.
    pub const fn functions(&self) -> &BTreeMap<String, Function> {
        &self.described
    }

    /// Calls a function, by logical id, with an event of one's own: `sam local invoke` without a container.
    ///
    /// # Errors
    /// A [`FunctionError`], as Lambda reports it; also if there is no such function.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value, FunctionError> {
        static INVOKED: AtomicU64 = AtomicU64::new(0);
        let deployed = self.functions.get(function).ok_or_else(|| FunctionError {
            error_type: "ResourceNotFoundException".to_owned(),
            error_message: format!("no function {function}"),
        })?;
        let number = INVOKED.fetch_add(1, Ordering::Relaxed);
        deployed.call(event, &format!("00000000-0000-4000-8000-{number:012x}")).await
    }

    /// The URL of the DynamoDB that the functions use.
    pub fn store_endpoint(&self) -> &str {
        &self.access.endpoint
    }

    /// Where the engine was told to listen.
    pub const fn table(&self) -> SocketAddr {
        self.options.table
    }

    /// A client of the DynamoDB that the functions use.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.access.client()
    }

    /// The engine, unless the table is elsewhere.
    pub const fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    /// Where the table is.
    pub const fn data(&self) -> &Data {
        &self.options.data
    }

    /// The settings that came from the environment, by name.
    pub const fn overridden(&self) -> &BTreeSet<String> {
        &self.overridden
    }

    /// A setting that the functions share, such as `RESPONSE_FORMAT`.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.described.values().find_map(|function| function.environment.get(name)).map(String::as_str)
    }

    /// Stops answering, lets what is under way finish for a few seconds at the most, and ends.
    pub async fn stop(self) {
        self.server.stop().await;
        for neighbour in self.neighbours {
            neighbour.stop().await;
        }
        if let Some(engine) = self.engine {
            engine.stop().await;
        }
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack")
            .field("url", &self.url())
            .field("data", &self.options.data)
            .finish_non_exhaustive()
    }
}

fn engine(options: &Options) -> Result<Option<Engine>, String> {
    Ok(match &options.data {
        Data::Memory => Some(Engine::in_memory(options.table)?),
        Data::File(file) => Some(Engine::on_file(file, options.table)?),
        Data::Endpoint { .. } => None,
    })
}

fn evaluate(options: &Options, secrets: &Secrets, environment: &Environment<'_>) -> Result<Template, String> {
    let path = options.template.display();
    let text = fs::read_to_string(&options.template).map_err(|error| format!("{path}: {error}"))?;
    let surroundings = Surroundings {
        lookup: &|name| environment.process(name),
        secrets: &|secret| secrets.value(secret),
        stack: STACK,
        imports: &BTreeMap::new(),
        parameters: &BTreeMap::new(),
    };
    Template::evaluate(&text, &surroundings).map_err(|fault| format!("{path}: {fault}"))
}

/// The keys of the process open another DynamoDB only; the engine takes any.
fn access(options: &Options, engine: Option<&Engine>) -> Access {
    match (&options.data, engine) {
        (Data::Endpoint { url, .. }, _) => Access::with_keys(url, &options.environment),
        (_, engine) => Access::local(engine.map(Engine::endpoint).unwrap_or_default()),
    }
}

/// The template's API, as the kind that is asked for.
fn play(template: &Template, options: &Options, environment: &Environment<'_>) -> Result<Api, String> {
    let api = template.api(options.payload.unwrap_or(ApiKind::Rest));
    let api = api.map_err(|fault| format!("{}: {fault}", options.template.display()))?.clone();
    let kind = options.payload.unwrap_or(api.kind);
    let simple = environment.shared(template, "AUTHORIZER_RESPONSE").as_deref() == Some("simple");
    Ok(api.played_as(kind, simple))
}

async fn make_tables(template: &mut Template, access: &Access, options: &Options) -> Result<(), String> {
    // One table under another name is still that table.
    if let ([table], Some(name)) = (template.tables.as_mut_slice(), options.environment.get("TABLE_NAME")) {
        table.name.clone_from(name);
    }
    let client = access.client();
    for table in &template.tables {
        tables::ensure(&client, table).await?;
    }
    Ok(())
}

fn source(options: &Options) -> Source {
    let (clock, random) = (options.platform.clock.clone(), options.platform.random.clone());
    Source {
        epoch_ms: Arc::new(move || clock.now().epoch_seconds() * 1000),
        id: Arc::new(move || random.bytes().map(u128::from_be_bytes).unwrap_or_default()),
        complain: Arc::clone(&options.complain),
    }
}
