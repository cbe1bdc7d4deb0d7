//! Which route a request takes.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::api::{Api, ApiKind, Route};

/// The route of a request and the values of its path parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Matched<'a> {
    pub(super) route: &'a Route,
    pub(super) parameters: BTreeMap<String, String>,
}

/// How much a segment of a route leaves open. An exact segment wins over a parameter, a parameter over a greedy one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Openness {
    Exact,
    Parameter,
    Greedy,
    /// The catch-all `$default` of an HTTP API.
    Anything,
}

/// Finds the route for `method` and `path`.
///
/// A REST API first finds the resource by its path alone and then the method on it; an HTTP API finds the most specific
/// route that has the method ("Routing API requests" in "Create routes for HTTP APIs").
pub(super) fn find<'a>(api: &'a Api, method: &str, path: &str) -> Option<Matched<'a>> {
    let takes = |route: &Route| route.method == method || route.method == "ANY";
    let mut candidates: Vec<_> = api
        .routes
        .iter()
        .filter(|route| api.kind == ApiKind::Rest || takes(route))
        .filter_map(|route| {
            fit(api.kind, &route.path, path).map(|(openness, values)| (openness, route, values))
        })
        .collect();
    let most_specific = candidates.iter().map(|(openness, ..)| openness.clone()).min()?;
    candidates.retain(|(openness, route, _)| *openness == most_specific && takes(route));
    // The method itself wins over `ANY`.
    candidates.sort_by_key(|(_, route, _)| route.method == "ANY");
    candidates.into_iter().next().map(|(_, route, parameters)| Matched { route, parameters })
}

/// The methods that routes offer for `path`.
pub(super) fn methods(api: &Api, path: &str) -> Vec<String> {
    let offering = api.routes.iter().filter(|route| fit(api.kind, &route.path, path).is_some());
    let mut methods: Vec<_> = offering.map(|route| route.method.clone()).collect();
    methods.sort();
    methods.dedup();
    methods
}

type Fit = (Vec<Openness>, BTreeMap<String, String>);

/// Whether `path` fits `pattern`; if so, how closely, and what its parameters are.
///
/// A REST API ignores a slash at the end and leaves path parameters as they were sent; an HTTP API compares the decoded
/// path, and its parameters are decoded.
fn fit(kind: ApiKind, pattern: &str, path: &str) -> Option<Fit> {
    if pattern == "$default" {
        return Some((vec![Openness::Anything], BTreeMap::new()));
    }
    let decoded = match kind {
        ApiKind::Rest => path.trim_end_matches('/').to_owned(),
        ApiKind::Http | ApiKind::WebSocket => percent_decode_str(path).decode_utf8_lossy().into_owned(),
    };
    let pattern = pattern.strip_prefix('/')?;
    let mut given = decoded.strip_prefix('/').unwrap_or(&decoded).split('/').peekable();
    let mut openness = Vec::new();
    let mut parameters = BTreeMap::new();
    for segment in pattern.split('/') {
        let name = segment.strip_prefix('{').and_then(|inner| inner.strip_suffix('}'));
        match name {
            Some(name) if name.ends_with('+') => {
                let rest = given.by_ref().collect::<Vec<_>>().join("/");
                if rest.is_empty() {
                    return None;
                }
                parameters.insert(name.trim_end_matches('+').to_owned(), rest);
                openness.push(Openness::Greedy);
            }
            Some(name) => {
                let value = given.next().filter(|value| !value.is_empty())?;
                parameters.insert(name.to_owned(), value.to_owned());
                openness.push(Openness::Parameter);
            }
            None => {
                given.next_if_eq(&segment)?;
                openness.push(Openness::Exact);
            }
        }
    }
    given.next().is_none().then_some((openness, parameters))
}

#[cfg(test)]
mod tests {
    use super::super::testing::api;
    use super::*;

    fn taken(kind: ApiKind, routes: &[(&str, &str)], method: &str, path: &str) -> Option<String> {
        let api = api(kind, routes);
        find(&api, method, path).map(|matched| {
            let values: Vec<_> =
                matched.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} {} {}", matched.route.method, matched.route.path, values.join(","))
                .trim_end()
                .to_owned()
        })
    }

    const ROUTES: &[(&str, &str)] = &[
        ("GET", "/pets/{id}"),
        ("GET", "/pets/dog"),
        ("ANY", "/pets/{proxy+}"),
        ("POST", "/pets/dog"),
        ("GET", "/"),
        ("DELETE", "/pets/{id}/toys/{toy}"),
    ];

    #[test]
    fn the_most_specific_route_wins() {
        for kind in [ApiKind::Rest, ApiKind::Http] {
            for (method, path, expected) in [
                ("GET", "/", "GET /"),
                ("GET", "/pets/dog", "GET /pets/dog"),
                ("POST", "/pets/dog", "POST /pets/dog"),
                ("GET", "/pets/cat", "GET /pets/{id} id=cat"),
                ("GET", "/pets/dog/1", "ANY /pets/{proxy+} proxy=dog/1"),
                ("DELETE", "/pets/dog/toys/ball", "DELETE /pets/{id}/toys/{toy} id=dog,toy=ball"),
            ] {
                assert_eq!(
                    taken(kind, ROUTES, method, path).as_deref(),
                    Some(expected),
                    "{kind:?} {method} {path}"
                );
            }
        }
    }

    #[test]
    fn a_rest_resource_without_the_method_does_not_fall_back_and_an_http_api_does() {
        assert_eq!(taken(ApiKind::Rest, ROUTES, "PUT", "/pets/dog"), None);
        let fallen = taken(ApiKind::Http, ROUTES, "PUT", "/pets/dog");
        assert_eq!(fallen.as_deref(), Some("ANY /pets/{proxy+} proxy=dog"));
    }

    #[test]
    fn slashes_at_the_end_are_ignored_by_rest_only() {
        assert_eq!(taken(ApiKind::Rest, &[("GET", "/a")], "GET", "/a/").as_deref(), Some("GET /a"));
        assert_eq!(taken(ApiKind::Http, &[("GET", "/a")], "GET", "/a/"), None);
    }

    #[test]
    fn empty_segments_match_nothing() {
        for path in ["/pets//toys/ball", "//pets/dog/toys/ball", "/pets/"] {
            assert_eq!(taken(ApiKind::Http, &[("DELETE", "/pets/{id}/toys/{toy}")], "DELETE", path), None);
        }
    }

    #[test]
    fn an_http_api_decodes_parameters_and_rest_does_not() {
        let routes = &[("GET", "/s/{id}")];
        assert_eq!(taken(ApiKind::Rest, routes, "GET", "/s/a%20b").as_deref(), Some("GET /s/{id} id=a%20b"));
        assert_eq!(taken(ApiKind::Http, routes, "GET", "/s/a%20b").as_deref(), Some("GET /s/{id} id=a b"));
    }

    #[test]
    fn the_default_route_takes_what_no_other_takes() {
        let routes = &[("ANY", "$default"), ("GET", "/a")];
        assert_eq!(taken(ApiKind::Http, routes, "GET", "/a").as_deref(), Some("GET /a"));
        assert_eq!(taken(ApiKind::Http, routes, "POST", "/a").as_deref(), Some("ANY $default"));
    }
}
