//! API Gateway's own JWT authorizers, played by the rules that AWS documents, against the public documents.
//!
//! Sources, in the API Gateway Developer Guide: "Control access to HTTP APIs with JWT authorizers in API Gateway"
//! (`http-api-jwt-authorizer.html`), "Troubleshooting issues with HTTP API JWT authorizers"
//! (`http-api-troubleshooting-jwt.html`), and for REST APIs "Create a JWT authorizer for a REST API"
//! (`rest-api-jwt-authorizer-create.html`).

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::keys::{KeyPair, generate};
use crate::support::{Service, claims, tokens};

const AUDIENCE: &str = "https://orders.example.com";

/// The `JwtConfiguration` of an authorizer, and the scopes of its route.
struct JwtAuthorizer<'a> {
    issuer: &'a str,
    audience: &'a [&'a str],
    scopes: &'a [&'a str],
    /// What API Gateway has kept of the issuer's keys; it may keep them for two hours.
    keys: Value,
}

impl<'a> JwtAuthorizer<'a> {
    /// Reads the discovery document and the keys, as API Gateway does when an authorizer is made.
    async fn create(service: &Service, issuer: &'a str, audience: &'a [&'a str]) -> Result<Self, String> {
        if !issuer.starts_with("https://") || issuer.contains(['?', '#']) {
            return Err("the issuer is no absolute https URL without query and fragment".to_owned());
        }
        let document = fetch(service, issuer, &format!("{issuer}/.well-known/openid-configuration")).await?;
        if document["issuer"] != issuer {
            return Err(format!("the document is that of {}", document["issuer"]));
        }
        let uri = document["jwks_uri"].as_str().ok_or("no jwks_uri")?;
        let keys = fetch(service, issuer, uri).await?;
        Ok(Self { issuer, audience, scopes: &[], keys })
    }

    /// Whether a request passes; if not, why.
    fn authorize(&self, header: &str, now: u64) -> Result<(), &'static str> {
        // "The identitySource can include only the token, or the token prefixed with Bearer."
        let token = header.strip_prefix("Bearer ").unwrap_or(header);
        let head = part(token, 0).ok_or("not a token")?;
        let key = self.keys["keys"].as_array().ok_or("no keys")?.iter().find(|key| key["kid"] == head["kid"]);
        let key = key.ok_or("no key has the token's kid")?;
        verify(token, &head, key)?;
        let claims = part(token, 1).ok_or("no claims")?;
        self.judge(&claims, now)
    }

    fn judge(&self, claims: &Value, now: u64) -> Result<(), &'static str> {
        let time = |name: &str| claims[name].as_u64();
        if claims["iss"] != self.issuer {
            return Err("iss is another");
        }
        // `client_id` counts only where there is no `aud`.
        let audience = if claims["aud"].is_null() { &claims["client_id"] } else { &claims["aud"] };
        if !self.audience.iter().any(|expected| *audience == **expected || contains(audience, expected)) {
            return Err("the audience is another");
        }
        if time("exp").is_none_or(|end| end <= now) {
            return Err("the token has expired");
        }
        if ["nbf", "iat"].iter().any(|name| time(name).is_some_and(|start| start >= now)) {
            return Err("the token is not valid yet");
        }
        let given = claims["scope"].as_str().or_else(|| claims["scp"].as_str()).unwrap_or_default();
        let scoped = given.split(' ').any(|scope| self.scopes.contains(&scope));
        if self.scopes.is_empty() || scoped { Ok(()) } else { Err("no scope of the route") }
    }
}

/// "Currently, only RSA-based algorithms are supported."
fn verify(token: &str, head: &Value, key: &Value) -> Result<(), &'static str> {
    if head["alg"] != "RS256" || key["kty"] != "RSA" || key["alg"] != "RS256" || key["use"] != "sig" {
        return Err("not an RSA signature");
    }
    let (signed, signature) = token.rsplit_once('.').ok_or("no signature")?;
    let bytes = |text: &Value| URL_SAFE_NO_PAD.decode(text.as_str().unwrap_or_default()).unwrap_or_default();
    let public = RsaPublicKeyComponents { n: bytes(&key["n"]), e: bytes(&key["e"]) };
    let signature = bytes(&json!(signature));
    public
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
        .map_err(|_| "the signature is wrong")
}

fn contains(list: &Value, wanted: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|item| item == wanted))
}

fn part(token: &str, index: usize) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(index)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The issuer's host is the service: what DNS and TLS are for.
async fn fetch(service: &Service, issuer: &str, url: &str) -> Result<Value, String> {
    let path = url.strip_prefix(issuer).ok_or_else(|| format!("{url} is elsewhere"))?;
    let reply = service.call("GET", path).send().await;
    if reply.status == 200 && reply.header("content-type") == "application/json" {
        Ok(reply.body)
    } else {
        Err(format!("{} at {url}", reply.status))
    }
}

