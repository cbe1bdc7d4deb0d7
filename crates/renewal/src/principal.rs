//! Whom the authorizer let through.

use lambda_http::Request;
use serde::Deserialize;

use crate::context::AuthorizerContext;

/// Whom the authorizer let through. It can also be read from the authorizer's context itself, which in an event of a WebSocket
/// API is `requestContext.authorizer`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// The user.
    pub user_id: String,
    /// The session of the access token.
    pub session_id: String,
    /// The user's address, normalised. Anybody can sign up with it until it is verified: identify users by `user_id`.
    pub email: String,
    /// Whether the user has shown that the address is theirs.
    #[serde(default, deserialize_with = "is_true")]
    pub email_verified: bool,
    /// The user's display name, if there is one.
    pub name: Option<String>,
}

/// The context is made of strings.
const TRUE: &str = "true";

fn is_true<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(String::deserialize(deserializer)? == TRUE)
}

/// The request has not passed the authorizer: its route has none, or another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request has not passed the authorizer")]
pub struct NoPrincipal;

impl Principal {
    /// The principal of `request`.
    ///
    /// # Errors
    ///
    /// [`NoPrincipal`]: a function that answers such a request answers anybody.
    pub fn of(request: &Request) -> Result<Self, NoPrincipal> {
        let context = AuthorizerContext::of(request).ok_or(NoPrincipal)?;
        let text = |name| context.text(name).map(str::to_owned);
        Ok(Self {
            user_id: text("userId").ok_or(NoPrincipal)?,
            session_id: text("sessionId").ok_or(NoPrincipal)?,
            email: text("email").ok_or(NoPrincipal)?,
            email_verified: text("emailVerified").as_deref() == Some(TRUE),
            name: text("name"),
        })
    }
}
