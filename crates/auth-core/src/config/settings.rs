//! Reads settings one by one and collects what is wrong with them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::setting::Setting;
use super::span;
use crate::secret::Secret;

/// Where a function finds a variable's value, by name.
pub type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Reads what `read` asks for.
///
/// # Errors
///
/// [`Faults`] with every fault that was met, not only the first.
pub fn from_lookup<T>(
    lookup: &Lookup<'_>,
    read: impl FnOnce(&mut Settings<'_>) -> Option<T>,
) -> Result<T, Faults> {
    let mut settings = Settings { lookup, faults: Vec::new(), unresolved: RefCell::default() };
    let value = read(&mut settings);
    let faults = settings.into_faults();
    match value {
        Some(value) if faults.is_empty() => Ok(value),
        _ => Err(Faults(faults)),
    }
}

/// How a CloudFormation dynamic reference begins. CloudFormation replaces it when it deploys; `sam local` and the Lambda
/// console do not.
const DYNAMIC_REFERENCE: &str = "{{resolve:";

/// The environment while it is being read.
///
/// A getter that meets a fault notes it and goes on with the default, so that the next fault is found too;
/// [`from_lookup`] then refuses the whole.
pub struct Settings<'a> {
    lookup: &'a Lookup<'a>,
    faults: Vec<Fault>,
    /// The variables that were read and hold an unresolved dynamic reference.
    unresolved: RefCell<BTreeSet<String>>,
}

impl Settings<'_> {
    /// The value of `setting`, or its default. An empty value counts as absent: CloudFormation cannot leave a variable
    /// out as easily as it can leave it empty.
    pub fn text(&self, setting: &Setting) -> Option<String> {
        self.variable(setting.name).or_else(|| setting.default.map(str::to_owned))
    }

    /// A variable that is not one of Latchkey's own settings, such as `AWS_REGION`.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name).filter(|value| !value.is_empty())?;
        // The text of a reference is public. As a secret it would sign tokens that anybody can forge.
        if value.contains(DYNAMIC_REFERENCE) {
            self.unresolved.borrow_mut().insert(name.to_owned());
        }
        Some(value)
    }

    /// A value that has to be there.
    pub(super) fn required(&mut self, setting: &Setting) -> Option<String> {
        let value = self.text(setting);
        if value.is_none() {
            self.fault(setting, "is missing");
        }
        value
    }

    /// A secret value. It is never repeated, not even in a fault.
    pub(super) fn secret(&self, setting: &Setting) -> Option<Secret> {
        self.text(setting).map(Secret::new)
    }

    /// A span such as `15m`.
    pub(super) fn span(&mut self, setting: &Setting) -> Duration {
        self.parsed(setting, span::parse).unwrap_or_default()
    }

    /// A whole number between `least` and `most`.
    pub(super) fn number(&mut self, setting: &Setting, least: u32, most: u32) -> u32 {
        let number = |text: &str| match u32::from_str(text) {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(format!("{text:?} is not a whole number from {least} to {most}")),
        };
        self.parsed(setting, number).unwrap_or(least)
    }

    /// `on` or `off`.
    pub(super) fn switch(&mut self, setting: &Setting) -> bool {
        self.choice(setting, &[("on", true), ("off", false)])
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy + Default>(&mut self, setting: &Setting, choices: &[(&str, T)]) -> T {
        let pick = |text: &str| {
            choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
                let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
                format!("{text:?} is not one of {}", words.join(", "))
            })
        };
        self.parsed(setting, pick).unwrap_or_default()
    }

    fn parsed<T>(&mut self, setting: &Setting, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.required(setting)?;
        parse(&text)
            .map_err(|fault| self.fault(setting, &fault))
            .or_else(|()| parse(setting.default.unwrap_or_default()))
            .ok()
    }

    /// Notes a fault of `setting`.
    pub(crate) fn fault(&mut self, setting: &Setting, what: &str) {
        self.fault_of(setting.name, what);
    }

    pub(super) fn fault_of(&mut self, name: &str, what: &str) {
        let fault = Fault { variable: name.to_owned(), what: what.to_owned() };
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Every fault. What else is wrong with an unresolved reference is left out: it describes a text that is not the value.
    fn into_faults(self) -> Vec<Fault> {
        let unresolved = self.unresolved.into_inner();
        let others = self.faults.into_iter().filter(|fault| !unresolved.contains(&fault.variable));
        let what = "is a CloudFormation reference that is not resolved ({{resolve:…}}): set the value itself";
        let references =
            unresolved.iter().map(|name| Fault { variable: name.clone(), what: what.to_owned() });
        references.chain(others).collect()
    }
}

