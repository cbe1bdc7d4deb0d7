//! The `Conditions` of a template.

use serde_json::Value;

use super::Fault;
use super::intrinsics::{arguments, expression};
use super::scope::Scope;

impl Scope<'_> {
    /// Whether the condition called `name` holds.
    pub(super) fn condition(&self, name: &str, place: &str) -> Result<bool, Fault> {
        let declared = self.document.get("Conditions").and_then(|conditions| conditions.get(name));
        let declared = declared.ok_or_else(|| Fault::new(place, format!("there is no condition {name}")))?;
        let place = format!("Conditions.{name}");
        self.nested(&place, || self.holds(declared, &place))
    }

    fn holds(&self, raw: &Value, place: &str) -> Result<bool, Fault> {
        match expression(raw) {
            Some(("Condition", name)) => self.condition(&self.text(name, place)?, place),
            Some(("Fn::Equals", operands)) => {
                let [left, right] = arguments(operands, "Fn::Equals", place)?;
                Ok(self.text(left, place)? == self.text(right, place)?)
            }
            Some(("Fn::Not", operands)) => {
                let [operand] = arguments(operands, "Fn::Not", place)?;
                Ok(!self.holds(operand, place)?)
            }
            Some(("Fn::And", operands)) => {
                Ok(self.operands(operands, "Fn::And", place)?.into_iter().all(|holds| holds))
            }
            Some(("Fn::Or", operands)) => {
                Ok(self.operands(operands, "Fn::Or", place)?.into_iter().any(|holds| holds))
            }
            _ => Err(Fault::new(place, "is not a condition")),
        }
    }

    fn operands(&self, raw: &Value, function: &str, place: &str) -> Result<Vec<bool>, Fault> {
        let operands = raw.as_array().ok_or_else(|| Fault::new(place, format!("{function} takes a list")))?;
        operands.iter().map(|operand| self.holds(operand, place)).collect()
    }
}
