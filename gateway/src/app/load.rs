//! What is counted elsewhere and told at each scrape: open connections, the work of hashing.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

use crate::{identity::hashing_pool::HashingLoad, listener::Caps, metrics::Metrics};

/// From here on a scrape tells how many connections are open and how the hashing threads do.
pub(super) fn tell(metrics: &Metrics, hashing: &Arc<HashingLoad>, caps: &Arc<Caps>) {
    let load = Load {
        hashing: Arc::clone(hashing),
        caps: Arc::clone(caps),
    };
    metrics.with_registry(|registry| registry.register_collector(Box::new(load)));
}

struct Load {
    hashing: Arc<HashingLoad>,
    caps: Arc<Caps>,
}

impl Collector for Load {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let gauges = [
            (
                "connections_open",
                "Connections that are open, handshakes included",
                self.caps.open(),
            ),
            (
                "hashing_waiting",
                "Passwords that wait for a thread to hash them",
                self.hashing.waiting(),
            ),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let counters = [
            (
                "hashing_refused",
                "Passwords that found the queue full",
                self.hashing.refused(),
            ),
            (
                "hashing_kib_passes",
                "Memory passed over to hash passwords, in KiB",
                self.hashing.kib_passes(),
            ),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(
                name,
                help,
                None,
                counter.metric_type(),
            )?)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Load")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_tells_connections_and_hashing_under_the_products_name() {
        let metrics = Metrics::new();
        tell(&metrics, &Arc::default(), &Caps::new(10, 10, 10));
        let text = metrics.text();
        for line in [
            "octroi_connections_open 0",
            "octroi_hashing_waiting 0",
            "octroi_hashing_refused_total 0",
            "octroi_hashing_kib_passes_total 0",
        ] {
            assert!(text.lines().any(|told| told == line), "{line}: {text}");
        }
    }
}
