//! How many connections may be open, in all and for one client, and how many requests over HTTP/2.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use octroi_policy::throttle::{Net, SOURCES_OF_A_NET, Source};

/// Counts the connections of the whole process.
pub(crate) struct Caps {
    total: AtomicUsize,
    total_max: usize,
    by_client: Mutex<Clients>,
    per_client_max: usize,
    per_net_max: usize,
    streams_per_client_max: usize,
}

/// Who has what open. Keyed hashes: clients choose their addresses.
#[derive(Default)]
struct Clients {
    sources: HashMap<Source, Load>,
    /// The connections of the sources of a net together.
    nets: HashMap<Net, usize>,
}

/// What one client has open.
struct Load {
    connections: usize,
    streams: Arc<ClientStreams>,
}

/// Counts the streams of one client over all of its connections: each that the client leaves
/// unread keeps what was made ready for it.
pub(super) struct ClientStreams {
    open: AtomicUsize,
    max: usize,
}

impl Caps {
    /// Counts against these caps.
    pub(crate) fn new(
        total_max: usize,
        per_client_max: usize,
        streams_per_client_max: usize,
    ) -> Arc<Self> {
        Arc::new(Self {
            total: AtomicUsize::new(0),
            total_max,
            by_client: Mutex::default(),
            per_client_max,
            per_net_max: usize::try_from(SOURCES_OF_A_NET)
                .map_or(usize::MAX, |sources| per_client_max.saturating_mul(sources)),
            streams_per_client_max,
        })
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    /// Counts one more connection, if there is room.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Slot> {
        let before = self.total.fetch_add(1, Ordering::Relaxed);
        // Made in either case: dropping it gives the place back.
        let slot = Slot(Arc::clone(self));
        (before < self.total_max).then_some(slot)
    }

    /// Counts one more connection of `client`, if there is room for it and for its net.
    pub(super) fn enter_as(self: &Arc<Self>, client: IpAddr) -> Option<ClientSlot> {
        let (client, net) = (Source::of(client), Net::of(client));
        let mut by_client = self.by_client();
        let of_net = net.and_then(|net| by_client.nets.get(&net));
        if of_net.is_some_and(|connections| *connections >= self.per_net_max) {
            return None;
        }
        let load = by_client.sources.entry(client).or_insert_with(|| Load {
            connections: 0,
            streams: Arc::new(ClientStreams {
                open: AtomicUsize::new(0),
                max: self.streams_per_client_max,
            }),
        });
        if load.connections >= self.per_client_max {
            return None;
        }
        load.connections += 1;
        let streams = Arc::clone(&load.streams);
        if let Some(net) = net {
            *by_client.nets.entry(net).or_default() += 1;
        }
        drop(by_client);
        Some(ClientSlot {
            caps: Arc::clone(self),
            client,
            net,
            streams,
        })
    }

    fn by_client(&self) -> MutexGuard<'_, Clients> {
        self.by_client
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place among all; dropping it gives the place back.
pub(super) struct Slot(Arc<Caps>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.total.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection's place among those of its client; dropping it gives the place back.
pub(super) struct ClientSlot {
    caps: Arc<Caps>,
    client: Source,
    net: Option<Net>,
    streams: Arc<ClientStreams>,
}

impl ClientSlot {
    /// Where the streams of this client are counted.
    pub(super) const fn streams(&self) -> &Arc<ClientStreams> {
        &self.streams
    }
}

impl ClientStreams {
    /// Counts one more stream, if there is room.
    pub(super) fn enter(self: &Arc<Self>) -> Option<StreamSlot> {
        let before = self.open.fetch_add(1, Ordering::Relaxed);
        let slot = StreamSlot(Arc::clone(self));
        (before < self.max).then_some(slot)
    }
}

/// A stream's place among those of its client; dropping it gives the place back.
pub(super) struct StreamSlot(Arc<ClientStreams>);

impl Drop for StreamSlot {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for ClientSlot {
    fn drop(&mut self) {
        let mut by_client = self.caps.by_client();
        if let Some(load) = by_client.sources.get_mut(&self.client) {
            load.connections -= 1;
            if load.connections == 0 {
                by_client.sources.remove(&self.client);
            }
        }
        let Some(net) = self.net else {
            return;
        };
        if let Some(connections) = by_client.nets.get_mut(&net) {
            *connections -= 1;
            if *connections == 0 {
                by_client.nets.remove(&net);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_capped_at_its_figure_and_a_place_comes_back() {
        let caps = Caps::new(2, 2, 1);
        let (first, second) = (caps.enter(), caps.enter());
        assert!(first.is_some() && second.is_some());
        assert!(caps.enter().is_none());
        drop(first);
        assert!(caps.enter().is_some());
        assert_eq!(caps.open(), 1);
    }

    #[test]
    fn one_client_is_capped_and_others_are_not() {
        let caps = Caps::new(10, 2, 1);
        let enter = |address: &str| caps.enter_as(address.parse().unwrap());
        let held = [enter("192.0.2.1"), enter("::ffff:192.0.2.1")];
        assert!(held.iter().all(Option::is_some));
        assert!(enter("192.0.2.1").is_none());
        assert!(enter("192.0.2.2").is_some());
        drop(held);
        assert!(enter("192.0.2.1").is_some());
        let by_client = caps.by_client();
        assert!(by_client.sources.is_empty(), "nobody is remembered");
    }

    #[test]
    fn a_subscriber_of_ipv6_is_one_client() {
        let caps = Caps::new(10, 1, 1);
        let enter = |address: &str| caps.enter_as(address.parse().unwrap());
        let held = enter("2001:db8:0:1::1");
        assert!(held.is_some());
        assert!(enter("2001:db8:0:1:ffff::2").is_none());
        assert!(enter("2001:db8:0:2::1").is_some());
    }

    #[test]
    fn the_subscribers_of_one_net_of_ipv6_are_capped_together() {
        let caps = Caps::new(100, 2, 1);
        let enter = |net: u16, subscriber: u16| {
            let address = std::net::Ipv6Addr::from([0x2001, 0xdb8, net, subscriber, 0, 0, 0, 1]);
            caps.enter_as(address.into())
        };
        let held: Vec<_> = (0..16)
            .flat_map(|one| [enter(1, one), enter(1, one)])
            .collect();
        assert!(held.iter().all(Option::is_some));
        assert!(enter(1, 99).is_none());
        assert!(enter(2, 99).is_some(), "another net");
        drop(held);
        assert!(enter(1, 99).is_some());
        assert!(caps.by_client().nets.is_empty(), "no net is remembered");
    }

    #[test]
    fn the_streams_of_one_client_are_counted_over_all_of_its_connections() {
        let caps = Caps::new(10, 10, 2);
        let enter = |address: &str| caps.enter_as(address.parse().unwrap()).unwrap();
        let (first, second) = (enter("192.0.2.1"), enter("192.0.2.1"));
        let held = [first.streams().enter(), second.streams().enter()];
        assert!(held.iter().all(Option::is_some));
        assert!(first.streams().enter().is_none());
        assert!(
            first.streams().enter().is_none(),
            "a refusal takes no place"
        );
        assert!(enter("192.0.2.2").streams().enter().is_some());
        drop(held);
        assert!(second.streams().enter().is_some());
    }
}
