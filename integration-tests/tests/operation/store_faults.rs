//! A database that cannot be used, seen from outside the running gateway: from a newer version, locked by another
//! program, on a full disk, read-only. A message names the thing and the remedy; nothing opens, nothing acknowledged is
//! lost, who is signed in goes on.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use octroi_integration_tests::answer::Response;
use octroi_integration_tests::binary::{self, said};
use octroi_integration_tests::database::{self, Held};
use octroi_integration_tests::patience::wait_for;
use octroi_integration_tests::plain;
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::visitor::{VERSIONS, Visitor};
use octroi_integration_tests::world::{Running, World};

const HOST: &str = "echo.localhost";
/// SQLite waits this long for another program's lock before it gives up, and a little more.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// The start, and a command without a gateway, end with 3 and say these words.
#[track_caller]
fn assert_unavailable(world: &World, words: &[&str]) {
    for command in [&["serve"][..], &["user", "list"]] {
        let output = world.run(command);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(3), "{command:?}: {text}");
        for word in words {
            assert!(
                text.contains(word),
                "{command:?} does not say {word}: {text}"
            );
        }
        assert!(!text.contains("panicked"), "{text}");
    }
    assert!(
        std::net::TcpStream::connect(world.facts.https).is_err(),
        "the door is open"
    );
}

fn ready(world: &World) -> u16 {
    let request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    plain::send(world.management(), request.as_bytes()).status()
}

/// A sign-in from an address of its own.
fn sign_in(world: &World, source: u8) -> (Visitor, Response) {
    let account = world.facts.account("acme/marie").clone();
    let mut visitor = Visitor::at(&world.door.approached_from([51, 0, source]));
    let answer = visitor.sign_in(&world.portal(), "acme/marie", &account.password);
    (visitor, answer)
}

/// The whole of the answer to a sign-in that cannot be carried out now.
#[track_caller]
fn assert_closed(answer: &Response) {
    let all = answer.everything();
    assert_eq!(answer.status, 503, "{all}");
    assert_eq!(
        answer.first("content-type"),
        Some("application/problem+json"),
        "{all}"
    );
    assert_eq!(answer.json()["error"], "unavailable", "{all}");
    assert_eq!(answer.first("set-cookie"), None, "{all}");
    let wait = answer.first("retry-after").and_then(|it| it.parse().ok());
    assert!(wait.is_some_and(|wait: u64| wait >= 1), "{all}");
    for inside in ["sqlite", "octroi.db", "/tmp"] {
        assert!(!all.to_lowercase().contains(inside), "{all}");
    }
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    let upstream = Recorder::start();
    let mut world = World::for_everyone(HOST, &upstream);
    assert!(world.gateway.stop().is_some());
    for (name, known) in [("octroi.db", "2"), ("keys.db", "1")] {
        let file = world.directory.join("data").join(name);
        let migration = "_sqlx_migrations WHERE version = 99";
        database::alter(
            &file,
            "INSERT INTO _sqlx_migrations VALUES (99, 'later', 0, 1, x'00', 0)",
        );
        let before = fs::read(&file).expect("a database");
        assert_unavailable(
            &world,
            &[
                name,
                "newer octroi",
                "schema 99",
                &format!("knows {known}"),
                "install that version again, or restore a backup",
            ],
        );
        assert!(fs::read(&file).expect("a database") == before, "{name}");
        database::alter(&file, &format!("DELETE FROM {migration}"));
    }
    world.gateway = Running::serve(world.config(), world.facts.https);
    assert_eq!(sign_in(&world, 1).1.status, 200, "nothing was lost");
}

/// Whoever takes the end of the journal away by putting an older copy of the data back leaves a chain that is whole. What
/// the log stream was told cannot be put back.
#[test]
fn d11_an_older_copy_of_the_data_does_not_hold_the_head_that_the_log_was_told() {
    let upstream = Recorder::start();
    let mut world = World::for_everyone(HOST, &upstream);
    assert!(world.gateway.stop().is_some());
    let file = world.directory.join("data").join("octroi.db");
    let older = fs::read(&file).expect("a database");
    world.gateway = Running::serve(world.config(), world.facts.https);
    world
        .gateway
        .wait_until("tell the journal's head", |log| head_in(log).is_some());
    let head = head_in(&world.log()).expect("a head");
    assert!(world.gateway.stop().is_some());

    let verify = |arguments: &[&str]| {
        let output = world.run(&[&["journal", "verify"], arguments].concat());
        (output.status.code(), said(&output))
    };
    let (code, told) = verify(&["--witness", &head]);
    assert_eq!(code, Some(0), "{told}");
    for log in ["octroi.db-wal", "octroi.db-shm"] {
        fs::remove_file(file.with_file_name(log)).ok();
    }
    fs::write(&file, older).expect("the older copy");
    let (code, told) = verify(&[]);
    assert_eq!(code, Some(0), "the chain alone cannot tell: {told}");
    let (code, told) = verify(&["--witness", &head]);
    assert_eq!(code, Some(1), "{told}");
}

