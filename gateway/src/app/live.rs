//! What configuration says, in force: built whole from a file, put in force only when all of it is
//! good, kept where the next one has anything wrong with it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use aws_lc_rs::digest;
use octroi_certs::{
    bundle::Bundle,
    reload::{self, OutOfTime},
    resolver::Resolver,
    tls::Profile,
};
use octroi_config::{Problems, Settings, Severity, settings::Rate};
use octroi_policy::decision::{Widening, widened};
use rustls_pki_types::UnixTime;
use tokio::{sync::Mutex, task::spawn_blocking};

use super::{
    core::{Core, hash_cost, identity_settings},
    entrance,
};
use crate::{
    admin,
    cli::Failure,
    clock::Clock,
    identity::IdentitySettings,
    journal::{
        Draft, JournalStore,
        event::{Actor, Event},
    },
    lifecycle::{
        ReadFile,
        service_manager::{self, Turn},
    },
    listener::open_requests::{EndReason, OpenRequests},
    metrics::Metrics,
    portal,
    proxy::{
        rate_limit::AddressLimit,
        site::Site,
        upstream::{ServicesTls, SystemList},
    },
};

/// The configuration in force, and everything that is made of it.
pub(super) struct Live {
    file: PathBuf,
    settings: ArcSwap<Settings>,
    bundles: ArcSwap<Vec<Bundle>>,
    place: Place,
    pub(super) certificates: Arc<Resolver>,
    pub(super) proxy_site: Arc<ArcSwap<Site>>,
    pub(super) portal_site: Arc<ArcSwap<portal::Site>>,
    pub(super) limit: Arc<ArcSwap<AddressLimit>>,
    pub(super) public_limit: Arc<ArcSwap<AddressLimit>>,
    identity_settings: Arc<ArcSwap<IdentitySettings>>,
    metrics: Arc<Metrics>,
    open_requests: Arc<OpenRequests>,
    journal: Arc<dyn JournalStore>,
    clock: Arc<dyn Clock>,
    /// The files as they stood before they were last read, for better or worse.
    read: ArcSwap<Vec<ReadFile>>,
    /// One reload at a time.
    turn: Mutex<()>,
}

/// Settings as they were read, and what was read.
pub(super) struct Reading {
    pub(super) settings: Settings,
    digest: String,
    file: ReadFile,
}

/// Where the gateway stands, which no reload changes.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Every address that is bound: none of them may be an upstream.
    pub(super) listeners: Arc<[SocketAddr]>,
    /// The port of HTTPS that people see. It moves with the doors alone: a port that is forwarded
    /// goes with the one that it is forwarded to, and a request for another is refused.
    pub(super) public_port: u16,
    /// The suites of every TLS connection: the process has them from its start.
    pub(super) profile: Profile,
    /// The system's authorities, as Pingora has them from its start.
    pub(super) system: Option<Arc<SystemList>>,
}

/// Everything that one reading of the configuration makes.
struct Built {
    settings: Settings,
    bundles: Vec<Bundle>,
    proxy_site: Site,
    portal_site: portal::Site,
    limit: AddressLimit,
    public_limit: AddressLimit,
    digest: String,
    read: Vec<ReadFile>,
}

