//! Intrinsic functions: what `!Sub`, `!If`, `!FindInMap` and the others come to.
//!
//! Source: "Intrinsic function reference" in the AWS CloudFormation Template Reference. Evaluation is lazy: the
//! template of a deployment says much (alarms, policies, dashboards) that a local run never looks at.

use serde_json::Value;

use super::Fault;
use super::scope::{Scope, scalar_text};

const MAX_DEPTH: usize = 100;

impl Scope<'_> {
    /// Evaluates the expression at the top of `raw`, if there is one, and leaves what lies deeper as it is. `None` is
    /// `AWS::NoValue`: the property counts as absent.
    pub(super) fn evaluate(&self, raw: &Value, place: &str) -> Result<Option<Value>, Fault> {
        let Some((name, argument)) = expression(raw) else { return Ok(Some(raw.clone())) };
        self.nested(place, || match name {
            "Ref" => self.reference(&self.text(argument, place)?, place),
            "Fn::If" => self.choose(argument, place),
            "Fn::Sub" => self.substitute(argument, place).map(Some),
            "Fn::GetAtt" => self.attribute_of(argument, place).map(Some),
            "Fn::Join" => self.join(argument, place).map(Some),
            "Fn::FindInMap" => self.find_in_map(argument, place),
            "Fn::Select" => self.select(argument, place).map(Some),
            "Fn::Split" => self.split(argument, place).map(Some),
            "Fn::ImportValue" => self.import(&self.text(argument, place)?, place).map(Some),
            other => Err(Fault::new(place, format!("{other} is not understood locally"))),
        })
    }

    /// Runs `work` one level deeper.
    ///
    /// # Errors
    /// What `work` says, or a [`Fault`] if the expression never comes to an end.
    pub(super) fn nested<T>(&self, place: &str, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth.get() >= MAX_DEPTH {
            return Err(Fault::new(place, "refers to itself"));
        }
        self.depth.set(self.depth.get() + 1);
        let outcome = work();
        self.depth.set(self.depth.get() - 1);
        outcome
    }

    /// An expression that must come to a scalar, as text.
    pub(super) fn text(&self, raw: &Value, place: &str) -> Result<String, Fault> {
        let value = self.evaluate(raw, place)?;
        value.as_ref().and_then(scalar_text).ok_or_else(|| Fault::new(place, "must be a string"))
    }

    fn list(&self, raw: &Value, place: &str) -> Result<Vec<Value>, Fault> {
        match self.evaluate(raw, place)? {
            Some(Value::Array(items)) => Ok(items),
            _ => Err(Fault::new(place, "must be a list")),
        }
    }

    fn choose(&self, argument: &Value, place: &str) -> Result<Option<Value>, Fault> {
        let [condition, yes, no] = arguments(argument, "Fn::If", place)?;
        let condition = self.text(condition, place)?;
        self.evaluate(if self.condition(&condition, place)? { yes } else { no }, place)
    }

    fn attribute_of(&self, argument: &Value, place: &str) -> Result<Value, Fault> {
        if let Some((resource, attribute)) = argument.as_str().and_then(|text| text.split_once('.')) {
            return self.attribute(resource, attribute, place);
        }
        let [resource, attribute] = arguments(argument, "Fn::GetAtt", place)?;
        self.attribute(&self.text(resource, place)?, &self.text(attribute, place)?, place)
    }

    fn join(&self, argument: &Value, place: &str) -> Result<Value, Fault> {
        let [delimiter, items] = arguments(argument, "Fn::Join", place)?;
        let mut parts = Vec::new();
        for item in self.list(items, place)? {
            if let Some(value) = self.evaluate(&item, place)? {
                let text = scalar_text(&value);
                parts.push(text.ok_or_else(|| Fault::new(place, "Fn::Join joins strings only"))?);
            }
        }
        Ok(Value::from(parts.join(&self.text(delimiter, place)?)))
    }

    fn find_in_map(&self, argument: &Value, place: &str) -> Result<Option<Value>, Fault> {
        let [map, top, second] = arguments(argument, "Fn::FindInMap", place)?;
        let found =
            self.mapped(&self.text(map, place)?, &self.text(top, place)?, &self.text(second, place)?, place)?;
        Ok(Some(found.clone()))
    }

    fn select(&self, argument: &Value, place: &str) -> Result<Value, Fault> {
        let [index, items] = arguments(argument, "Fn::Select", place)?;
        let index = self.text(index, place)?;
        let items = self.list(items, place)?;
        let item = index.parse().ok().and_then(|index: usize| items.get(index));
        let item = item.ok_or_else(|| Fault::new(place, format!("Fn::Select has no item {index}")))?;
        self.text(item, place).map(Value::from)
    }

    fn split(&self, argument: &Value, place: &str) -> Result<Value, Fault> {
        let [delimiter, text] = arguments(argument, "Fn::Split", place)?;
        let delimiter = self.text(delimiter, place)?;
        Ok(self.text(text, place)?.split(&delimiter).map(Value::from).collect())
    }

    fn substitute(&self, argument: &Value, place: &str) -> Result<Value, Fault> {
        let nothing = Value::Null;
        let (text, variables) = match argument {
            Value::Array(_) => {
                let [text, variables] = arguments(argument, "Fn::Sub", place)?;
                (text, variables)
            }
            text => (text, &nothing),
        };
        let text = text.as_str().ok_or_else(|| Fault::new(place, "Fn::Sub wants a string"))?;
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, remainder) =
                after.split_once('}').ok_or_else(|| Fault::new(place, "Fn::Sub: a ${ without its }"))?;
            filled.push_str(before);
            filled.push_str(&self.variable(name.trim(), variables, place)?);
            rest = remainder;
        }
        filled.push_str(rest);
        Ok(Value::from(filled))
    }

    /// One `${name}` of `Fn::Sub`; `${!name}` is the way to write a literal `${name}`.
    fn variable(&self, name: &str, variables: &Value, place: &str) -> Result<String, Fault> {
        if let Some(literal) = name.strip_prefix('!') {
            return Ok(format!("${{{literal}}}"));
        }
        if let Some(given) = variables.get(name) {
            return self.text(given, place);
        }
        let value = match name.split_once('.') {
            Some((resource, attribute)) => Some(self.attribute(resource, attribute, place)?),
            None => self.reference(name, place)?,
        };
        value
            .as_ref()
            .and_then(scalar_text)
            .ok_or_else(|| Fault::new(place, format!("Fn::Sub: {name} is not a string")))
    }
}

