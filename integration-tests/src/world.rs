//! A gateway of one's own: a directory, the real binary started in it, stopped again when the test ends.
//!
//! Two kinds. [`World::demo`] is what a newcomer gets from `octroi demo`. [`World::with_routes`] takes the demonstration's
//! authority, database and accounts, adds routes to upstreams of the test, and runs `octroi serve`.

mod facts;
mod process;
mod template;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

pub use facts::{Account, Facts, Service};
pub use process::{Running, free_ports};

use crate::binary;
use crate::page::Form;
use crate::patience::wait_for;
use crate::recorder::Recorder;
use crate::visitor::{Hop, Visitor};
use crate::wire::Door;

/// A gateway with everything around it.
pub struct World {
    /// The directory that holds all files of this world.
    pub directory: PathBuf,
    /// What `demo.json` says.
    pub facts: Facts,
    /// The public TLS entry.
    pub door: Door,
    /// The running gateway.
    pub gateway: Running,
    config: PathBuf,
    // Removed last, after the gateway has stopped.
    _kept: TempDir,
}

/// One route of a test's own configuration.
pub struct Route<'a> {
    /// Host it answers for.
    pub host: &'a str,
    /// Path prefix, `/` for all.
    pub path: &'a str,
    /// Where it leads.
    pub to: &'a Recorder,
    /// Further lines: `sign_in = "public"`, `allow = { roles = ["rh"] }`.
    pub more: &'a str,
}

impl Route<'_> {
    fn to_toml(&self) -> String {
        let path = if self.path == "/" {
            String::new()
        } else {
            format!("path = \"{}\"\n", self.path)
        };
        format!(
            "\n[[route]]\nhost = \"{}\"\n{path}to = [\"{}\"]\n{}\n",
            self.host,
            self.to.url(),
            self.more
        )
    }
}

impl World {
    /// Starts the demonstration on ports of its own.
    pub fn demo() -> Self {
        let kept = process::directory();
        let gateway = Running::demo(kept.path());
        let facts = Facts::read(kept.path());
        Self::around(kept, facts, gateway)
    }

