//! Which deployment an audit line belongs to.

use std::sync::Arc;

use crate::config::{Settings, setting};

/// The name of a deployment, the value of its metrics' one dimension: two deployments in one account and region count apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceName(Arc<str>);

/// Longest name: within what CloudWatch takes ("`Dimension`" in its API reference: 1 to 1024 ASCII characters).
const MAXIMUM: usize = 255;

impl ServiceName {
    /// Reads `SERVICE_NAME`.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let text = settings.text(&setting::SERVICE_NAME).unwrap_or_default();
        Self::parse(&text).unwrap_or_else(|| {
            let rule = format!("1 to {MAXIMUM} visible ASCII characters, without a colon in front");
            settings.fault(&setting::SERVICE_NAME, &format!("{text:?} is not {rule}"));
            Self::default()
        })
    }

    /// Takes the text form; `None` for what CloudWatch takes no dimension from.
    pub fn parse(text: &str) -> Option<Self> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let fits = (1..=MAXIMUM).contains(&text.len()) && !text.starts_with(':');
        (visible && fits).then(|| Self(text.into()))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ServiceName {
    fn default() -> Self {
        Self(setting::SERVICE_NAME.default.unwrap_or_default().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_metric_can_have_is_refused() {
        assert_eq!(ServiceName::parse("latchkey-eu").as_ref().map(ServiceName::as_str), Some("latchkey-eu"));
        for text in ["", " ", "a b", ":a", "é", &"a".repeat(256)] {
            assert_eq!(ServiceName::parse(text), None, "{text}");
        }
    }
}
