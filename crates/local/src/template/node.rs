//! Reading a template's properties: every access evaluates what it passes, and every complaint names the place.

use serde_json::Value;

use super::Fault;
use super::scope::{Scope, scalar_text};

/// One value of a template, evaluated at its top.
pub(super) struct Node<'s> {
    scope: &'s Scope<'s>,
    value: Value,
    place: String,
}

impl<'s> Node<'s> {
    /// The value `raw` at `place`; `None` if it comes to nothing.
    pub(super) fn new(scope: &'s Scope<'s>, raw: &Value, place: &str) -> Result<Option<Self>, Fault> {
        let value = scope.evaluate(raw, place)?;
        Ok(value.filter(|value| !value.is_null()).map(|value| Self { scope, value, place: place.to_owned() }))
    }

    /// The property `name`, if it is there.
    pub(super) fn field(&self, name: &str) -> Result<Option<Self>, Fault> {
        if !self.value.is_object() {
            return Err(self.fault("must be a map"));
        }
        match self.value.get(name) {
            Some(raw) => Self::new(self.scope, raw, &format!("{}.{name}", self.place)),
            None => Ok(None),
        }
    }

    /// The property `name`, which must be there.
    pub(super) fn required(&self, name: &str) -> Result<Self, Fault> {
        self.field(name)?.ok_or_else(|| Fault::new(format!("{}.{name}", self.place), "is missing"))
    }

    /// Every property, in the order of its name.
    pub(super) fn entries(&self) -> Result<Vec<(String, Self)>, Fault> {
        let fields = self.value.as_object().ok_or_else(|| self.fault("must be a map"))?;
        let mut entries = Vec::new();
        for (name, raw) in fields {
            if let Some(node) = Self::new(self.scope, raw, &format!("{}.{name}", self.place))? {
                entries.push((name.clone(), node));
            }
        }
        Ok(entries)
    }

    /// The names of the properties, without a look at their values.
    pub(super) fn names(&self) -> Result<Vec<String>, Fault> {
        let fields = self.value.as_object().ok_or_else(|| self.fault("must be a map"))?;
        Ok(fields.keys().cloned().collect())
    }

    /// Every item of a list; a scalar is a list of one, as it is in SAM.
    pub(super) fn items(&self) -> Result<Vec<Self>, Fault> {
        if !self.value.is_array() {
            self.text()?;
            let alone = Self { scope: self.scope, value: self.value.clone(), place: self.place.clone() };
            return Ok(vec![alone]);
        }
        self.list()
    }

    /// Every item of a list that may hold anything.
    pub(super) fn list(&self) -> Result<Vec<Self>, Fault> {
        let items = self.value.as_array().ok_or_else(|| self.fault("must be a list"))?;
        let mut nodes = Vec::new();
        for (index, raw) in items.iter().enumerate() {
            nodes.extend(Self::new(self.scope, raw, &format!("{}[{index}]", self.place))?);
        }
        Ok(nodes)
    }

    /// The items of a list, as text.
    pub(super) fn texts(&self) -> Result<Vec<String>, Fault> {
        self.items()?.iter().map(Self::text).collect()
    }

    pub(super) fn text(&self) -> Result<String, Fault> {
        scalar_text(&self.value).ok_or_else(|| self.fault("must be a string"))
    }

    pub(super) fn integer(&self) -> Result<u64, Fault> {
        self.text()?.parse().map_err(|_| self.fault("must be a whole number"))
    }

    pub(super) fn flag(&self) -> Result<bool, Fault> {
        self.text()?.parse().map_err(|_| self.fault("must be true or false"))
    }

    /// Whether this is a scalar and not a map or a list.
    pub(super) fn is_scalar(&self) -> bool {
        scalar_text(&self.value).is_some()
    }

    pub(super) fn fault(&self, what: impl Into<String>) -> Fault {
        Fault::new(&self.place, what)
    }
}