/// Everything that is wrong with the environment. [`fmt::Display`] gives one line for each fault: the variable's name
/// and what is wrong with it. A secret's value is never in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// These and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    variable: String,
    what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.variable, self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SessionCheckConfig, setting};
    use super::*;

    fn read<T>(pairs: &[(&str, &str)], read: impl FnOnce(&mut Settings<'_>) -> T) -> Result<T, String> {
        let lookup =
            |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        from_lookup(&lookup, |settings| Some(read(settings))).map_err(|faults| faults.to_string())
    }

    #[test]
    fn an_empty_variable_counts_as_absent() {
        assert_eq!(
            read(&[("REFRESH_GRACE", "")], |s| s.span(&setting::REFRESH_GRACE)),
            Ok(Duration::from_secs(10))
        );
    }

    #[test]
    fn every_fault_is_reported_at_once_by_name() {
        let faults = read(&[("REFRESH_GRACE", "soon"), ("SESSION_CHECK", "maybe")], |s| {
            (
                s.span(&setting::REFRESH_GRACE),
                s.switch(&setting::SESSION_CHECK),
                s.required(&setting::TABLE_NAME),
            )
        });
        let lines = faults.err().unwrap_or_default();
        assert_eq!(
            lines.lines().collect::<Vec<_>>(),
            [
                "REFRESH_GRACE \"soon\" is not a span of time such as 900s, 15m, 1h or 7d",
                "SESSION_CHECK \"maybe\" is not one of on, off",
                "TABLE_NAME is missing",
            ]
        );
    }

    #[test]
    fn a_default_stands_in_for_what_is_wrong_so_that_the_next_fault_is_found() {
        // With `SESSION_CHECK=off` no table would be asked for.
        let faults =
            read(&[("SESSION_CHECK", "maybe"), ("AWS_REGION", "eu-west-1")], SessionCheckConfig::read);
        assert_eq!(
            faults.map(|_| ()),
            Err("SESSION_CHECK \"maybe\" is not one of on, off\nTABLE_NAME is missing".to_owned())
        );
    }

    #[test]
    fn rejects_an_unresolved_dynamic_reference_in_every_setting() {
        let what = "is a CloudFormation reference that is not resolved ({{resolve:…}}): set the value itself";
        for setting in setting::ALL {
            for value in ["{{resolve:secretsmanager:S:SecretString}}", "x,{{resolve:ssm-secure:/s}}"] {
                assert_eq!(
                    read(&[(setting.name, value)], |s| s.text(setting)),
                    Err(format!("{} {what}", setting.name))
                );
            }
        }
        let keys = [("AWS_SECRET_ACCESS_KEY", "{{resolve:ssm:/key}}"), ("AWS_ACCESS_KEY_ID", "id")];
        assert_eq!(
            read(&keys, |s| s.variable("AWS_SECRET_ACCESS_KEY")),
            Err(format!("AWS_SECRET_ACCESS_KEY {what}"))
        );
    }

    #[test]
    fn an_unresolved_reference_is_one_fault_beside_those_of_other_settings() {
        let pairs = [("REFRESH_GRACE", "{{resolve:ssm:/grace}}"), ("SESSION_CHECK", "maybe")];
        let faults = read(&pairs, |s| (s.span(&setting::REFRESH_GRACE), s.switch(&setting::SESSION_CHECK)));
        let lines = faults.err().unwrap_or_default();
        assert_eq!(
            lines.lines().collect::<Vec<_>>(),
            [
                "REFRESH_GRACE is a CloudFormation reference that is not resolved ({{resolve:…}}): set the value itself",
                "SESSION_CHECK \"maybe\" is not one of on, off",
            ]
        );
    }

    #[test]
    fn a_number_outside_its_bounds_is_a_fault() {
        let read = |value| {
            read(&[("PASSWORD_MIN_LENGTH", value)], |s| s.number(&setting::PASSWORD_MIN_LENGTH, 8, 128))
        };
        assert_eq!(read("12"), Ok(12));
        for value in ["7", "129", "-1", "1e2", "99999999999"] {
            assert!(read(value).is_err(), "{value}");
        }
    }
}