async fn signing(keys: &KeyPair, previous: &str, issuer: &str, endpoint: Option<&str>) -> Service {
    let settings = [
        ("JWT_ALGORITHM", "RS256"),
        ("JWT_PRIVATE_KEY", &keys.private),
        ("JWT_PUBLIC_KEY", &keys.public),
        ("JWT_PREVIOUS_PUBLIC_KEYS", previous),
        ("JWT_SECRET", "0123456789abcdef0123456789abcdef"),
        ("JWT_ISSUER", issuer),
        ("JWT_AUDIENCE", AUDIENCE),
    ];
    match endpoint {
        Some(endpoint) => Service::start_at(&settings, endpoint).await,
        None => Service::start(&settings).await,
    }
}

/// The URL of a stage, and a custom domain: what an issuer is.
const ISSUERS: [&str; 2] =
    ["https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/PROD", "https://auth.example.com"];

#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_authorizer_lets_access_tokens_through_and_nothing_else() {
    for issuer in ISSUERS {
        let service = signing(&generate("RS256"), "", issuer, None).await;
        let ada = service.signup("ada@example.com").await;
        let now = claims(&ada.access)["iat"].as_u64().expect("a time") + 1;
        let end = claims(&ada.access)["exp"].as_u64().expect("a time");
        let mut authorizer = JwtAuthorizer::create(&service, issuer, &[AUDIENCE]).await.expect(issuer);
        assert_eq!(authorizer.authorize(&ada.access, now), Ok(()));
        assert_eq!(authorizer.authorize(&format!("Bearer {}", ada.access), end - 1), Ok(()));
        assert_eq!(authorizer.authorize(&ada.access, end), Err("the token has expired"));
        assert_eq!(authorizer.authorize(&ada.refresh, now), Err("no key has the token's kid"));
        // The tokens have no scopes: a route that demands one refuses everybody.
        authorizer.scopes = &["orders"];
        assert_eq!(authorizer.authorize(&ada.access, now), Err("no scope of the route"));
        let other = JwtAuthorizer::create(&service, issuer, &["urn:other"]).await.expect(issuer);
        assert_eq!(other.authorize(&ada.access, now), Err("the audience is another"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_authorizer_that_keeps_its_keys_for_two_hours_follows_a_rotation() {
    let issuer = ISSUERS[1];
    let (old, next) = (generate("RS256"), generate("RS256"));
    let before = signing(&old, &next.public, issuer, None).await;
    let first = before.signup("ada@example.com").await;
    let now = claims(&first.access)["iat"].as_u64().expect("a time") + 1;
    // It has asked after the new key was published, and asks no more.
    let kept = JwtAuthorizer::create(&before, issuer, &[AUDIENCE]).await.expect("an issuer");
    let after = signing(&next, &old.public, issuer, Some(before.stack.store_endpoint())).await;
    let second = tokens(&after.refresh(&first.refresh).await.expect(200).body);
    assert_eq!(kept.authorize(&first.access, now), Ok(()));
    assert_eq!(kept.authorize(&second.access, now), Ok(()));
    let retired = signing(&next, "", issuer, Some(before.stack.store_endpoint())).await;
    let asks_again = JwtAuthorizer::create(&retired, issuer, &[AUDIENCE]).await.expect("an issuer");
    assert_eq!(asks_again.authorize(&second.access, now), Ok(()));
    assert_eq!(asks_again.authorize(&first.access, now), Err("no key has the token's kid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_jwt_authorizer_can_be_made_of_an_issuer_that_is_no_https_url() {
    let service = Service::start(&[]).await;
    let made = JwtAuthorizer::create(&service, "urn:latchkey", &["urn:latchkey:api"]).await;
    assert!(made.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_elliptic_signature_is_none_for_an_http_apis_authorizer() {
    let keys = generate("ES256");
    let settings = [
        ("JWT_ALGORITHM", "ES256"),
        ("JWT_PRIVATE_KEY", &keys.private),
        ("JWT_PUBLIC_KEY", &keys.public),
        ("JWT_ISSUER", ISSUERS[1]),
        ("JWT_AUDIENCE", AUDIENCE),
    ];
    let service = Service::start(&settings).await;
    let ada = service.signup("ada@example.com").await;
    let authorizer = JwtAuthorizer::create(&service, ISSUERS[1], &[AUDIENCE]).await.expect("an issuer");
    let now = claims(&ada.access)["iat"].as_u64().expect("a time") + 1;
    assert_eq!(authorizer.authorize(&ada.access, now), Err("not an RSA signature"));
}

/// `OpenID` Connect Discovery 1.0 §3 and §4.2: what is required is there, and no member is an empty list.
#[tokio::test(flavor = "multi_thread")]
async fn the_discovery_document_has_what_is_required_and_nothing_empty() {
    let service = signing(&generate("RS256"), "", ISSUERS[1], None).await;
    let url = format!("{}/.well-known/openid-configuration", ISSUERS[1]);
    let document = fetch(&service, ISSUERS[1], &url).await.expect("a document");
    for name in ["issuer", "jwks_uri"] {
        assert!(document[name].as_str().is_some_and(|text| text.starts_with("https://")), "{name}");
    }
    for name in
        ["response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"]
    {
        assert!(document[name].is_array(), "{name}");
    }
    assert!(!document.as_object().expect("a document").values().any(|value| *value == json!([])));
}
