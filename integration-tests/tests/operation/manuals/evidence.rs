//! The page for auditors, typed in its order: each command gives what the page says that it gives.

use octroi_integration_tests::world::free_ports;
use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use octroi_integration_tests::binary::said;
use octroi_integration_tests::patience::wait_for;
use octroi_integration_tests::recorder::Recorder;

use super::{GOOD, Machine, page};

#[test]
fn every_command_for_auditors_gives_what_the_page_says() {
    let page = page("docs/security-team/evidence.md");
    let payroll = Recorder::start();
    let machine = Machine::new();
    let echo = Echo::start(&machine, &page);
    machine.set_up(&payroll);
    // Invited while links name the port of the test; the page's addresses name none.
    let mut before = machine.serve();
    have_auditor(&machine);
    assert!(before.stop().is_some_and(|it| it.success()));
    let config = fs::read_to_string(machine.config()).expect("a configuration");
    let listener = format!("\"{}\"", machine.https);
    let config = config
        .replace(&payroll.url(), &format!("http://127.0.0.1:{}", echo.port))
        .replace(&listener, &format!("{listener}\npublic_port = 443"));
    fs::write(machine.config(), config).expect("a configuration");
    let curl = format!(
        "cacert = \"{}\"\nconnect-to = \"::127.0.0.1:{}\"\n",
        machine.home().join("etc/octroi/tls/chain.pem").display(),
        machine.https.port()
    );
    fs::write(machine.home().join(".curlrc"), curl).expect("the settings of curl");
    let _gateway = machine.serve();

    let (mut typed, mut said_so) = (0, 0);
    for (line, promise) in lines_and_promises(&page) {
        let output = machine.type_in(&line);
        let told = said(&output);
        match promise.as_deref() {
            None => assert_eq!(output.status.code(), Some(0), "{line}: {told}"),
            Some("exit code 1") => assert!(!output.status.success(), "{line}: {told}"),
            Some(figure) => assert_eq!(told.trim(), figure, "{line}"),
        }
        if line.contains("--kind sessions_ended") {
            assert!(
                told.contains("\"revoked\"") && told.contains("os:"),
                "{told}"
            );
        }
        typed += 1;
        said_so += usize::from(promise.is_some());
    }
    assert!(
        typed >= 20 && said_so >= 10,
        "{typed} lines, {said_so} promises"
    );
}

/// Lines of the page's shell blocks, each with what stands behind its `#`.
fn lines_and_promises(page: &str) -> Vec<(String, Option<String>)> {
    let blocks = page.split("```sh\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split("```").next());
    blocks
        .flat_map(str::lines)
        .map(|line| match line.split_once("   # ") {
            Some((line, promise)) => (line.to_owned(), Some(promise.to_owned())),
            None => (line.to_owned(), None),
        })
        .collect()
}

/// The account for the purpose.
fn have_auditor(machine: &Machine) {
    let made = machine.type_in("octroi user invite acme/auditor --new-tenant --role rh");
    assert!(made.status.success(), "{}", said(&made));
    machine.answer(&said(&made));
    let login = format!("{{\"login\": \"acme/auditor\", \"password\": \"{GOOD}\"}}");
    fs::write(machine.home().join("login.json"), login).expect("a file");
}

/// The page's own program that shows what it receives.
struct Echo {
    process: Child,
    port: u16,
}

impl Echo {
    fn start(machine: &Machine, page: &str) -> Self {
        let program = page.split_once("```python\n").map(|(_, rest)| rest);
        let program = program
            .and_then(|rest| rest.split("```").next())
            .expect("a program");
        let [port, ..] = free_ports();
        assert!(program.contains("8080"));
        let file = machine.home().join("echo.py");
        fs::write(&file, program.replace("8080", &port.to_string())).expect("a program");
        let process = Command::new("python3")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3");
        let reached = wait_for(Duration::from_secs(20), || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        assert!(reached.is_some(), "it listens");
        Self { process, port }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
