//! An IAM policy, judged for one method.

use serde_json::Value;

/// The statements of a policy document.
#[derive(Clone, Debug)]
pub(super) struct Policy(Vec<Statement>);

#[derive(Clone, Debug)]
struct Statement {
    allows: bool,
    actions: Vec<String>,
    resources: Vec<String>,
}

/// What a policy comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allow,
    /// A statement denies: that wins over any that allow.
    ExplicitDeny,
    /// No statement speaks of it.
    ImplicitDeny,
}

const INVOKE: &str = "execute-api:Invoke";

impl Policy {
    /// Reads a policy document.
    ///
    /// # Errors
    /// Why it is none, or what of it a local run does not judge.
    pub(super) fn read(document: &Value) -> Result<Self, String> {
        let statements = one_or_many(document.get("Statement").ok_or("the policy has no Statement")?);
        statements.iter().map(Statement::read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the policy lets the method `arn` be invoked.
    pub(super) fn verdict(&self, arn: &str) -> Verdict {
        let speaks = |statement: &&Statement| {
            statement
                .actions
                .iter()
                .any(|action| matches(&action.to_ascii_lowercase(), &INVOKE.to_ascii_lowercase()))
                && statement.resources.iter().any(|resource| matches(resource, arn))
        };
        let mut speaking = self.0.iter().filter(speaks).peekable();
        if speaking.peek().is_none() {
            return Verdict::ImplicitDeny;
        }
        if speaking.all(|statement| statement.allows) { Verdict::Allow } else { Verdict::ExplicitDeny }
    }
}

impl Statement {
    fn read(statement: &Value) -> Result<Self, String> {
        let fields = statement.as_object().ok_or("a statement of the policy is not a map")?;
        if let Some(unknown) =
            fields.keys().find(|name| !matches!(name.as_str(), "Sid" | "Effect" | "Action" | "Resource"))
        {
            return Err(format!("{unknown} in a policy is not judged locally"));
        }
        let allows = match fields.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err("a statement's Effect is neither Allow nor Deny".to_owned()),
        };
        Ok(Self { allows, actions: texts(fields.get("Action"))?, resources: texts(fields.get("Resource"))? })
    }
}

fn one_or_many(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    }
}

fn texts(value: Option<&Value>) -> Result<Vec<String>, String> {
    let texts: Option<Vec<_>> = one_or_many(value.unwrap_or(&Value::Null))
        .iter()
        .map(|item| item.as_str().map(str::to_owned))
        .collect();
    texts
        .filter(|texts| !texts.is_empty())
        .ok_or_else(|| "a statement lacks its Action or Resource".to_owned())
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters and `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // `reached[i]`: the pattern so far matches the first `i` characters of the text.
    let mut reached = vec![false; text.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for wanted in pattern {
        let mut next = vec![false; text.len() + 1];
        let mut before = false;
        for (index, slot) in next.iter_mut().enumerate() {
            let here = reached.get(index).copied().unwrap_or_default();
            let one_back = index.checked_sub(1);
            let stepped = one_back.is_some_and(|back| reached.get(back).copied().unwrap_or_default());
            *slot = match wanted {
                '*' => here || before,
                '?' => stepped,
                letter => stepped && one_back.and_then(|back| text.get(back)) == Some(&letter),
            };
            before = *slot;
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:api/prod/GET/auth/me";

    #[expect(clippy::needless_pass_by_value, reason = "tests hand it what `json!` makes")]
    fn verdict(statement: Value) -> Verdict {
        Policy::read(&json!({"Version": "2012-10-17", "Statement": statement})).unwrap().verdict(ARN)
    }

    fn statement(effect: &str, resource: &str) -> Value {
        json!({"Action": INVOKE, "Effect": effect, "Resource": resource})
    }

    #[test]
    fn wildcards_stand_for_any_characters_or_for_one() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*c", "abbbc", true),
            ("a*c", "abbb", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*/me", ARN, true),
            ("arn:*:api/*/GET/*", ARN, true),
            ("arn:*:api/*/POST/*", ARN, false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn an_explicit_deny_wins() {
        let allow = statement("Allow", "*");
        assert_eq!(verdict(allow.clone()), Verdict::Allow);
        assert_eq!(verdict(json!([allow, statement("Deny", "*/auth/me")])), Verdict::ExplicitDeny);
        assert_eq!(verdict(json!([allow, statement("Deny", "*/auth/other")])), Verdict::Allow);
        assert_eq!(verdict(statement("Allow", "*/auth/other")), Verdict::ImplicitDeny);
    }

    #[test]
    fn actions_are_compared_without_case_and_by_wildcard() {
        for (action, expected) in [
            ("execute-api:invoke", Verdict::Allow),
            ("execute-api:*", Verdict::Allow),
            ("*", Verdict::Allow),
            ("dynamodb:*", Verdict::ImplicitDeny),
        ] {
            assert_eq!(verdict(json!({"Action": action, "Effect": "Allow", "Resource": "*"})), expected);
        }
    }

    #[test]
    fn a_policy_that_is_none_is_refused() {
        for document in [
            json!({}),
            json!({"Statement": 1}),
            json!({"Statement": {"Effect": "Maybe", "Action": "*", "Resource": "*"}}),
            json!({"Statement": {"Effect": "Allow", "Resource": "*"}}),
            json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": []}}),
            json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {}}}),
        ] {
            assert!(Policy::read(&document).is_err(), "{document}");
        }
    }
}
