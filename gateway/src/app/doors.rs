//! Opens what strangers reach: HTTPS on the workers, plain HTTP beside them, and the access log.

use std::{
    io::{self, Write},
    net::TcpListener,
    sync::Arc,
    thread::JoinHandle,
};

use pingora::{
    proxy::{HttpProxy, http_proxy},
    server::configuration::ServerConf,
};
use tokio::task::JoinSet;

use super::live::Live;
use crate::{
    lifecycle::{Tasks, Workers},
    listener::{
        self, Closing, Entrance,
        plain::{self, PlainEntrance},
    },
    proxy::{Gate, access_log::AccessLog, upstream::SystemList},
};

/// Plain HTTP, on the background runtime.
pub(super) fn open_plain(
    sockets: Vec<TcpListener>,
    live: &Arc<Live>,
    entrance: &Entrance,
    tasks: &Tasks,
) {
    let settings = live.settings();
    let own = Arc::clone(live);
    let limit = Arc::clone(&live.limit);
    let plain = Arc::new(PlainEntrance {
        is_ours: Box::new(move |host| {
            let settings = own.settings();
            settings.server.portal == *host || settings.routes.names_host(host)
        }),
        public_https_port: live.public_port(),
        acme_webroot: settings.server.acme_webroot.clone(),
        count_answer: Box::new(move |address| limit.load().check(address)),
        caps: Arc::clone(&entrance.caps),
        limits: Arc::clone(&entrance.limits),
    });
    for socket in sockets {
        let serving = plain::serve(socket, Arc::clone(&plain), tasks.stop_watch());
        tasks.spawn("plain HTTP", async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "plain HTTP is not served any more");
            }
        });
    }
}

/// One thread a worker, each with a socket of every address and a proxy of its own.
pub(super) fn open_https(
    sockets: Vec<Vec<TcpListener>>,
    gate: &Gate,
    entrance: &Arc<Entrance>,
    tasks: &Tasks,
    believed: Option<&SystemList>,
) -> io::Result<Workers> {
    let count = sockets.first().map_or(0, Vec::len);
    let mut shares: Vec<Vec<TcpListener>> = (0..count).map(|_| Vec::new()).collect();
    for of_one_address in sockets {
        for (share, socket) in shares.iter_mut().zip(of_one_address) {
            share.push(socket);
        }
    }
    // By itself Pingora believes those whom we proved, or nobody, and reads no list of authorities
    // that could be broken: each route brings those that it believes instead.
    let ca_file = believed.map_or_else(|| "/dev/null".to_owned(), SystemList::path);
    let conf = Arc::new(ServerConf {
        ca_file: Some(ca_file),
        ..ServerConf::default()
    });
    Workers::start(shares.into_iter().map(|share| {
        let proxy = Arc::new(http_proxy(&conf, gate.clone()));
        let entrance = Arc::clone(entrance);
        let closing = Closing {
            shutdown: tasks.stop_watch(),
            cut: tasks.cut_watch(),
        };
        move || serve_share(share, proxy, entrance, closing)
    }))
}

async fn serve_share(
    share: Vec<TcpListener>,
    proxy: Arc<HttpProxy<Gate>>,
    entrance: Arc<Entrance>,
    closing: Closing,
) {
    let mut serving = JoinSet::new();
    for socket in share {
        let (proxy, entrance) = (Arc::clone(&proxy), Arc::clone(&entrance));
        serving.spawn(listener::serve_https(
            socket,
            proxy,
            entrance,
            closing.clone(),
        ));
    }
    for ended in serving.join_all().await {
        if let Err(error) = ended {
            tracing::error!(%error, "HTTPS is not served any more");
        }
    }
}

/// A thread of its own, so that a slow log holds up no request.
pub(super) fn start_access_writer(
    log: &AccessLog,
    sink: Box<dyn Write + Send>,
) -> io::Result<JoinHandle<()>> {
    let log = log.clone();
    std::thread::Builder::new()
        .name("access log".to_owned())
        .spawn(move || log.write_to(sink))
}

/// A socket for the current runtime.
pub(super) fn tokio_listener(listener: TcpListener) -> io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}