    /// Starts a gateway whose configuration is the demonstration's, with these routes instead of its own. Their hosts
    /// are the demonstration's, since its certificate names them: `echo.localhost`, `paie.localhost`, `visites.localhost`.
    pub fn with_routes(routes: &[Route<'_>]) -> Self {
        Self::configured(routes, |text| text)
    }

    /// Starts a gateway with one route: everybody who is signed in may go to `upstream` on `host`.
    pub fn for_everyone(host: &str, upstream: &Recorder) -> Self {
        Self::with_routes(&[Route {
            host,
            path: "/",
            to: upstream,
            more: "allow = \"everyone\"",
        }])
    }

    /// Like [`Self::with_routes`], after a last change to the text of the configuration.
    pub fn configured(routes: &[Route<'_>], change: impl FnOnce(String) -> String) -> Self {
        let kept = process::directory();
        let mut facts = template::copy_into(kept.path());
        let ports = free_ports();
        facts.listen_on(ports);
        let path = config_in(kept.path());
        let template = std::fs::read_to_string(&path).expect("a configuration");
        let mut text = facts::with_ports(without_routes(&template), ports);
        for route in routes {
            text.push_str(&route.to_toml());
        }
        std::fs::write(&path, change(text)).expect("a configuration");
        let gateway = Running::serve(&path, facts.https);
        Self::around(kept, facts, gateway)
    }

    /// Like [`Self::with_routes`], with these variables in the gateway's environment.
    pub fn in_environment(routes: &[Route<'_>], environment: &[(&str, &str)]) -> Self {
        let mut world = Self::with_routes(routes);
        assert!(world.gateway.stop().is_some_and(|status| status.success()));
        world.gateway = Running::serve_with(&world.config, world.facts.https, environment);
        world
    }

    fn around(kept: TempDir, facts: Facts, gateway: Running) -> Self {
        let door = Door::new(facts.https, &facts.authority);
        let config = config_in(kept.path());
        Self {
            directory: kept.path().to_path_buf(),
            facts,
            door,
            gateway,
            config,
            _kept: kept,
        }
    }

    /// The configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Stops the gateway by SIGKILL and starts it again on the same files and ports.
    pub fn kill_and_restart(&mut self) {
        self.gateway.kill();
        self.gateway = Running::serve(&self.config, self.facts.https);
    }

    /// An address on a host of this world.
    pub fn url(&self, host: &str, target: &str) -> String {
        format!("https://{}{target}", self.authority(host))
    }

    /// `host:port` as a browser writes it.
    pub fn authority(&self, host: &str) -> String {
        format!("{host}:{}", self.facts.https.port())
    }

    /// `host:port` of the portal.
    pub fn portal(&self) -> String {
        self.authority(&self.facts.portal)
    }

    /// A stranger.
    pub fn visitor(&self) -> Visitor {
        Visitor::at(&self.door)
    }

    /// Someone who signed in as this account on the pages, beginning at `url`; gives the page where that ended.
    #[track_caller]
    pub fn sign_in_by_pages(&self, visitor: &mut Visitor, full_login: &str, url: &str) -> Hop {
        let account = self.facts.account(full_login);
        let page = visitor.visit(url);
        assert_eq!(
            page.response.status,
            200,
            "{}: {}",
            page.url,
            page.response.everything()
        );
        let form = Form::on(&page, "/.octroi/login").with("login", full_login);
        form.with("password", &account.password)
            .submit_and_go_on(visitor)
    }

    /// Someone signed in to the portal, with an account that has this role and needs no change of password.
    #[track_caller]
    pub fn signed_in(&self, role: &str) -> Visitor {
        let account = self.facts.with_role(role);
        let mut visitor = self.visitor();
        let answer = visitor.sign_in(&self.portal(), &account.full_login(), &account.password);
        assert_eq!(
            (answer.status, answer.json()["status"].as_str()),
            (200, Some("signed_in")),
            "{}",
            answer.everything()
        );
        visitor
    }

    /// Someone signed in who has already been on `host`, so that the jar holds that host's cookie.
    #[track_caller]
    pub fn arrived(&self, role: &str, host: &str) -> Visitor {
        let mut visitor = self.signed_in(role);
        let hops = visitor.follow(&self.url(host, "/"));
        assert!(
            visitor.cookie(host, SESSION_COOKIE).is_some(),
            "{role} did not arrive on {host}: {:?}",
            crate::visitor::addresses(&hops)
        );
        visitor
    }

    /// Runs the command line against this world's configuration.
    pub fn run(&self, arguments: &[&str]) -> Output {
        binary::octroi()
            .args(arguments)
            .arg("-c")
            .arg(&self.config)
            .output()
            .expect("the command runs")
    }

    /// Runs a command that reads a password from its standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = binary::octroi();
        command
            .args(arguments)
            .arg("-c")
            .arg(&self.config)
            .stdin(Stdio::piped());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        // A command that refuses early does not read its input.
        child
            .stdin
            .take()
            .expect("an input")
            .write_all(input.as_bytes())
            .ok();
        child.wait_with_output().expect("the command ends")
    }

    /// Runs a command that prints JSON, and reads it.
    #[track_caller]
    pub fn run_json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{arguments:?}: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{arguments:?} printed no JSON ({error}): {text}"))
    }

    /// Everything the gateway has written to its standard output and error so far.
    pub fn log(&self) -> String {
        self.gateway.log()
    }

    /// The access line of the request with this id, as the gateway wrote it.
    #[track_caller]
    pub fn access_line(&self, request: &str) -> Value {
        let written = wait_for(ACCESS_LINE, || self.access_line_of(request));
        let (line, _) = written.unwrap_or_else(|| panic!("{request}: no line in {}", self.log()));
        line
    }

    fn access_line_of(&self, request: &str) -> Option<Value> {
        // The demonstration keeps access lines in a file of their own.
        let of_demo = std::fs::read_to_string(self.directory.join("access.log"));
        let log = self.log() + &of_demo.unwrap_or_default();
        let mut lines = log.lines().filter(|line| line.contains(request));
        lines.find_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            (line["kind"] == "access" && line["request"] == request).then_some(line)
        })
    }

    /// The address of the management listener.
    pub fn management(&self) -> SocketAddr {
        self.facts.management
    }
}

/// How long an access line may wait for its writer.
const ACCESS_LINE: Duration = Duration::from_secs(5);

/// The cookie that carries a session on one host.
pub const SESSION_COOKIE: &str = "__Host-octroi";

fn config_in(directory: &Path) -> PathBuf {
    directory.join("octroi.toml")
}

/// The configuration up to its first route.
fn without_routes(config: &str) -> &str {
    config.split("[[route]]").next().unwrap_or_default()
}
