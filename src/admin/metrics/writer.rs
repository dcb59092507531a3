//! Writes families of metrics.

use std::fmt;

use arauto::DurationCounts;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// The labels of a metric: names and values.
pub(super) type Labels<'a> = Vec<(&'static str, &'a str)>;

/// Writes families of metrics one after the other.
pub(super) struct FamilyWriter<'e>(pub(super) DescriptorEncoder<'e>);

impl FamilyWriter<'_> {
    /// Writes a gauge without labels.
    pub(super) fn gauge(
        &mut self,
        name: &str,
        help: &str,
        value: impl EncodeGaugeValue,
    ) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        metric.encode_gauge(&value)
    }

    /// Writes a gauge for each of some labels.
    pub(super) fn gauges<'a, V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'a>, V)>,
    ) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    /// Writes a counter without labels; its name gets the suffix `_total`.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, f64>(&value, None)
    }

    /// Writes a counter for each of some labels.
    pub(super) fn counters<'a>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'a>, u64)>,
    ) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            let mut metric = metric.encode_family(&labels)?;
            metric.encode_counter::<NoLabelSet, _, f64>(&value, None)?;
        }
        Ok(())
    }

    /// Writes a histogram of seconds; its name gets the suffix `_seconds`.
    pub(super) fn seconds(
        &mut self,
        name: &str,
        help: &str,
        durations: &DurationCounts,
    ) -> fmt::Result {
        let buckets: Vec<(f64, u64)> = durations
            .buckets
            .iter()
            .map(|(bound, count)| {
                (
                    bound.map_or(f64::INFINITY, |bound| bound.as_secs_f64()),
                    *count,
                )
            })
            .collect();
        let unit = Unit::Seconds;
        let mut metric =
            self.0
                .encode_descriptor(name, help, Some(&unit), MetricType::Histogram)?;
        let sum = durations.sum.as_secs_f64();
        metric.encode_histogram::<NoLabelSet>(sum, durations.count(), &buckets, None)
    }
}
