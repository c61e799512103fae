//! How long answers took, in classes: counted by atomics, so that no worker waits for another.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, TypedMetric},
};

/// A histogram of durations. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Durations(Arc<Cells>);

#[derive(Debug, Default)]
struct Cells {
    /// How many lie in each class; one more than there are bounds, for what lies above the last.
    classes: [AtomicU64; BOUNDS.len() + 1],
    /// All durations together. An overflow takes half a million years of answers.
    micros: AtomicU64,
}

impl Durations {
    /// Counts one.
    pub(super) fn observe(&self, took: Duration) {
        let class = BOUNDS.iter().position(|bound| took <= *bound);
        if let Some(class) = self.0.classes.get(class.unwrap_or(BOUNDS.len())) {
            class.fetch_add(1, Ordering::Relaxed);
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.0.micros.fetch_add(micros, Ordering::Relaxed);
    }
}

impl TypedMetric for Durations {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Durations {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let bounds = BOUNDS.iter().map(Duration::as_secs_f64);
        let bounds = bounds.chain([f64::INFINITY]);
        let counts = self.0.classes.iter();
        let counts = counts.map(|class| class.load(Ordering::Relaxed));
        let classes: Vec<(f64, u64)> = bounds.zip(counts).collect();
        // Taken from the classes, so that the two always agree.
        let count = classes.iter().map(|(_, count)| count).sum();
        let sum = Duration::from_micros(self.0.micros.load(Ordering::Relaxed));
        encoder.encode_histogram::<NoLabelSet>(sum.as_secs_f64(), count, &classes, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

/// From a cached answer on the same machine to a report that takes a minute.
const BOUNDS: [Duration; 11] = [
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(10),
    Duration::from_mins(1),
];
