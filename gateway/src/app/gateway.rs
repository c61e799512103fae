//! A gateway from its configuration to its end.

use std::{
    io::Write, num::NonZeroUsize, path::Path, pin::pin, sync::Arc, thread::JoinHandle,
    time::Duration,
};

use axum::{http::header, routing::get};
use octroi_certs::{
    tickets,
    tls::{self, Profile},
};
use octroi_config::{Settings, settings::Workers as WorkerCount};
use tokio::task::spawn_blocking;

use super::{
    ListenerNames, Sockets,
    core::{Core, unavailable},
    doors, entrance,
    health::Condition,
    live::{self, Live, Place},
    load,
    upkeep::Upkeep,
    workers_per_core,
};
use crate::{
    admin::{
        self,
        http::{self, LocalListener},
        management,
        socket::AdminSocket,
    },
    assertion::{Passports, SigningKeys},
    cli::{Failure, Outcome},
    identity::Identity,
    journal::{
        Draft,
        event::{Actor, Event},
    },
    lifecycle::{
        FileWatch, Signal, Signals, Tasks, Workers,
        service_manager::{self, Turn},
    },
    listener::{Caps, Entrance},
    metrics::Metrics,
    portal::{Portal, Routers, errors::PortalErrorPages},
    proxy::{Gate, GateParts, access_log::AccessLog, request_id::RequestIds, upstream::SystemList},
};

/// A gateway whose parts are built and whose doors are shut.
pub(crate) struct Gateway {
    core: Core,
    live: Arc<Live>,
    sockets: Sockets,
    gate: Gate,
    signing_keys: Arc<SigningKeys>,
    passports: Arc<Passports>,
    entrance: Arc<Entrance>,
    metrics: Arc<Metrics>,
    access_log: AccessLog,
}

impl Gateway {
    /// Reads the configuration, opens the stores and builds everything; `sockets` are bound
    /// already, or are bound where the configuration says.
    pub(crate) async fn prepare(config: &Path, sockets: Option<Sockets>) -> Result<Self, Failure> {
        let reading =
            live::read(config).map_err(|problems| Failure::Refused(problems.join("\n")))?;
        let settings = &reading.settings;
        let core = Core::open(settings).await?;
        let sockets = match sockets {
            Some(sockets) => sockets,
            None => bind(settings)?,
        };
        let metrics = Metrics::new();
        let limits = Arc::new(entrance::limits(&settings.connections));
        let profile = entrance::profile(settings.server.tls_profile);
        install(profile);
        let place = place_of(&sockets, settings, profile)?;
        let proxy_header_from = settings.server.proxy_protocol.clone();
        let live = Arc::new(Live::start(
            config,
            reading,
            place,
            &core,
            Arc::clone(&metrics),
        )?);
        let tickets = tickets::rotating().map_err(unavailable)?;
        let tls = tls::server_config(Arc::clone(&live.certificates), tickets, profile);
        let access_log = AccessLog::new(metrics.access_lines_dropped.clone());
        let keys = SigningKeys::open(Arc::clone(&core.stores.signing_keys), core.clock.now()).await;
        let signing_keys = Arc::new(keys.map_err(unavailable)?);
        let passports = passports(&core, &signing_keys);
        let routers = with_key_document(portal(&core, &live).routers(), &signing_keys);
        let gate = gate((&core, &live), routers, &passports, &metrics, &access_log);
        let entrance = Arc::new(Entrance {
            tls: tls.map_err(unavailable)?,
            certificates: Arc::clone(&live.certificates),
            proxy_header_from,
            caps: Caps::new(
                limits.connections_max,
                limits.connections_per_client_max,
                limits.streams_per_client_max,
            ),
            limits,
            refusals: Arc::new(gate.clone()),
        });
        load::tell(&metrics, core.identity.hashing_load(), &entrance.caps);
        Ok(Self {
            core,
            live,
            sockets,
            gate,
            signing_keys,
            passports,
            entrance,
            metrics,
            access_log,
        })
    }

    /// The people.
    pub(crate) const fn identity(&self) -> &Identity {
        &self.core.identity
    }

