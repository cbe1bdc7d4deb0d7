//! The API's OpenAPI document, for the tools that read one. It is no part of what is deployed.

use serde_json::Value;

/// Where it is served: beside the API, at the root.
pub(crate) const PATH: &str = "/openapi.json";

const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

/// The document of an API below `base_path`.
pub(crate) fn document(base_path: &str) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(DOCUMENT) else { return DOCUMENT.to_owned() };
    if let Some(server) = document.pointer_mut("/servers/0/url") {
        *server = if base_path.is_empty() { "/".into() } else { base_path.into() };
    }
    document.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_names_where_the_api_is() -> Result<(), serde_json::Error> {
        for (base_path, url) in [("", "/"), ("/api/v1", "/api/v1")] {
            let document: Value = serde_json::from_str(&document(base_path))?;
            assert_eq!(document.pointer("/servers/0/url"), Some(&url.into()));
        }
        Ok(())
    }
}