/// The last head that was told, as `--witness` takes it.
fn head_in(log: &str) -> Option<String> {
    let (_, rest) = log.rsplit_once("journal_head=")?;
    let end = rest.find(|character: char| !(character.is_ascii_alphanumeric() || character == ':'));
    Some(rest[..end?].to_owned())
}

#[test]
fn a_clock_that_stands_before_the_journal_is_told_of_with_the_remedy() {
    let upstream = Recorder::start();
    let mut world = World::for_everyone(HOST, &upstream);
    assert!(world.gateway.stop().is_some());
    // As the last line of a gateway whose clock has been set back since.
    database::alter(
        &world.directory.join("data").join("octroi.db"),
        "DROP TRIGGER journal_is_never_edited;
         UPDATE journal SET at = at + 10000000 WHERE sequence = (SELECT max(sequence) FROM journal)",
    );
    world.gateway = Running::serve(world.config(), world.facts.https);
    world.gateway.wait_until("tell of the clock", |log| {
        log.contains("the clock stands 2 h before the last line of the journal")
            && log.contains("timedatectl")
    });
    assert_eq!(
        sign_in(&world, 1).1.status,
        200,
        "nobody is kept out for it"
    );
}

#[test]
fn a_database_that_another_program_locks_stops_the_start_and_says_so() {
    let upstream = Recorder::start();
    let mut world = World::for_everyone(HOST, &upstream);
    assert!(world.gateway.stop().is_some());
    let held = Held::take(&world.directory.join("data/octroi.db"));
    assert_unavailable(&world, &["octroi.db", "locked"]);
    drop(held);
    world.gateway = Running::serve(world.config(), world.facts.https);
    assert_eq!(sign_in(&world, 1).1.status, 200);
}

