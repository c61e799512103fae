//! The running gateway: started, waited for, signalled by its own process id, stopped when the test ends.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use tempfile::TempDir;

use crate::binary;
use crate::patience::wait_for;

/// How long a gateway may take until it serves.
const START: Duration = Duration::from_mins(1);
/// How long it may take to stop when asked.
const STOP: Duration = Duration::from_secs(15);

/// A gateway process.
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// `octroi demo` on ports of the system's choice; returns when it says `ready`.
    pub fn demo(directory: &Path) -> Self {
        let mut command = binary::octroi();
        command.arg("demo").arg(directory);
        for listener in ["--https", "--http", "--management"] {
            command.args([listener, "127.0.0.1:0"]);
        }
        let mut running = Self::spawn(command, directory);
        running.wait_until("say `ready`", |log| {
            log.lines().any(|line| line.trim() == "ready")
        });
        running
    }

    /// `octroi serve`; returns when the TLS listener accepts.
    pub fn serve(config: &Path, https: SocketAddr) -> Self {
        Self::serve_with(config, https, &[])
    }

    /// `octroi serve` with further variables in its environment.
    pub fn serve_with(config: &Path, https: SocketAddr, environment: &[(&str, &str)]) -> Self {
        let mut command = binary::octroi();
        command
            .arg("serve")
            .arg("-c")
            .arg(config)
            .envs(environment.iter().copied());
        let directory = config.parent().expect("a directory");
        let socket = directory.join("run/admin.sock");
        let mut running = Self::spawn(command, directory);
        running.wait_until("accept connections", |_| {
            TcpStream::connect(https).is_ok() && UnixStream::connect(&socket).is_ok()
        });
        running
    }

    /// Starts a command of the binary; its output goes to a file of its own in `directory`.
    pub fn spawn(mut command: Command, directory: &Path) -> Self {
        let log = (1..1000)
            .map(|number| directory.join(format!("gateway-{number}.log")))
            .find(|path| !path.exists());
        let log = log.expect("a name for the log");
        let file = File::create(&log).expect("a log file");
        command
            .stdout(file.try_clone().expect("a log file"))
            .stderr(file);
        let child = command.spawn().expect("octroi starts");
        Self { child, log }
    }

    /// What it has printed and logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap_or_default();
        line.trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap_or_default()
    }

    /// Sends a signal by its name (`TERM`, `HUP`).
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(status.success(), "no signal could be sent");
    }

    /// Ends the process without a chance to tidy up.
    pub fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// Asks it to stop, and waits. `None` if it does not.
    pub fn stop(&mut self) -> Option<ExitStatus> {
        self.signal("TERM");
        self.end(STOP)
    }

    /// Waits for its end.
    pub fn end(&mut self, limit: Duration) -> Option<ExitStatus> {
        wait_for(limit, || self.child.try_wait().ok().flatten()).map(|(status, _)| status)
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until its log satisfies a condition.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, condition: impl Fn(&str) -> bool) {
        let came = wait_for(START, || {
            (condition(&self.log()) || !self.is_running()).then_some(())
        });
        assert!(
            came.is_some() && self.is_running(),
            "octroi did not {what}:\n{}",
            self.log()
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A directory for a world; kept where `OCTROI_KEEP` is set, to be looked into.
pub(super) fn directory() -> TempDir {
    let mut directory = TempDir::with_prefix("octroi-").expect("a directory");
    directory.disable_cleanup(std::env::var_os("OCTROI_KEEP").is_some());
    directory
}

/// Three ports that were free a moment ago.
pub fn free_ports() -> [u16; 3] {
    let draw = || {
        loop {
            // Not of the system's choice: where it takes ports for outgoing connections, one that is free now may be in
            // use before the gateway, or a gateway that starts again, comes to it.
            let drawn = RandomState::new().hash_one(0_u8) % u64::from(PORTS.end - PORTS.start);
            let port = PORTS.start + u16::try_from(drawn).expect("within the range");
            if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
                break listener;
            }
        }
    };
    let held = [(); 3].map(|()| draw());
    held.map(|listener| listener.local_addr().expect("an address").port())
}

/// Below where Linux begins (`net.ipv4.ip_local_port_range`).
const PORTS: Range<u16> = 10_000..32_000;
