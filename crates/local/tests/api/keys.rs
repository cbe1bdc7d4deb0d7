//! Every algorithm, the public documents, and a change of keys that signs nobody out.

use std::path::Path;

use serde_json::json;

use crate::support::keys::{KeyPair, generate};
use crate::support::{Service, tokens};

const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const NEXT_SECRET: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

fn header(token: &str) -> serde_json::Value {
    use base64::Engine;
    let part = token.split('.').next().expect("a header");
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64url");
    serde_json::from_slice(&json).expect("JSON")
}

async fn asymmetric(algorithm: &str, keys: &KeyPair, previous: &str, endpoint: Option<&str>) -> Service {
    let settings = [
        ("JWT_ALGORITHM", algorithm),
        ("JWT_PRIVATE_KEY", &keys.private),
        ("JWT_PUBLIC_KEY", &keys.public),
        ("JWT_PREVIOUS_PUBLIC_KEYS", previous),
        ("JWT_SECRET", SECRET),
        ("JWT_ISSUER", "https://id.example.com"),
    ];
    match endpoint {
        Some(endpoint) => Service::start_at(&settings, endpoint).await,
        None => Service::start(&settings).await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hmac_algorithm_signs_and_verifies_and_publishes_nothing() {
    for algorithm in ["HS256", "HS384", "HS512"] {
        let service = Service::start(&[("JWT_ALGORITHM", algorithm), ("JWT_SECRET", SECRET)]).await;
        let first = service.signup("ada@example.com").await;
        assert_eq!(
            (&header(&first.access)["alg"], &header(&first.access)["typ"]),
            (&json!(algorithm), &json!("at+jwt"))
        );
        assert_eq!(
            (&header(&first.refresh)["alg"], &header(&first.refresh)["typ"]),
            (&json!("HS256"), &json!("rt+jwt"))
        );
        assert_ne!(header(&first.access)["kid"], header(&first.refresh)["kid"], "a key for each purpose");
        service.me(&first.access).await.expect(200);
        let keys = service.call("GET", "/.well-known/jwks.json").send().await.expect(200);
        assert_eq!(keys.body, json!({"keys": []}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_asymmetric_algorithm_signs_verifies_and_publishes_its_key() {
    for (algorithm, kty) in [("RS256", "RSA"), ("ES256", "EC"), ("EdDSA", "OKP")] {
        let keys = generate(algorithm);
        let service = asymmetric(algorithm, &keys, "", None).await;
        let first = service.signup("ada@example.com").await;
        service.me(&first.access).await.expect(200);
        let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
        service.me(&second.access).await.expect(200);
        let jwks = service.call("GET", "/.well-known/jwks.json").send().await.expect(200);
        assert_eq!(jwks.header("cache-control"), "public, max-age=300");
        let key = &jwks.body["keys"][0];
        assert_eq!(
            (&key["kty"], &key["alg"], &key["use"]),
            (&json!(kty), &json!(algorithm), &json!("sig")),
            "{key}"
        );
        assert_eq!(key["kid"], header(&first.access)["kid"]);
        let members: Vec<&str> = key.as_object().expect("a key").keys().map(String::as_str).collect();
        assert!(!members.contains(&"d"), "the public half alone: {members:?}");
        let discovery = service.call("GET", "/.well-known/openid-configuration").send().await.expect(200);
        assert_eq!(discovery.body["issuer"], "https://id.example.com");
        assert_eq!(discovery.body["jwks_uri"], "https://id.example.com/.well-known/jwks.json");
        assert_eq!(discovery.body["id_token_signing_alg_values_supported"], json!([algorithm]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_of_an_issuer_without_a_url_are_where_the_client_found_them() {
    let service = Service::start(&[]).await;
    let discovery = service.call("GET", "/.well-known/openid-configuration").send().await.expect(200);
    assert_eq!(discovery.body["jwks_uri"], format!("{}/.well-known/jwks.json", service.stack.url()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_signs_nobody_out_while_the_old_one_is_kept() {
    let old = Service::start(&[("JWT_SECRET", SECRET)]).await;
    let first = old.signup("ada@example.com").await;
    let endpoint = old.stack.store_endpoint();
    let new =
        Service::start_at(&[("JWT_SECRET", NEXT_SECRET), ("JWT_PREVIOUS_SECRETS", SECRET)], endpoint).await;
    new.me(&first.access).await.expect(200);
    let second = tokens(&new.refresh(&first.refresh).await.expect(200).body);
    assert_ne!(header(&first.access)["kid"], header(&second.access)["kid"]);
    let retired = Service::start_at(&[("JWT_SECRET", NEXT_SECRET)], endpoint).await;
    retired.me(&second.access).await.expect(200);
    retired.me(&first.access).await.expect(401);
    retired.refresh(&second.refresh).await.expect(200);
}

/// The three deployments of "Changing the secret with nobody signed out", and the one before: each of them beside the next, as
/// functions are replaced one after the other.
#[tokio::test(flavor = "multi_thread")]
async fn each_step_of_a_change_of_secrets_signs_nobody_out() {
    let engine = Service::start(&[]).await;
    let endpoint = engine.stack.store_endpoint();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rotation-{}", std::process::id()));
    let deploy = async |current, previous| {
        let parameters = [("SecretVersion", current), ("PreviousSecretVersion", previous)];
        Service::deploy(&parameters, endpoint, &folder).await
    };
    let steps = [
        deploy("old", "").await,
        deploy("old", "new").await,
        deploy("new", "old").await,
        deploy("new", "").await,
    ];
    let first = steps[0].signup("ada@example.com").await;
    let mut carried = first.clone();
    for pair in steps.windows(2) {
        for (from, to) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
            let login = from.login("ada@example.com").await;
            to.me(&login.access).await.expect(200);
            let next = tokens(&to.refresh(&login.refresh).await.expect(200).body);
            from.me(&next.access).await.expect(200);
            from.refresh(&next.refresh).await.expect(200);
        }
        carried = tokens(&pair[1].refresh(&carried.refresh).await.expect(200).body);
        pair[1].me(&carried.access).await.expect(200);
    }
    let (before, after) = (&steps[0], &steps[3]);
    after.me(&first.access).await.expect(401);
    after.refresh(&first.refresh).await.expect(401);
    // Why there is a first step: without it, a function that is still to be replaced refuses what others sign.
    before.me(&steps[2].login("ada@example.com").await.access).await.expect(401);
    std::fs::remove_dir_all(folder).expect("the folder of the test");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_pair_signs_nobody_out_while_the_old_one_is_published() {
    let (old_keys, new_keys) = (generate("ES256"), generate("ES256"));
    let old = asymmetric("ES256", &old_keys, "", None).await;
    let first = old.signup("ada@example.com").await;
    let new = asymmetric("ES256", &new_keys, &old_keys.public, Some(old.stack.store_endpoint())).await;
    new.me(&first.access).await.expect(200);
    let second = tokens(&new.refresh(&first.refresh).await.expect(200).body);
    new.me(&second.access).await.expect(200);
    let jwks = new.call("GET", "/.well-known/jwks.json").send().await.expect(200);
    let kids: Vec<_> =
        jwks.body["keys"].as_array().expect("a list").iter().map(|key| key["kid"].clone()).collect();
    assert_eq!(kids, [header(&second.access)["kid"].clone(), header(&first.access)["kid"].clone()]);
}
