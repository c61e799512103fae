//! What is counted, for `/metrics`; the request path touches handles that were looked up beforehand.

/// Adds what the counting allocator has counted, for the benchmark of allocations per request.
#[cfg(feature = "count-allocations")]
fn count_allocations(text: &mut String) {
    let stats = crate::ALLOCATOR.stats();
    let count = stats.allocations + stats.reallocations;
    let last_line = "# EOF\n";
    let at = text.len().saturating_sub(last_line.len());
    text.insert_str(at, &format!("heap_allocations_total {count}\n"));
}

mod histogram;

#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::AtomicI64},
    time::Duration,
};

use http::StatusCode;
use octroi_policy::id::RouteName;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use self::histogram::Durations;

/// All counters of the process. Labels come from configuration and closed enums only: nothing that
/// a client sends makes a new time series.
pub(crate) struct Metrics {
    registry: Mutex<Registry>,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Durations>,
    in_flight: Family<RouteLabels, Gauge>,
    refusals: Family<RefusalLabels, Counter>,
    /// Access lines that were dropped because the log could not keep up.
    pub(crate) access_lines_dropped: Counter,
    /// Requests that were about to be forwarded without a permit. Anything but zero is a defect.
    pub(crate) invariant_violations: Counter,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: &'static str,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
struct RefusalLabels {
    reason: &'static str,
}

/// The handles of one route.
#[derive(Clone)]
pub(crate) struct RouteMetrics(Arc<RouteHandles>);

struct RouteHandles {
    /// By class: 1xx to 5xx.
    requests: [Counter; 5],
    seconds: Durations,
    in_flight: Gauge<i64, AtomicI64>,
}

/// One request in flight; dropping it takes it out of the gauge.
pub(crate) struct InFlight(RouteMetrics);

impl Metrics {
    /// Nothing counted yet.
    pub(crate) fn new() -> Arc<Self> {
        let metrics = Self {
            registry: Mutex::new(Registry::with_prefix("octroi")),
            requests: Family::default(),
            seconds: Family::default(),
            in_flight: Family::default(),
            refusals: Family::default(),
            access_lines_dropped: Counter::default(),
            invariant_violations: Counter::default(),
        };
        metrics.with_registry(|registry| metrics.register_in(registry));
        Arc::new(metrics)
    }

    /// The handles of a route; `None` stands for what no route answers.
    pub(crate) fn route(&self, name: Option<&RouteName>) -> RouteMetrics {
        let route = name.map_or(NO_ROUTE, RouteName::as_str);
        let labels = RouteLabels {
            route: route.to_owned(),
        };
        let counted = |status| {
            let route = route.to_owned();
            let labels = RequestLabels { route, status };
            self.requests.get_or_create(&labels).clone()
        };
        RouteMetrics(Arc::new(RouteHandles {
            requests: STATUS_CLASSES.map(counted),
            seconds: self.seconds.get_or_create(&labels).clone(),
            in_flight: self.in_flight.get_or_create(&labels).clone(),
        }))
    }

    /// Counts a refusal by its id, which is one of a closed list.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&RefusalLabels { reason }).inc();
    }

    /// Lets another part of the process register what it counts.
    pub(crate) fn with_registry<T>(&self, register: impl FnOnce(&mut Registry) -> T) -> T {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        register(&mut registry)
    }

    /// Everything in the `OpenMetrics` text format.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail; what was written until then is still true.
        let _ = self.with_registry(|registry| encode(&mut text, registry));
        #[cfg(feature = "count-allocations")]
        count_allocations(&mut text);
        text
    }

    fn register_in(&self, registry: &mut Registry) {
        registry.register(
            "requests",
            "Requests answered, by route and class of status",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "From the head of a request to the last byte of its answer",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register(
            "requests_in_flight",
            "Requests being answered",
            self.in_flight.clone(),
        );
        registry.register(
            "refusals",
            "Requests not forwarded, by reason",
            self.refusals.clone(),
        );
        registry.register(
            "access_lines_dropped",
            "Access lines lost because the log could not keep up",
            self.access_lines_dropped.clone(),
        );
        registry.register(
            "invariant_violations",
            "Requests that were about to be forwarded without a permit",
            self.invariant_violations.clone(),
        );
    }
}

impl RouteMetrics {
    /// Counts a request in until the guard is dropped.
    pub(crate) fn begin(&self) -> InFlight {
        self.0.in_flight.inc();
        InFlight(self.clone())
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, status: Option<StatusCode>, took: Duration) {
        let class = status.map_or(5, |status| status.as_u16() / 100);
        let position = usize::from(class.clamp(1, 5) - 1);
        if let Some(counter) = self.0.requests.get(position) {
            counter.inc();
        }
        self.0.seconds.observe(took);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.in_flight.dec();
    }
}

/// What no route answers: pages, refusals before a route was found.
const NO_ROUTE: &str = "-";

const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