/// Invariant 2 under a lock: no sign-in is let in, who is signed in goes on, a revocation holds even where it cannot be
/// written, and all comes back by itself.
#[test]
fn invariant_2_a_lock_by_another_program_closes_sign_in_and_opens_nothing() {
    let upstream = Recorder::start();
    let world = World::for_everyone(HOST, &upstream);
    let mut insider = world.arrived("rh", HOST);
    let mut other = world.arrived("it", HOST);
    let held = Held::take(&world.directory.join("data/octroi.db"));
    let (visitor, refused) = sign_in(&world, 1);
    assert_closed(&refused);
    assert!(visitor.cookies.is_empty());
    for version in VERSIONS {
        insider.version = version;
        let answer = insider.ask("GET", &world.url(HOST, "/a"), &[], b"");
        assert_eq!(answer.status(), 200, "{version:?}: {answer:?}");
    }
    assert_eq!(ready(&world), 503, "a load balancer is told");
    let login = world.facts.with_role("it").full_login();
    let output = world.run(&["session", "revoke", "--account", &login]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    upstream.forget();
    for version in VERSIONS {
        other.version = version;
        let answer = other.ask("GET", &world.url(HOST, "/a"), &[], b"");
        assert!(answer.is_challenge(), "dead all the same: {answer:?}");
    }
    assert_eq!(upstream.count(), 0);
    drop(held);
    let back = wait_for(LOCK_PATIENCE, || {
        (sign_in(&world, 2).1.status == 200 && ready(&world) == 200).then_some(())
    });
    assert!(back.is_some(), "{}", world.log());
    let mut log = world.log();
    log.retain(|letter| letter != '\r');
    assert!(!log.contains("panicked"), "{log}");
}

/// The bits of a file system are held against the gateway by taking from it what lets root pass them.
#[test]
fn a_data_directory_that_cannot_be_written_stops_the_start_and_is_named() {
    let upstream = Recorder::start();
    let mut world = World::for_everyone(HOST, &upstream);
    assert!(world.gateway.stop().is_some());
    let data = world.directory.join("data");
    let with_mode = |directory: u32, file: u32| {
        for entry in fs::read_dir(&data)
            .expect("the data")
            .filter_map(Result::ok)
        {
            fs::set_permissions(entry.path(), Permissions::from_mode(file)).expect("a mode");
        }
        fs::set_permissions(&data, Permissions::from_mode(directory)).expect("a mode");
    };
    with_mode(0o500, 0o400);
    let output = Command::new("setpriv")
        .args(["--bounding-set=-all", "--inh-caps=-all", "--"])
        .arg(binary::path())
        .args(["serve", "-c"])
        .arg(world.config())
        .output()
        .expect("setpriv is installed");
    with_mode(0o700, 0o600);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    for word in [data.to_string_lossy().as_ref(), "owner"] {
        assert!(text.contains(word), "{word} is not named: {text}");
    }
    assert!(!text.contains("panicked"), "{text}");
    world.gateway = Running::serve(world.config(), world.facts.https);
    assert_eq!(sign_in(&world, 1).1.status, 200, "nothing was lost");
}

/// A gateway whose data lie on a disk of its own, which a test can fill.
struct SmallDisk {
    world: World,
    filler: PathBuf,
}

impl SmallDisk {
    /// Room for the data, the reserve of 64 MiB and little else.
    const MEBIBYTES: u32 = 80;

    fn mounted(upstream: &Recorder) -> Self {
        let mut world = World::for_everyone(HOST, upstream);
        assert!(world.gateway.stop().is_some());
        let data = world.directory.join("data");
        fs::remove_file(data.join("reserve")).ok();
        // In a mount namespace of its own, so that neither root nor a tidy end is needed.
        let script = format!(
            "cp -a \"$1\" \"$1.kept\" && mount -t tmpfs -o size={}m,mode=700 tmpfs \"$1\" && \
             cp -a \"$1.kept/.\" \"$1\" && exec \"$2\" serve -c \"$3\"",
            Self::MEBIBYTES
        );
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"])
            .arg(&data)
            .arg(binary::path())
            .arg(world.config());
        let mut running = Running::spawn(command, &world.directory);
        let https = world.facts.https;
        running.wait_until("serve from a small disk", |_| {
            std::net::TcpStream::connect(https).is_ok()
        });
        let inside = PathBuf::from(format!("/proc/{}/root", running.id()));
        let data = data.strip_prefix("/").expect("an absolute path");
        let filler = inside.join(data).join("filler");
        world.gateway = running;
        Self { world, filler }
    }

    /// Writes until nothing fits any more.
    #[track_caller]
    fn fill(&self) {
        let mut file = File::create(&self.filler).expect("the disk");
        let block = vec![0xa5; 64 * 1024];
        let mut size = block.len();
        while size > 0 {
            if file.write_all(&block[..size]).is_err() {
                size /= 2;
            }
        }
        assert!(
            fs::metadata(&self.filler).is_ok_and(|facts| facts.len() > 0),
            "nothing was filled"
        );
    }

    fn empty(&self) {
        fs::remove_file(&self.filler).expect("the filler");
    }

    fn reserve(&self) -> bool {
        let folder = self.filler.parent().unwrap_or_else(|| Path::new("/"));
        folder.join("reserve").exists()
    }
}

/// With the disk full, sign-ins wait; live sessions go on; a revocation and the journal give up the reserve and are
/// durable; with space again, so is everything else.
#[test]
fn a_full_disk_stops_sign_ins_and_never_a_revocation() {
    let upstream = Recorder::start();
    let disk = SmallDisk::mounted(&upstream);
    let world = &disk.world;
    let mut insider = world.arrived("rh", HOST);
    let mut other = world.arrived("it", HOST);
    assert!(disk.reserve(), "{}", world.log());
    disk.fill();
    // The log of the database may still have room for one or two.
    let closed = (1..20).find_map(|source| {
        let (_, answer) = sign_in(world, source);
        disk_is_full(disk.filler.as_path());
        (answer.status != 200).then_some(answer)
    });
    assert_closed(&closed.expect("a sign-in on a full disk"));
    for version in VERSIONS {
        insider.version = version;
        let answer = insider.ask("GET", &world.url(HOST, "/a"), &[], b"");
        assert_eq!(answer.status(), 200, "{version:?}: {answer:?}");
    }
    assert_eq!(ready(world), 503);
    let login = world.facts.with_role("it").full_login();
    let output = world.run(&["session", "revoke", "--account", &login]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!disk.reserve(), "the reserve was given up for it");
    for version in VERSIONS {
        other.version = version;
        let answer = other.ask("GET", &world.url(HOST, "/a"), &[], b"");
        assert!(answer.is_challenge(), "{answer:?}");
    }
    assert_closed(&sign_in(world, 30).1);
    disk.empty();
    let back = wait_for(Duration::from_secs(20), || {
        (sign_in(world, 31).1.status == 200 && ready(world) == 200).then_some(())
    });
    assert!(back.is_some(), "{}", world.log());
    assert!(disk.reserve(), "and the reserve is taken again");
    let verified = world.run_json(&["journal", "verify"]);
    assert_eq!(verified["intact"], true, "{verified}");
    assert!(!world.log().contains("panicked"), "{}", world.log());
}

/// Takes what a database gave back meanwhile.
fn disk_is_full(filler: &Path) {
    if let Ok(mut file) = File::options().append(true).open(filler) {
        while file.write_all(&[0xa5; 512]).is_ok() {}
    }
}