    /// Opens every door. Access lines go to `access_sink`.
    pub(crate) async fn open(
        self,
        access_sink: Box<dyn Write + Send>,
    ) -> Result<OpenGateway, Failure> {
        let tasks = Tasks::new();
        let signals = Signals::listen().map_err(unavailable)?;
        let condition = Condition::new(Arc::clone(&self.core.stores.health), self.metrics);
        let settings = self.live.settings();
        let bound = self.sockets.addresses()?;
        let started = Event::Started {
            version: env!("CARGO_PKG_VERSION"),
        };
        self.core.note(started).await.map_err(unavailable)?;

        let socket = AdminSocket::bind(&settings.server.admin_socket).map_err(unavailable)?;
        let gateway: Arc<dyn admin::Gateway> = self.live.clone();
        let desk = self
            .core
            .desk(Arc::clone(&self.live.portal_site), Some(gateway));
        tasks.spawn(
            "admin API",
            socket.serve(admin::router(desk), tasks.clone()),
        );
        let router = management::router(condition.clone());
        let listener = doors::tokio_listener(self.sockets.management).map_err(unavailable)?;
        let networks = settings.server.management.networks.clone();
        let listener = LocalListener::Guarded(listener, networks);
        tasks.spawn("management", http::serve(listener, router, tasks.clone()));
        doors::open_plain(self.sockets.http, &self.live, &self.entrance, &tasks);
        let upkeep = Upkeep::of(&self.core, &self.live, self.signing_keys, self.passports);
        upkeep.clone().start(&tasks);
        let access_writer =
            doors::start_access_writer(&self.access_log, access_sink).map_err(unavailable)?;
        let believed = self.live.system_list();
        let https = self.sockets.https;
        let workers = doors::open_https(https, &self.gate, &self.entrance, &tasks, believed)
            .map_err(unavailable)?;
        for address in &bound.https {
            tracing::info!(%address, "listening: https");
        }
        for address in &bound.http {
            tracing::info!(%address, "listening: http, for redirects");
        }
        tracing::info!(address = %bound.management, "listening: management");
        tracing::info!(socket = %settings.server.admin_socket.display(), "listening: admin");
        service_manager::tell(Turn::Ready);
        Ok(OpenGateway {
            core: self.core,
            live: self.live,
            upkeep,
            tasks,
            signals,
            condition,
            workers,
            access_log: self.access_log,
            access_writer,
            grace: self.entrance.limits.drain_timeout,
        })
    }
}

/// A gateway that serves.
pub(crate) struct OpenGateway {
    core: Core,
    live: Arc<Live>,
    upkeep: Upkeep,
    tasks: Tasks,
    signals: Signals,
    condition: Arc<Condition>,
    workers: Workers,
    access_log: AccessLog,
    access_writer: JoinHandle<()>,
    grace: Duration,
}

impl OpenGateway {
    /// Serves until it is told to stop, then lets requests under way finish.
    pub(crate) async fn serve(mut self) -> Outcome {
        self.wait_for_stop().await;
        tracing::info!(
            grace_s = self.grace.as_secs(),
            "stopping: no new work is taken"
        );
        service_manager::tell(Turn::Stopping);
        self.condition.stop();
        self.tasks.stop();
        drain(self.workers, &mut self.signals, &self.tasks).await;
        let left = self.tasks.drained(LOCAL_GRACE).await;
        if left > 0 {
            tracing::warn!(left, "local connections are cut");
            self.tasks.cut();
            self.tasks.drained(LOCAL_GRACE).await;
        }
        // Whatever could still write a line has ended: the next one is the last.
        let written = self.upkeep.finish().await;
        let noted = self.core.note(Event::Stopped).await;
        self.access_log.close();
        // A writer that panicked has nothing left to write.
        let _ = self.access_writer.join();
        written.and(noted).map_err(unavailable)?;
        tracing::info!("stopped");
        Ok(())
    }

    /// Reloads as often as it is asked for, by signal or by a file's change.
    async fn wait_for_stop(&mut self) {
        let first = unless_stopped(&mut self.signals, watch(&self.live)).await;
        let Some((mut watched, mut asked)) = first else {
            return;
        };
        loop {
            let signal = if asked {
                Signal::Reload
            } else {
                next(&mut self.signals, &mut watched).await
            };
            if signal == Signal::Stop {
                return;
            }
            let reloaded = async {
                // The outcome is in the log.
                let _ = self.live.reload().await;
                watch(&self.live).await
            };
            match unless_stopped(&mut self.signals, reloaded).await {
                Some(again) => (watched, asked) = again,
                None => return,
            }
        }
    }
}

impl Core {
    /// Writes a line of the gateway's own into the journal.
    async fn note(&self, event: Event) -> Result<(), crate::store::StoreError> {
        let line = Draft::new(self.clock.now(), Actor::System, event);
        self.stores.journal.append(vec![line]).await
    }
}

impl Upkeep {
    fn of(
        core: &Core,
        live: &Arc<Live>,
        signing_keys: Arc<SigningKeys>,
        passports: Arc<Passports>,
    ) -> Self {
        Self {
            identity: core.identity.clone(),
            stores: core.stores.clone(),
            open_requests: Arc::clone(&core.open_requests),
            clock: Arc::clone(&core.clock),
            signing_keys,
            passports,
            live: Arc::clone(live),
            told: Arc::default(),
        }
    }
}

/// Waits for the workers, whose requests have the grace to end. Told again to stop, it cuts them and
/// waits for them all the same: a request that was cut has its access line, too.
async fn drain(workers: Workers, signals: &mut Signals, tasks: &Tasks) {
    let mut ended = spawn_blocking(move || workers.join());
    let ended = loop {
        tokio::select! {
            ended = &mut ended => break ended,
            signal = signals.next() => match signal {
                Signal::Stop => {
                    tracing::warn!("told twice to stop: requests under way are cut");
                    tasks.cut();
                }
                // Whoever turns log files over sends it to everybody.
                Signal::Reload => tracing::info!("nothing is read again: the gateway stops"),
            },
        }
    };
    match ended {
        Ok(0) => {}
        Ok(failed) => tracing::error!(failed, "workers ended badly"),
        Err(error) => tracing::error!(%error, "workers were not waited for"),
    }
}

