//! An API as a template describes it: what [`crate::template`] reads and [`crate::gateway`] plays.

use std::collections::BTreeMap;
use std::time::Duration;

use regex_lite::Regex;

/// The APIs that API Gateway offers for a Lambda function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKind {
    /// A REST API: payload 1.0, gateway responses, stages.
    Rest,
    /// An HTTP API: payload 2.0.
    Http,
    /// A WebSocket API, of which `$connect` is played.
    WebSocket,
}

/// One API with its routes and the functions that guard them.
#[derive(Clone, Debug)]
pub struct Api {
    /// Which of the two.
    pub kind: ApiKind,
    /// The id that its ARNs and events name.
    pub id: String,
    /// The name of the stage; `$default` on an HTTP API.
    pub stage: String,
    /// Stage variables, handed to every function.
    pub stage_variables: BTreeMap<String, String>,
    /// The routes, in no order that matters.
    pub routes: Vec<Route>,
    /// The Lambda authorizers by the name that routes use.
    pub authorizers: BTreeMap<String, Authorizer>,
    /// Gateway responses by type, such as `UNAUTHORIZED`. A REST API alone has any.
    pub gateway_responses: BTreeMap<String, GatewayResponse>,
    /// Media types that a REST API treats as binary.
    pub binary_media_types: Vec<String>,
    /// Cross-origin rules that the gateway itself applies.
    pub cors: Option<Cors>,
}

impl Api {
    /// The same routes and authorizers as an API of the other kind would have them.
    ///
    /// An HTTP API calls its authorizers with payload 2.0, with `simple` responses or policies, and knows no gateway
    /// responses. What they say to pages of other origins stays.
    #[must_use]
    pub fn played_as(mut self, kind: ApiKind, simple: bool) -> Self {
        if self.kind == kind {
            return self;
        }
        let payload = match (kind, simple) {
            (ApiKind::Rest, _) => AuthorizerPayload::RestRequest,
            (ApiKind::Http, false) => AuthorizerPayload::Http2Policy,
            (ApiKind::Http, true) => AuthorizerPayload::Http2Simple,
            (ApiKind::WebSocket, _) => AuthorizerPayload::WebSocket,
        };
        for authorizer in self.authorizers.values_mut() {
            authorizer.payload = payload;
            authorizer.validation = None;
        }
        self.stage = String::from(if kind == ApiKind::Http { "$default" } else { "Prod" });
        self.kind = kind;
        self.cors = self
            .gateway_responses
            .remove("UNAUTHORIZED")
            .map(|response| Cors::Errors(cross_origin(response)));
        self.gateway_responses.clear();
        self
    }
}

/// The headers of a gateway response that tell pages of other origins what they may read.
fn cross_origin(response: GatewayResponse) -> Vec<(String, String)> {
    let mut headers = response.headers;
    headers.retain(|(name, _)| {
        let name = name.to_ascii_lowercase();
        name.starts_with("access-control-") || name == "vary"
    });
    headers
}

/// A method and a path, and what answers them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// An upper-case method, or `ANY`.
    pub method: String,
    /// A path such as `/auth/sessions/{sessionId}`, `$default` (HTTP API) or `$connect` (WebSocket API).
    pub path: String,
    /// The logical id of the function.
    pub function: String,
    /// The name of the authorizer that guards the route.
    pub authorizer: Option<String>,
}

/// A Lambda authorizer.
#[derive(Clone, Debug)]
pub struct Authorizer {
    /// The logical id of the function, or its ARN if it is another stack's.
    pub function: String,
    /// What the function is sent and may answer.
    pub payload: AuthorizerPayload,
    /// What a request must carry before the function is called at all.
    pub identity: Vec<IdentitySource>,
    /// What the token must look like (REST `TOKEN` only).
    pub validation: Option<Regex>,
    /// How long an answer is kept; zero is not at all.
    pub ttl: Duration,
}

/// The payload of an authorizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizerPayload {
    /// REST API, `TOKEN`: one header and the method's ARN.
    RestToken,
    /// REST API, `REQUEST`: the request without its body.
    RestRequest,
    /// HTTP API, payload format 1.0: answered by a policy.
    Http1,
    /// HTTP API, payload format 2.0, answered by a policy.
    Http2Policy,
    /// HTTP API, payload format 2.0 with simple responses: `{"isAuthorized": true}`.
    Http2Simple,
    /// WebSocket API, `REQUEST`: the upgrade request, answered by a policy.
    WebSocket,
}

/// Where an authorizer finds the identity of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentitySource {
    /// A header, its name in any case.
    Header(String),
    /// A query parameter.
    Query(String),
    /// A stage variable.
    StageVariable(String),
    /// A variable of the request context, such as `identity.sourceIp`.
    Context(String),
}

/// How a REST API words one kind of its own answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayResponse {
    /// The status, where it is not the usual one.
    pub status: Option<u16>,
    /// Header names and the expressions that their values come from.
    pub headers: Vec<(String, String)>,
    /// Body templates by media type.
    pub templates: BTreeMap<String, String>,
}

/// Cross-origin rules of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cors {
    /// REST API: SAM adds an `OPTIONS` method with a mock integration that answers with these headers.
    Mock(Vec<(String, String)>),
    /// HTTP API: the gateway answers preflights itself and sets these on every answer.
    Managed(ManagedCors),
    /// HTTP API that plays a REST API: the headers of its gateway responses, on the gateway's own errors. The functions answer
    /// preflights and set their own, as they do behind the REST API.
    Errors(Vec<(String, String)>),
}

/// The CORS configuration of an HTTP API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagedCors {
    /// Allowed origins, or `*`.
    pub origins: Vec<String>,
    /// Allowed methods, or `*`.
    pub methods: Vec<String>,
    /// Allowed request headers, or `*`.
    pub headers: Vec<String>,
    /// Response headers that a page may read.
    pub exposed: Vec<String>,
    /// Whether cookies and authorization may be sent.
    pub credentials: bool,
    /// How long a preflight may be kept, in seconds.
    pub max_age: Option<u64>,
}
