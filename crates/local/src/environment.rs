//! What a function finds in its environment: the template's settings, those of the process in their place, and what the
//! AWS SDK needs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::tables::Access;
use crate::template::{Function, Template};

/// The variables of the AWS SDK that a function of a local run has.
const SDK: [&str; 5] = [
    "AWS_REGION",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// The process's environment, and which of it was asked for.
pub(crate) struct Environment<'a> {
    process: &'a BTreeMap<String, String>,
    asked: RefCell<BTreeSet<String>>,
}

impl<'a> Environment<'a> {
    /// Nothing of `process` has been asked for.
    pub(crate) const fn new(process: &'a BTreeMap<String, String>) -> Self {
        Self { process, asked: RefCell::new(BTreeSet::new()) }
    }

    /// The process's own value of a setting.
    pub(crate) fn process(&self, name: &str) -> Option<String> {
        let value = self.process.get(name)?;
        self.asked.borrow_mut().insert(name.to_owned());
        Some(value.clone())
    }

    /// The settings that the process has, of those that were asked for.
    pub(crate) fn overridden(&self) -> BTreeSet<String> {
        self.asked.borrow().clone()
    }

    /// What `function` finds under `name`. Any setting that it asks for may come from the process, declared or not.
    pub(crate) fn variable(&self, access: &Access, function: &Function, name: &str) -> Option<String> {
        // The variables of the AWS SDK are never the developer's own: a local run must not reach into a real account.
        match name {
            "AWS_REGION" => Some(access.region.clone()),
            "AWS_ENDPOINT_URL_DYNAMODB" => Some(access.endpoint.clone()),
            "AWS_ACCESS_KEY_ID" => Some(access.access_key_id.clone()),
            "AWS_SECRET_ACCESS_KEY" => Some(access.secret_access_key.clone()),
            // Lambda gives each function keys of its own role. These name the function, so that whoever stands in front of the
            // engine can tell whose request it is.
            "AWS_SESSION_TOKEN" if access.keyless => Some(function.package.clone()),
            "AWS_SESSION_TOKEN" => access.session_token.clone(),
            other if other.starts_with("AWS_") => None,
            name => self.process(name).or_else(|| function.environment.get(name).cloned()),
        }
    }

    /// Every variable that the template declares for `function`, and those of the SDK.
    pub(crate) fn of(&self, access: &Access, function: &Function) -> BTreeMap<String, String> {
        let names = function.environment.keys().map(String::as_str).chain(SDK);
        names.filter_map(|name| Some((name.to_owned(), self.variable(access, function, name)?))).collect()
    }

    /// A setting that the functions share: the process's own, or else what the template says first.
    pub(crate) fn shared(&self, template: &Template, name: &str) -> Option<String> {
        let declared =
            || template.functions.values().find_map(|function| function.environment.get(name).cloned());
        self.process(name).or_else(declared)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_functions_variable_is_the_processs_then_the_templates_and_never_the_developers_keys() {
        let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let process = [
            text("A", "process"),
            text("C", "process"),
            text("AWS_PROFILE", "real"),
            text("AWS_REGION", "real"),
        ];
        let process = BTreeMap::from(process);
        let environment = Environment::new(&process);
        let access = Access::local("http://127.0.0.1:1");
        let function = Function {
            package: "me".to_owned(),
            arn: String::new(),
            timeout: Duration::ZERO,
            memory_mib: 128,
            environment: BTreeMap::from([text("A", "template"), text("B", "template")]),
        };
        for (name, value) in [
            ("A", Some("process")),
            ("B", Some("template")),
            ("C", Some("process")),
            ("D", None),
            ("AWS_REGION", Some("us-east-1")),
            ("AWS_PROFILE", None),
            ("AWS_SESSION_TOKEN", Some("me")),
        ] {
            assert_eq!(environment.variable(&access, &function, name).as_deref(), value, "{name}");
        }
        assert_eq!(environment.overridden(), BTreeSet::from(["A".to_owned(), "C".to_owned()]));
    }
}
