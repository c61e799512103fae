//! What the manuals of operations tell people to type is typed, in their order, on an installation of its own; what is
//! promised at the end comes about.

mod backup;
mod evidence;

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use octroi_integration_tests::binary::{self, said};
use octroi_integration_tests::page::Form;
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::visitor::Visitor;
use octroi_integration_tests::wire::Door;
use octroi_integration_tests::world::{Running, free_ports};
use tempfile::TempDir;

use crate::documentation::shell_lines;

/// A password that no rule refuses.
const GOOD: &str = "quatre chevaux sous la pluie";

/// What the manuals type besides octroi: it changes the machine, and is not typed here.
const OF_THE_MACHINE: [&str; 7] = [
    "cargo",
    "chown",
    "docker",
    "install",
    "mkdir",
    "systemctl",
    "useradd",
];

#[test]
fn the_manual_of_installation_leads_to_a_person_who_reaches_a_service() {
    let payroll = Recorder::start();
    let machine = Machine::new();
    let mut gateway = None;
    let mut invited = None;
    let page = manual("install.md");
    let steps = page
        .split("## In a container")
        .next()
        .expect("the steps before");
    for line in shell_lines(steps) {
        let line = line.trim_start_matches("runuser -u octroi -- ");
        if OF_THE_MACHINE.contains(&line.split(' ').next().unwrap_or_default()) {
            continue;
        }
        if line == "octroi serve" {
            gateway = Some(machine.serve());
            continue;
        }
        let output = machine.type_in(line);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", said(&output));
        if line.contains(" init ") {
            machine.put_certificate_and_route(&payroll);
        }
        if line.contains(" invite ") {
            invited = Some(said(&output));
        }
    }
    let gateway = gateway.expect("the manual starts the gateway");
    let invited = invited.expect("the manual invites somebody");
    let mut marie = machine.answer(&invited);
    let port = machine.https.port();
    let reached = marie.visit(&format!("https://paie.example.com:{port}/slips"));
    assert_eq!(
        reached.response.text(),
        "the upstream answers\n",
        "{}\n{}",
        reached.response.everything(),
        gateway.log()
    );
    assert_eq!(payroll.last().target, "/slips");

    // And signs in again with what she was told.
    let mut again = Visitor::at(&machine.door());
    let portal = format!("login.example.com:{port}");
    let answer = again.sign_in(&portal, "acme/marie", GOOD);
    assert_eq!(answer.status, 200, "{}", answer.everything());
}

#[test]
fn every_command_of_daily_operation_does_its_work() {
    let payroll = Recorder::start();
    let machine = Machine::new();
    machine.set_up(&payroll);
    let _gateway = machine.serve();
    let mut typed = 0;
    for line in shell_lines(&manual("operate.md")) {
        if line.contains("acme/marie") {
            machine.have_marie();
        }
        let output = machine.type_in(&line);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", said(&output));
        typed += 1;
    }
    assert!(typed >= 12, "{typed} lines");
    let exported = fs::read_to_string(machine.home().join("november.ndjson"));
    assert!(
        exported.is_ok_and(|lines| lines.lines().count() > 5),
        "the export holds what was done"
    );
}

#[test]
fn every_command_of_the_page_on_routes_explains_its_example() {
    let payroll = Recorder::start();
    let machine = Machine::new();
    machine.set_up(&payroll);
    let _gateway = machine.serve();
    machine.have_marie();
    let mut typed = 0;
    for line in shell_lines(&manual("routes.md")) {
        let output = machine.type_in(&line);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", said(&output));
        assert!(
            said(&output).contains("permit"),
            "{line}: {}",
            said(&output)
        );
        typed += 1;
    }
    assert!(typed > 0);
}

#[test]
fn the_commands_of_the_first_page_make_an_installation_that_is_sound() {
    type_in_the_first_page("");
}

#[test]
fn the_commands_of_the_first_page_lead_to_a_route_without_a_certificate_of_ones_own() {
    type_in_the_first_page(" --development-certificate");
}

/// With `more` at the end of `octroi init`; where that is nothing, with a certificate of one's own.
fn type_in_the_first_page(more: &str) {
    let payroll = Recorder::start();
    let machine = Machine::new();
    let first = fs::read_to_string(binary::workspace().join("README.md")).expect("a manual");
    let mut gateway = None;
    let mut typed = 0;
    for line in shell_lines(&first).filter(|line| line.starts_with("octroi ")) {
        if line == "octroi serve" {
            gateway = Some(machine.serve());
            continue;
        }
        let is_first = line.contains(" init ");
        let line = if is_first { line + more } else { line };
        let output = machine.type_in(&line);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", said(&output));
        if is_first && more.is_empty() {
            machine.put_certificate();
        }
        if is_first {
            machine.put_route(&payroll);
        }
        typed += 1;
    }
    assert!(typed >= 3 && gateway.is_some(), "{typed} lines");
}

/// A machine as the manuals see it: its `/etc/octroi` and `/var/lib/octroi` are folders of the test.
struct Machine {
    home: TempDir,
    https: SocketAddr,
    others: [u16; 2],
}

