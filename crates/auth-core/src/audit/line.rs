//! A line as CloudWatch reads it.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{DIMENSION, Entry, NAMESPACE, ServiceName};

/// What stands in a line: the entry's members beside those of the embedded metric format.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    level: &'static str,
    #[serde(rename = "_aws")]
    metadata: Metadata,
    #[serde(flatten)]
    target: Target<'a>,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// What is to be counted.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    /// In milliseconds of the epoch.
    timestamp: u64,
    cloud_watch_metrics: [Directive; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [[&'static str; 1]; 1],
    metrics: [Definition; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    unit: &'static str,
}

/// The members that the metadata names: the dimension and the metric.
struct Target<'a> {
    service: &'a ServiceName,
    metric: &'static str,
}

impl Serialize for Target<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(2))?;
        members.serialize_entry(DIMENSION, self.service.as_str())?;
        members.serialize_entry(self.metric, &1)?;
        members.end()
    }
}

impl<'a> Line<'a> {
    pub(super) fn new(entry: &'a Entry, service: &'a ServiceName) -> Self {
        let metric = entry.event.metric(entry.outcome);
        let directive = Directive {
            namespace: NAMESPACE,
            dimensions: [[DIMENSION]],
            metrics: [Definition { name: metric, unit: "Count" }],
        };
        Self {
            level: "AUDIT",
            metadata: Metadata {
                timestamp: entry.timestamp.epoch_seconds() * 1_000,
                cloud_watch_metrics: [directive],
            },
            target: Target { service, metric },
            entry,
        }
    }
}