impl Live {
    /// Puts the first configuration in force.
    pub(super) fn start(
        file: &Path,
        reading: Reading,
        place: Place,
        core: &Core,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Failure> {
        let built = build(reading, &place, &metrics)
            .map_err(|problems| Failure::Refused(problems.join("\n")))?;
        // A machine that starts again late is not to stay down for it: browsers say the rest.
        let out_of_time = OutOfTime::of(&built.bundles, &[], unix_time(&*core.clock));
        for problem in out_of_time.new {
            tracing::warn!(%problem, "a certificate is served all the same");
        }
        Ok(Self {
            file: file.to_owned(),
            certificates: Resolver::new(&built.bundles),
            proxy_site: Arc::new(ArcSwap::from_pointee(built.proxy_site)),
            portal_site: Arc::new(ArcSwap::from_pointee(built.portal_site)),
            limit: Arc::new(ArcSwap::from_pointee(built.limit)),
            public_limit: Arc::new(ArcSwap::from_pointee(built.public_limit)),
            settings: ArcSwap::from_pointee(built.settings),
            bundles: ArcSwap::from_pointee(built.bundles),
            read: ArcSwap::from_pointee(built.read),
            place,
            identity_settings: Arc::clone(&core.identity_settings),
            metrics,
            open_requests: Arc::clone(&core.open_requests),
            journal: Arc::clone(&core.stores.journal),
            clock: Arc::clone(&core.clock),
            turn: Mutex::new(()),
        })
    }

    /// The authorities that Pingora believes by itself; nobody where there is none.
    pub(super) fn system_list(&self) -> Option<&SystemList> {
        self.place.system.as_deref()
    }

    /// The settings in force.
    pub(super) fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// The port of HTTPS that people see.
    pub(super) const fn public_port(&self) -> u16 {
        self.place.public_port
    }

    /// Every file whose change asks for a reload, as it stood before it was last read.
    pub(super) fn files(&self) -> Vec<ReadFile> {
        self.read.load().as_ref().clone()
    }

    /// Reads the configuration again. Says what changed, or everything that is wrong; the log and
    /// the journal have learnt it by then.
    pub(super) async fn reload(&self) -> Result<String, String> {
        let _turn = self.turn.lock().await;
        let _announced = Announced::begin(service_manager::tell);
        match self.read_and_build().await {
            Ok((opened, built)) => Ok(self.put_in_force(&opened, built).await),
            Err(problems) => Err(self.keep(&problems).await),
        }
    }

    /// On a thread that may wait for files: the threads of the gateway's own affairs are few, and a
    /// network mount may hang.
    async fn read_and_build(&self) -> Result<(Vec<Widening>, Built), Vec<String>> {
        let (file, place) = (self.file.clone(), self.place.clone());
        let (settings, served) = (self.settings(), self.bundles.load_full());
        let (metrics, now) = (Arc::clone(&self.metrics), unix_time(&*self.clock));
        let work = spawn_blocking(move || {
            let before: Vec<_> = files_of(&file, &settings).map(ReadFile::now).collect();
            let built = read(&file).and_then(|reading| build(reading, &place, &metrics));
            let built = built.and_then(|built| in_time(built, &served, now));
            let built = built.map(|built| (opened(&settings, &built.settings), built));
            (before, built)
        });
        let (before, built) = work.await.map_err(|error| vec![error.to_string()])?;
        // Where it is refused, the next change is waited for and not this one again.
        self.read.store(Arc::new(before));
        built
    }

    async fn put_in_force(&self, opened: &[Widening], built: Built) -> String {
        let before = self.settings.load_full();
        let changes = before.diff(&built.settings);
        self.certificates.replace(&built.bundles);
        self.bundles.store(Arc::new(built.bundles));
        AddressLimit::replace(&self.limit, built.limit);
        AddressLimit::replace(&self.public_limit, built.public_limit);
        self.identity_settings
            .store(Arc::new(identity_settings(&built.settings)));
        self.portal_site.store(Arc::new(built.portal_site));
        built.proxy_site.learn_from(&self.proxy_site.load());
        self.proxy_site.store(Arc::new(built.proxy_site));
        self.settings.store(Arc::new(built.settings));
        self.read.store(Arc::new(built.read));
        // What is open goes on with what it began with, unless it would not be let in any more.
        // Whoever registers after this walk sees by the version that the rules have changed.
        let ended = self.open_requests.end_lapsed(EndReason::RouteGone);
        for change in &changes {
            tracing::info!(%change, "configuration changed");
        }
        for widening in opened {
            tracing::warn!(%widening, "a reload lets in whom the routes kept out before");
        }
        tracing::info!(
            changes = changes.len(),
            ended,
            digest = built.digest,
            "configuration reloaded"
        );
        self.note(Event::ConfigurationLoaded {
            digest: built.digest,
        })
        .await;
        if changes.is_empty() {
            return "nothing changed".to_owned();
        }
        let warn = |widening| format!("warning: more people are let in: {widening}");
        let changes = changes.iter().map(ToString::to_string);
        let lines: Vec<_> = changes.chain(opened.iter().map(warn)).collect();
        lines.join("\n")
    }

    async fn keep(&self, problems: &[String]) -> String {
        for problem in problems {
            tracing::error!(
                problem,
                "configuration not reloaded; the old one stays in force"
            );
        }
        let count = u32::try_from(problems.len()).unwrap_or(u32::MAX);
        self.note(Event::ConfigurationRefused { problems: count })
            .await;
        problems.join("\n")
    }

    async fn note(&self, event: Event) {
        let line = Draft::new(self.clock.now(), Actor::System, event);
        if let Err(error) = self.journal.append(vec![line]).await {
            tracing::error!(%error, "a reload could not be journaled");
        }
    }
}

/// A reload that the service manager knows of. Told on drop that it is over: whoever asked for it may
/// go away while a file is waited for, and "reloading" would stand for ever.
struct Announced<T: Fn(Turn)>(T);

impl<T: Fn(Turn)> Announced<T> {
    fn begin(tell: T) -> Self {
        tell(Turn::Reloading);
        Self(tell)
    }
}

impl<T: Fn(Turn)> Drop for Announced<T> {
    fn drop(&mut self) {
        (self.0)(Turn::Ready);
    }
}

#[async_trait::async_trait]
impl admin::Gateway for Live {
    async fn reload(&self) -> Result<String, String> {
        Self::reload(self).await
    }
}

/// Reads settings; warnings go to the log.
pub(super) fn read(file: &Path) -> Result<Reading, Vec<String>> {
    let before = ReadFile::now(file.to_owned());
    let digest = digest_of(file);
    let environment = std::env::vars_os().collect();
    match octroi_config::load(file, &environment) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                tracing::warn!(%warning, "configuration");
            }
            Ok(Reading {
                settings: loaded.settings,
                digest,
                file: before,
            })
        }
        Err(problems) => Err(errors_of(&problems)),
    }
}

