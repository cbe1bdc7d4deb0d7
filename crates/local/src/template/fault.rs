//! What is wrong with a template, and where.

/// One fault of a template: the place is a path such as `Resources.LoginFunction.Properties.Timeout`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Fault {
    place: String,
    what: String,
}

impl Fault {
    /// A fault `what` at `place`.
    pub fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}