/// The function and its argument, if `value` is an expression and not plain data.
pub(super) fn expression(value: &Value) -> Option<(&str, &Value)> {
    let fields = value.as_object()?;
    let (name, argument) = fields.iter().next()?;
    (fields.len() == 1 && (name == "Ref" || name == "Condition" || name.starts_with("Fn::")))
        .then_some((name.as_str(), argument))
}

/// The arguments of a function that takes exactly `N`.
pub(super) fn arguments<'v, const N: usize>(
    argument: &'v Value,
    function: &str,
    place: &str,
) -> Result<&'v [Value; N], Fault> {
    let list = argument.as_array().and_then(|list| list.as_slice().try_into().ok());
    list.ok_or_else(|| Fault::new(place, format!("{function} takes a list of {N}")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::yaml;
    use super::*;

    const TEMPLATE: &str = "
Parameters:
  Format: {Type: String, Default: camel}
  Origins: {Type: CommaDelimitedList, Default: 'https://a.example, https://b.example'}
  Required: {Type: String}
Conditions:
  IsCamel: !Equals [!Ref Format, camel]
  IsSnake: !Equals [!Ref Format, snake]
  Neither: !Not [!Or [!Condition IsCamel, !Condition IsSnake]]
  Both: !And [!Condition IsCamel, !Condition IsSnake]
  Loop: !Not [!Condition Loop]
Mappings:
  Spelling: {camel: {Id: requestId}, snake: {Id: request_id}}
Resources:
  UsersTable: {Type: 'AWS::DynamoDB::Table', Properties: {TableName: !Sub '${AWS::StackName}-users'}}
  Named: {Type: 'AWS::DynamoDB::Table', Properties: {TableName: !Ref Named}}
  LoginFunction: {Type: 'AWS::Serverless::Function'}
  Secret: {Type: 'AWS::SecretsManager::Secret'}
";

    fn evaluate(expression: &str) -> Result<Option<Value>, Fault> {
        let document = yaml::parse(TEMPLATE).unwrap();
        let imports = BTreeMap::from([("elsewhere-Arn".to_owned(), "arn:aws:lambda:there".to_owned())]);
        let scope = Scope::new(&document, "latchkey", &imports, &BTreeMap::new()).unwrap();
        scope.evaluate(&yaml::parse(expression).unwrap(), "here")
    }

    #[test]
    fn every_intrinsic_function_comes_to_what_cloudformation_makes_of_it() {
        for (expression, expected) in [
            ("plain", json!("plain")),
            ("!Ref Format", json!("camel")),
            ("!Ref Origins", json!(["https://a.example", "https://b.example"])),
            ("!Ref AWS::Region", json!("us-east-1")),
            ("!Ref UsersTable", json!("latchkey-users")),
            ("!GetAtt UsersTable.Arn", json!("arn:aws:dynamodb:us-east-1:123456789012:table/latchkey-users")),
            (
                "!GetAtt LoginFunction.Arn",
                json!("arn:aws:lambda:us-east-1:123456789012:function:latchkey-LoginFunction"),
            ),
            (
                "!Sub 'a-${Format}-${!x}-${LoginFunction.Arn}'",
                json!("a-camel-${x}-arn:aws:lambda:us-east-1:123456789012:function:latchkey-LoginFunction"),
            ),
            ("!Sub ['${A}${Format}', {A: !Ref AWS::Partition}]", json!("awscamel")),
            ("!Join [',', !Ref Origins]", json!("https://a.example,https://b.example")),
            ("!Join ['', [a, !Ref AWS::NoValue, !Ref Format]]", json!("acamel")),
            ("!FindInMap [Spelling, !Ref Format, Id]", json!("requestId")),
            ("!Select [1, !Split ['|', 'a|b|c']]", json!("b")),
            ("!If [IsCamel, yes, no]", json!(true)),
            ("!If [IsSnake, 1, !If [Neither, 2, 3]]", json!(3)),
            ("!If [Both, 1, 2]", json!(2)),
            ("Fn::Join: ['-', [a, b]]", json!("a-b")),
            ("!ImportValue elsewhere-Arn", json!("arn:aws:lambda:there")),
            ("Fn::ImportValue: !Join ['-', [elsewhere, Arn]]", json!("arn:aws:lambda:there")),
        ] {
            assert_eq!(evaluate(expression), Ok(Some(expected)), "{expression}");
        }
        assert_eq!(evaluate("!If [IsSnake, 1, !Ref AWS::NoValue]"), Ok(None));
    }

    #[test]
    fn what_cannot_be_evaluated_says_why() {
        for (expression, says) in [
            ("!Ref Nothing", "here: there is no parameter or resource Nothing"),
            ("!Ref Required", "here: the parameter Required has no Default"),
            ("!Ref Named", "Resources.Named.Properties.TableName: refers to itself"),
            ("!If [Loop, 1, 2]", "Conditions.Loop: refers to itself"),
            ("!If [Missing, 1, 2]", "here: there is no condition Missing"),
            ("!Join [1]", "here: Fn::Join takes a list of 2"),
            ("!FindInMap [Spelling, klingon, Id]", "here: Mappings.Spelling.klingon.Id is not there"),
            ("!Select [9, [a]]", "here: Fn::Select has no item 9"),
            ("!Sub '${Format'", "here: Fn::Sub: a ${ without its }"),
            ("!ImportValue other", "here: imports other from another stack, which is not there locally"),
            ("!Cidr [a, 1]", "here: Fn::Cidr is not understood locally"),
        ] {
            assert_eq!(evaluate(expression).unwrap_err().to_string(), says, "{expression}");
        }
    }
}
