//! The requests of the clients.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::Failure;

const PASSWORD: &str = "plum-kettle-orbit-4172";

/// A client of the API, with connections that it keeps.
pub(crate) struct Client {
    url: String,
    http: hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>,
}

/// What a signup, a login or a refresh hands out.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
        Self { url: url.to_owned(), http }
    }

    pub(crate) async fn sign_up(&self, email: &str) -> Result<Tokens, Failure> {
        let body = json!({"email": email, "password": PASSWORD});
        tokens(&self.send(Method::POST, "/auth/signup", None, &body, StatusCode::CREATED).await?)
    }

    pub(crate) async fn log_in(&self, email: &str) -> Result<Tokens, Failure> {
        let body = json!({"email": email, "password": PASSWORD});
        tokens(&self.send(Method::POST, "/auth/login", None, &body, StatusCode::OK).await?)
    }

    pub(crate) async fn refresh(&self, refresh: &str) -> Result<Tokens, Failure> {
        let body = json!({"refreshToken": refresh});
        tokens(&self.send(Method::POST, "/auth/refresh", None, &body, StatusCode::OK).await?)
    }

    pub(crate) async fn log_out(&self, refresh: &str) -> Result<(), Failure> {
        let body = json!({"refreshToken": refresh});
        self.send(Method::POST, "/auth/logout", None, &body, StatusCode::NO_CONTENT).await.map(drop)
    }

    pub(crate) async fn get(&self, path: &str, access: &str) -> Result<(), Failure> {
        self.send(Method::GET, path, Some(access), &Value::Null, StatusCode::OK).await.map(drop)
    }

    pub(crate) async fn change_name(&self, access: &str, name: &str) -> Result<(), Failure> {
        let body = json!({"displayName": name});
        self.send(Method::PATCH, "/auth/me", Some(access), &body, StatusCode::OK).await.map(drop)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        access: Option<&str>,
        body: &Value,
        expected: StatusCode,
    ) -> Result<Value, Failure> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(access) = access {
            request = request.header("authorization", format!("Bearer {access}"));
        }
        let body = match body {
            Value::Null => String::new(),
            body => {
                request = request.header("content-type", "application/json");
                body.to_string()
            }
        };
        let response = self.http.request(request.body(Full::from(body))?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status != expected {
            return Err(format!("{path}: {status} {}", String::from_utf8_lossy(&body)).into());
        }
        Ok(if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? })
    }
}

fn tokens(body: &Value) -> Result<Tokens, Failure> {
    let token = |name: &str| body.get(name).and_then(Value::as_str).ok_or("an answer without tokens");
    Ok(Tokens { access: token("accessToken")?.to_owned(), refresh: token("refreshToken")?.to_owned() })
}