/// What keeps a file from being used. What could be better besides is for `octroi check` to tell: here it
/// would bury what has to be mended now.
fn errors_of(problems: &Problems) -> Vec<String> {
    let problems = problems.0.iter();
    let errors = problems.filter(|problem| problem.severity == Severity::Error);
    errors.map(ToString::to_string).collect()
}

/// Whether a gateway could put these settings in force: all is made of them that a start or a reload
/// makes, but for doors and stores.
pub(super) fn prove(file: &Path, settings: Settings) -> Result<(), Vec<String>> {
    let server = &settings.server;
    let place = Place {
        listeners: Arc::from([]),
        public_port: entrance::public_port(server, &server.https),
        profile: entrance::profile(server.tls_profile),
        system: None,
    };
    hash_cost(&settings).map_err(|problem| vec![problem.to_owned()])?;
    let reading = Reading {
        settings,
        digest: String::new(),
        file: ReadFile::now(file.to_owned()),
    };
    build(reading, &place, &Metrics::new()).map(|_| ())
}

fn build(reading: Reading, place: &Place, metrics: &Metrics) -> Result<Built, Vec<String>> {
    let Reading {
        settings,
        digest,
        file,
    } = reading;
    let certificates = certificate_files(&settings).map(ReadFile::now);
    let read = std::iter::once(file).chain(certificates).collect();
    let one = |problem: String| vec![problem];
    let sources = entrance::certificates(&settings).map_err(|error| one(error.to_string()))?;
    let bundles = reload::load_all(&sources)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let public_port = place.public_port;
    let portal_site = portal::Site::new(&settings, public_port);
    let services = ServicesTls::new(place.profile, place.system.clone());
    let site = Site::new(&settings, &place.listeners, public_port, &services, metrics);
    let proxy_site = site.map_err(|fault| one(fault.to_string()))?;
    let limits = settings.limits;
    let limit = |key: &str, rate: Rate, burst| {
        AddressLimit::new(rate.count, rate.period, burst)
            .ok_or_else(|| one(format!("limits.{key}: the period is too short")))
    };
    let public_limit = limit("public", limits.public, limits.public_burst)?;
    let limit = limit("unauthenticated", limits.unauthenticated, limits.burst)?;
    Ok(Built {
        settings,
        bundles,
        proxy_site,
        portal_site,
        limit,
        public_limit,
        digest,
        read,
    })
}

