//! Pingora as it comes: TLS in front of one service, no session, no limit, no identity, no log.
//!
//! octroi cannot cost less than this without leaving the library. One thread, the same allocator,
//! cryptography and compiler settings as octroi's.
//!
//! Usage: `floor ADDRESS UPSTREAM CHAIN KEY`

use std::{env, error::Error, net::SocketAddr, time::Duration};

use async_trait::async_trait;
use pingora::{
    listeners::tls::TlsSettings,
    modules::http::HttpModules,
    proxy::{ProxyHttp, Session, http_proxy_service},
    server::Server,
    upstreams::peer::HttpPeer,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Floor {
    upstream: SocketAddr,
}

#[async_trait]
impl ProxyHttp for Floor {
    type CTX = ();

    fn new_ctx(&self) {}

    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn upstream_peer(&self, _session: &mut Session, _context: &mut ()) -> pingora::Result<Box<HttpPeer>> {
        let mut peer = HttpPeer::new(self.upstream, false, String::new());
        peer.options.connection_timeout = Some(Duration::from_secs(3));
        peer.options.read_timeout = Some(Duration::from_secs(60));
        peer.options.idle_timeout = Some(Duration::from_secs(60));
        Ok(Box::new(peer))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // Before Pingora asks for another one. It fails only where one is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, upstream, chain, key] = arguments.as_slice() else {
        return Err("usage: floor ADDRESS UPSTREAM CHAIN KEY".into());
    };
    let mut server = Server::new(None)?;
    server.bootstrap();
    let floor = Floor { upstream: upstream.parse()? };
    let mut service = http_proxy_service(&server.configuration, floor);
    let mut tls = TlsSettings::intermediate(chain, key)?;
    tls.enable_h2();
    service.add_tls_with_settings(address, None, tls);
    server.add_service(service);
    server.run_forever()
}