impl Machine {
    fn new() -> Self {
        let [https, http, management] = free_ports();
        Self {
            home: TempDir::with_prefix("octroi-").expect("a directory"),
            https: SocketAddr::from(([127, 0, 0, 1], https)),
            others: [http, management],
        }
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    fn config(&self) -> PathBuf {
        self.home().join("etc/octroi/octroi.toml")
    }

    /// Types a line into a shell, its absolute paths led into this machine.
    fn type_in(&self, line: &str) -> Output {
        let home = self.home().display().to_string();
        let line = line
            .replace("/etc/octroi", &format!("{home}/etc/octroi"))
            .replace("/var/lib/octroi", &format!("{home}/var/lib/octroi"))
            .replace("/var/backups", &format!("{home}/var/backups"));
        let program = binary::path().parent().expect("a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        Command::new("sh")
            .args(["-c", &line])
            .current_dir(self.home())
            .env("PATH", format!("{}:{path}", program.display()))
            .env("OCTROI_CONFIG", self.config())
            .env("CURL_HOME", self.home())
            .stdin(Stdio::null())
            .output()
            .expect("a shell")
    }

    /// What step 3 asks for: a certificate for both hosts, and a route.
    fn put_certificate_and_route(&self, service: &Recorder) {
        self.put_certificate();
        self.put_route(service);
    }

    fn put_certificate(&self) {
        let names = ["login.example.com", "paie.example.com"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let tls = self.home().join("etc/octroi/tls");
        fs::create_dir_all(&tls).expect("a folder");
        fs::write(tls.join("chain.pem"), made.cert.pem()).expect("a chain");
        let key = tls.join("key.pem");
        fs::write(&key, made.signing_key.serialize_pem()).expect("a key");
        let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&key, own).expect("permissions");
    }

    /// With ports that nobody else has.
    fn put_route(&self, service: &Recorder) {
        let [http, management] = self.others;
        let written = fs::read_to_string(self.config()).expect("the configuration");
        let mut text = written.clone();
        for (from, to) in [
            ("\"0.0.0.0:443\"", format!("\"{}\"", self.https)),
            (
                "\"0.0.0.0:80\"",
                format!("\"127.0.0.1:{http}\"\nmanagement = \"127.0.0.1:{management}\""),
            ),
        ] {
            assert!(text.contains(from), "`init` wrote no {from}:\n{written}");
            text = text.replace(from, &to);
        }
        let route = format!(
            "\n[[route]]\nhost = \"paie.example.com\"\nto = \"{}\"\nallow = {{ roles = [\"rh\"] }}\n",
            service.url()
        );
        fs::write(self.config(), text + &route).expect("the configuration");
    }

    fn set_up(&self, service: &Recorder) {
        let made = self.type_in(
            "octroi init /etc/octroi --data /var/lib/octroi --portal login.example.com --host paie.example.com",
        );
        assert!(made.status.success(), "{}", said(&made));
        self.put_certificate_and_route(service);
    }

    /// Starts the gateway as the unit does.
    fn serve(&self) -> Running {
        let mut command = binary::octroi();
        command.arg("serve").env("OCTROI_CONFIG", self.config());
        let mut running = Running::spawn(command, self.home());
        let sockets = ["var/lib/octroi", "etc/octroi/data"]
            .map(|data| self.home().join(data).join("admin/admin.sock"));
        running.wait_until("accept connections", |_| {
            TcpStream::connect(self.https).is_ok()
                && sockets
                    .iter()
                    .any(|socket| UnixStream::connect(socket).is_ok())
        });
        running
    }

    /// Marie, whether or not the manual deleted her meanwhile.
    fn have_marie(&self) {
        if !self.type_in("octroi user show acme/marie").status.success() {
            let made = self.type_in("octroi user invite acme/marie --new-tenant --role rh");
            assert!(made.status.success(), "{}", said(&made));
            self.answer(&said(&made));
        }
    }

    /// Follows the link of an invitation and chooses a password; gives the browser that did.
    fn answer(&self, invitation: &str) -> Visitor {
        let link = invitation
            .split_whitespace()
            .find(|word| word.starts_with("https://"));
        let link = link.unwrap_or_else(|| panic!("no link in {invitation}"));
        let mut invited = Visitor::at(&self.door());
        let page = invited.visit(link);
        assert_eq!(page.response.status, 200, "{}", page.response.everything());
        Form::on(&page, "/.octroi/invitation")
            .with("new", GOOD)
            .without("repeat")
            .submit_and_go_on(&mut invited);
        invited
    }

    fn door(&self) -> Door {
        Door::new(self.https, &self.home().join("etc/octroi/tls/chain.pem"))
    }
}

fn manual(name: &str) -> String {
    page(&format!("docs/ops/{name}"))
}

fn page(name: &str) -> String {
    fs::read_to_string(binary::workspace().join(name)).expect("a manual")
}

/// What stands under a heading of a page.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let start = format!("\n## {heading}\n");
    let rest = page.split_once(&start).map(|(_, rest)| rest);
    let rest = rest.unwrap_or_else(|| panic!("the page has no section {heading}"));
    rest.split("\n## ").next().expect("a section")
}