/// The next signal; the change of a file is one, too.
async fn next(signals: &mut Signals, watched: &mut Option<FileWatch>) -> Signal {
    tokio::select! {
        signal = signals.next() => signal,
        () = changed(watched) => Signal::Reload,
    }
}

/// What comes of `work`, and whether a reload was asked for meanwhile. `None` where the gateway is told
/// to stop first: what waits for a file, on a mount that hangs perhaps, must not keep it from ending.
async fn unless_stopped<T>(
    signals: &mut Signals,
    work: impl Future<Output = T>,
) -> Option<(T, bool)> {
    let mut asked = false;
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Some((done, asked)),
            signal = signals.next() => match signal {
                Signal::Stop => return None,
                Signal::Reload => asked = true,
            },
        }
    }
}

/// On a thread that may wait for files, like the reading of them.
async fn watch(live: &Live) -> Option<FileWatch> {
    let files = live.files();
    let watched = spawn_blocking(move || FileWatch::of(files).map_err(|error| error.to_string()));
    let watched = watched.await.map_err(|error| error.to_string());
    watched
        .flatten()
        .inspect_err(|error| {
            tracing::warn!(%error, "files are not watched: send SIGHUP after a change");
        })
        .ok()
}

async fn changed(watch: &mut Option<FileWatch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => std::future::pending().await,
    }
}

fn portal(core: &Core, live: &Live) -> Portal {
    Portal::new(
        core.identity.clone(),
        Arc::clone(&live.portal_site),
        Arc::clone(&core.keyring),
        Arc::clone(&core.clock),
        Arc::clone(&core.entropy),
    )
}

fn passports(core: &Core, keys: &Arc<SigningKeys>) -> Arc<Passports> {
    Arc::new(Passports::new(
        Arc::clone(keys),
        Arc::clone(&core.stores.accounts),
        Arc::clone(&core.clock),
        Arc::clone(&core.entropy),
    ))
}

fn gate(
    (core, live): (&Core, &Live),
    routers: Routers,
    passports: &Arc<Passports>,
    metrics: &Arc<Metrics>,
    access_log: &AccessLog,
) -> Gate {
    let error_pages = Arc::new(PortalErrorPages::new(Arc::clone(&live.portal_site)));
    Gate::new(GateParts {
        site: Arc::clone(&live.proxy_site),
        sessions: Arc::clone(&core.stores.sessions),
        passports: Arc::clone(passports),
        routers,
        error_pages,
        open_requests: Arc::clone(&core.open_requests),
        limit: Arc::clone(&live.limit),
        public_limit: Arc::clone(&live.public_limit),
        request_ids: RequestIds::new(Arc::clone(&core.entropy)),
        metrics: Arc::clone(metrics),
        access_log: access_log.clone(),
        clock: Arc::clone(&core.clock),
    })
}

fn bind(settings: &Settings) -> Result<Sockets, Failure> {
    let server = &settings.server;
    let workers = match server.workers {
        WorkerCount::Exactly(count) => NonZeroUsize::from(count),
        WorkerCount::PerCore => workers_per_core(),
    };
    Sockets::bind(
        &server.https,
        &server.http,
        server.management.address,
        workers,
        ListenerNames::KEYS,
    )
}

fn place_of(sockets: &Sockets, settings: &Settings, profile: Profile) -> Result<Place, Failure> {
    let bound = sockets.addresses()?;
    let public_port = entrance::public_port(&settings.server, &bound.https);
    let listeners = bound
        .https
        .into_iter()
        .chain(bound.http)
        .chain([bound.management]);
    Ok(Place {
        listeners: listeners.collect(),
        public_port,
        profile,
        system: SystemList::where_needed(settings).map(Arc::new),
    })
}

/// Makes the profile's suites those of whatever in this process asks for no others, Pingora's
/// connections to services among them: whoever asks first decides, and Pingora would ask for others.
fn install(profile: Profile) {
    // It fails where it was done before, as by the tests of one process.
    let _ = tls::provider(profile).install_default();
}

/// The keys that verify assertions, on every host: `/.octroi/jwks.json` (RFC 7517).
fn with_key_document(routers: Routers, keys: &Arc<SigningKeys>) -> Routers {
    let keys = Arc::clone(keys);
    let document = get(async move || {
        let kind = (header::CONTENT_TYPE, "application/jwk-set+json");
        let life = (header::CACHE_CONTROL, "public, max-age=300");
        ([kind, life], keys.document())
    });
    Routers {
        portal: routers.portal.route(KEY_DOCUMENT, document.clone()),
        application: routers.application.route(KEY_DOCUMENT, document),
    }
}

/// How long local connections may take to end.
const LOCAL_GRACE: Duration = Duration::from_secs(2);
const KEY_DOCUMENT: &str = "/.octroi/jwks.json";

#[cfg(test)]
mod tests;