/// Refuses a certificate that is out of its time, unless it is the one that is served already: to
/// hold that against a reload would keep a route that must go, too.
fn in_time(built: Built, served: &[Bundle], now: UnixTime) -> Result<Built, Vec<String>> {
    let OutOfTime { new, in_force } = OutOfTime::of(&built.bundles, served, now);
    if !new.is_empty() {
        return Err(new.iter().map(ToString::to_string).collect());
    }
    for problem in in_force {
        tracing::warn!(%problem, "a certificate is still served");
    }
    Ok(built)
}

/// Where a reload lets in whom the routes in force keep out. A file may have lost a route without
/// anybody's having meant it.
fn opened(old: &Settings, new: &Settings) -> Vec<Widening> {
    widened(old.routes.table(), new.routes.table())
}

/// The configuration and every file whose change asks for a reload.
fn files_of(file: &Path, settings: &Settings) -> impl Iterator<Item = PathBuf> + use<> {
    std::iter::once(file.to_owned()).chain(certificate_files(settings))
}

/// Certificates and keys that we show, and those by which services are known.
fn certificate_files(settings: &Settings) -> impl Iterator<Item = PathBuf> + use<> {
    let certificates = settings.certificates.iter();
    let own = certificates.flat_map(|one| [one.chain.clone(), one.key_file.clone()]);
    let services = settings
        .routes
        .iter()
        .filter_map(|(_, way)| way.tls.as_deref());
    let of_services = services.flat_map(|tls| {
        let client = tls.client_certificate.iter();
        let client = client.flat_map(|(chain, key)| [chain.clone(), key.clone()]);
        tls.ca.iter().cloned().chain(client)
    });
    let files: std::collections::BTreeSet<_> = own.chain(of_services).collect();
    files.into_iter()
}

/// SHA-256 of the file, so that the journal tells one configuration from another.
fn digest_of(file: &Path) -> String {
    let text = std::fs::read(file).unwrap_or_default();
    data_encoding::HEXLOWER.encode(digest::digest(&digest::SHA256, &text).as_ref())
}

fn unix_time(clock: &dyn Clock) -> UnixTime {
    let seconds = u64::try_from(clock.now().as_unix_seconds()).unwrap_or(0);
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn what_could_be_better_does_not_bury_what_keeps_a_file_from_being_used() {
        let text = "[server]\nhttps = \"0.0.0.0:443\"\nportal = \"login.example.com\"\ndata = \"/d\"\nkeyring = \"/k\"\n\
                    [[certificate]]\nnames = [\"login.example.com\"]\nchain = \"/c\"\nkey_file = \"/e\"\n\
                    [sessions]\nabsolute = \"for ever\"\n";
        let problems = octroi_config::parse(text, Path::new("/f.toml")).unwrap_err();
        assert!(problems.to_string().contains("[contact]"), "{problems}");
        let errors = errors_of(&problems);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(
            errors.iter().all(|it| it.contains("sessions.absolute")),
            "{errors:?}"
        );
    }

    #[tokio::test]
    async fn a_reload_that_its_caller_abandons_is_over_for_the_service_manager() {
        let told = RefCell::new(Vec::new());
        let reload = async {
            let _announced = Announced::begin(|turn| told.borrow_mut().push(turn));
            std::future::pending::<()>().await;
        };
        let patience = std::time::Duration::from_millis(10);
        assert!(tokio::time::timeout(patience, reload).await.is_err());
        assert_eq!(*told.borrow(), [Turn::Reloading, Turn::Ready]);
    }
}
