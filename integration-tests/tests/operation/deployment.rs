//! The files under `deploy/` and the Dockerfile, as far as they can be judged without a service manager or a container
//! engine: the oldest systemd that is supported understands the unit, and the process tells it what the unit relies on.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use octroi_integration_tests::binary::{self, said};
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::world::{Route, Running, World};

const UNIT: &str = "deploy/systemd/octroi.service";
/// What a unit may expose, in tenths, as systemd counts it: 10 is a process that may do everything.
const EXPOSURE_MAX: &str = "20";

fn analyze(arguments: &[&str], unit: &Path) -> Output {
    Command::new("systemd-analyze")
        .args(arguments)
        .arg(unit)
        .output()
        .expect("systemd-analyze is installed (./dev test installs it)")
}

/// The unit as it is installed, with this test's binary in place of the installed one.
fn unit_in(folder: &Path, change: impl FnOnce(String) -> String) -> std::path::PathBuf {
    let text = fs::read_to_string(binary::workspace().join(UNIT)).expect("the unit");
    let installed = "/usr/local/bin/octroi";
    assert!(text.contains(installed), "{text}");
    let text = text.replace(installed, &binary::path().display().to_string());
    let unit = folder.join("octroi.service");
    fs::write(&unit, change(text)).expect("a unit");
    unit
}

#[test]
fn systemd_understands_every_line_of_the_unit_and_finds_it_confined() {
    let folder = tempfile::tempdir().expect("a folder");
    let unit = unit_in(folder.path(), |text| text);
    let verified = analyze(&["verify"], &unit);
    assert!(verified.status.success(), "{}", said(&verified));
    assert_eq!(said(&verified), "", "systemd has nothing to say");
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    let confined = analyze(&["security", "--offline=true", &threshold], &unit);
    assert!(confined.status.success(), "{}", said(&confined));

    // What it does not understand it would say, and what is not confined it would find.
    let unit = unit_in(folder.path(), |text| {
        text.replace("Type=notify", "Type=notify-sometimes")
            .replace("ProtectSystem=strict", "ProtectSystem=no")
            .replace("CapabilityBoundingSet=CAP_NET_BIND_SERVICE", "")
    });
    let verified = analyze(&["verify"], &unit);
    assert!(
        said(&verified).contains("notify-sometimes"),
        "{}",
        said(&verified)
    );
    let exposed = analyze(&["security", "--offline=true", &threshold], &unit);
    assert!(!exposed.status.success(), "{}", said(&exposed));
}

/// `Type=notify`: started is when every listener accepts, and each reload is told from its beginning to its end.
#[test]
fn the_service_manager_is_told_of_start_reload_and_stop() {
    let upstream = Recorder::start();
    let mut world = World::with_routes(&[Route {
        host: "echo.localhost",
        path: "/",
        to: &upstream,
        more: "sign_in = \"public\"",
    }]);
    assert!(world.gateway.stop().is_some_and(|it| it.success()));
    let place = world.directory.join("notify.sock");
    let manager = UnixDatagram::bind(&place).expect("a socket");
    manager
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout");
    let told = |what: &str| {
        let mut message = [0; 256];
        let length = manager
            .recv(&mut message)
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    let socket = place.to_string_lossy();
    let environment = [("NOTIFY_SOCKET", socket.as_ref())];
    world.gateway = Running::serve_with(world.config(), world.facts.https, &environment);
    assert_eq!(told("start").trim(), "READY=1");
    world.gateway.signal("HUP");
    let reloading = told("reload");
    assert!(
        reloading.contains("RELOADING=1") && reloading.contains("MONOTONIC_USEC="),
        "{reloading}"
    );
    assert_eq!(told("the end of a reload").trim(), "READY=1");
    assert!(world.gateway.stop().is_some_and(|it| it.success()));
    assert_eq!(told("stop").trim(), "STOPPING=1");
}

/// Image and compose file say the same of user, ports and folders, and the image's command is one that octroi knows.
#[test]
fn the_image_and_its_compose_file_fit_each_other() {
    let read = |name: &str| fs::read_to_string(binary::workspace().join(name)).expect("a file");
    let (image, compose) = (read("Dockerfile"), read("deploy/compose.yaml"));
    let manual = read("docs/ops/install.md");
    let value = |name: &str| {
        let line = image.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {image}"))
            .trim()
            .to_owned()
    };
    let command: Vec<String> = serde_json::from_str(&value("CMD")).expect("a list");
    let help = binary::octroi()
        .args(&command)
        .arg("--help")
        .output()
        .expect("it runs");
    assert!(help.status.success(), "{command:?}: {}", said(&help));
    assert_eq!(value("USER"), "octroi");
    assert!(image.contains("--uid 10001") && image.contains("--gid 10001"));
    assert!(manual.contains("chown 10001:10001 deploy/etc"));
    for port in value("EXPOSE").split(' ') {
        assert!(
            compose.contains(&format!("\"{port}:{port}\"")),
            "{port}: {compose}"
        );
    }
    for folder in ["/etc/octroi", "/var/lib/octroi"] {
        assert!(compose.contains(&format!(":{folder}\n")), "{compose}");
        assert!(image.contains(folder), "{image}");
    }
    // The folder that holds a keyring is neither sent to the image's build nor committed.
    for list in [".dockerignore", ".gitignore"] {
        assert!(read(list).contains("deploy/etc"), "{list}");
    }
}
