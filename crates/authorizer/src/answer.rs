//! What an authorizer answers: an IAM policy that allows, or `isAuthorized`. Nothing here can deny or be built by default:
//! who is not let through gets an error instead.

use auth_core::token::access::AccessClaims;
use serde::Serialize;

/// The answer to a request that may pass.
#[derive(Serialize)]
#[serde(untagged)]
#[expect(missing_debug_implementations, reason = "its context may hold tokens")]
pub enum Answer {
    /// For REST and WebSocket APIs, and HTTP APIs that ask for a policy.
    Policy(Policy),
    /// For an HTTP API with simple responses.
    Simple(Simple),
}

/// "Output from an API Gateway Lambda authorizer".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_debug_implementations, reason = "its context may hold tokens")]
pub struct Policy {
    principal_id: String,
    #[serde(rename = "policyDocument")]
    document: Document,
    context: Context,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: &'static str,
    effect: &'static str,
    resource: String,
}

/// "Simple response" of an HTTP API's Lambda authorizer, payload 2.0.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_debug_implementations, reason = "its context may hold tokens")]
pub struct Simple {
    is_authorized: bool,
    context: Context,
}

/// What the functions behind the authorizer are told. Flat strings: a REST API takes nothing else.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_debug_implementations, reason = "it holds tokens")]
pub struct Context {
    /// The user.
    pub user_id: String,
    /// The session of the access token.
    pub session_id: String,
    /// The user's address, normalised.
    pub email: String,
    /// `true` if the user has shown that the address is theirs, else `false`.
    pub email_verified: &'static str,
    /// The user's display name, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What was renewed for them.
    #[serde(flatten)]
    pub renewed: Option<Renewed>,
}

/// Renewed tokens, for the function to hand to the client.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_debug_implementations, reason = "it holds tokens")]
pub struct Renewed {
    /// The next access token.
    pub new_access_token: String,
    /// The next refresh token, with body delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_refresh_token: Option<String>,
    /// The `Set-Cookie` header with the next refresh token, with cookie delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_refresh_cookie: Option<String>,
}

impl Context {
    pub(crate) fn new(claims: AccessClaims, renewed: Option<Renewed>) -> Self {
        Self {
            user_id: claims.sub.to_string(),
            session_id: claims.sid.to_string(),
            email: claims.email,
            email_verified: if claims.email_verified { "true" } else { "false" },
            name: claims.name,
            renewed,
        }
    }
}

impl Answer {
    /// Lets the user call everything of `stage`.
    pub(crate) fn allow(stage: String, context: Context) -> Self {
        let statement = Statement { action: "execute-api:Invoke", effect: "Allow", resource: stage };
        let document = Document { version: "2012-10-17", statement: [statement] };
        Self::Policy(Policy { principal_id: context.user_id.clone(), document, context })
    }

    /// Lets the request pass.
    pub(crate) const fn authorized(context: Context) -> Self {
        Self::Simple(Simple { is_authorized: true, context })
    }
}
