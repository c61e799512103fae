//! The page on backups, typed in its order: what is restored is what was saved, nobody who was erased comes back, and
//! sessions that lived go on.

use octroi_integration_tests::binary::said;
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::world::Running;

use super::{Machine, manual, section};
use crate::documentation::shell_lines;

#[test]
fn a_backup_is_made_while_it_runs_proved_and_restored() {
    let payroll = Recorder::start();
    let machine = Machine::new();
    machine.set_up(&payroll);
    let mut gateway = Some(machine.serve());
    let invite = |who: &str, more: &str| {
        let made = machine.type_in(&format!("octroi user invite {who} {more} --role rh"));
        assert!(made.status.success(), "{}", said(&made));
        machine.answer(&said(&made))
    };
    let mut marie = invite("acme/marie", "--new-tenant");
    invite("acme/paul", "");

    let page = manual("backup.md");
    type_all(
        &machine,
        section(&page, "Back up while it runs"),
        &mut gateway,
    );
    // Paul is erased after the copy of the data was taken, while his session lived in it; Zoe comes after it.
    let erased = machine.type_in("octroi user delete acme/paul");
    assert!(erased.status.success(), "{}", said(&erased));
    invite("acme/zoe", "");
    let keys = shell_lines(section(&page, "Back up while it runs"))
        .filter(|line| line.contains("keys.db"));
    for line in keys.map(|line| as_owner(&line)) {
        let copied = machine.type_in(&line);
        assert!(copied.status.success(), "{line}: {}", said(&copied));
    }

    let told = type_all(
        &machine,
        section(&page, "Prove that it can be restored"),
        &mut gateway,
    );
    assert!(told.contains("the journal is intact"), "{told}");
    assert!(
        told.contains("acme/marie") && !told.contains("acme/paul"),
        "{told}"
    );
    let running = machine.type_in("octroi user list");
    assert!(
        said(&running).contains("acme/zoe"),
        "the trial changed what runs: {}",
        said(&running)
    );

    let told = type_all(&machine, section(&page, "Restore"), &mut gateway);
    assert!(told.contains("the journal is intact"), "{told}");
    let people = said(&machine.type_in("octroi user list"));
    assert!(people.contains("acme/marie"), "{people}");
    assert!(
        !people.contains("acme/paul") && !people.contains("acme/zoe"),
        "{people}"
    );
    let slips = format!("https://paie.example.com:{}/slips", machine.https.port());
    let reached = marie.visit(&slips);
    assert_eq!(
        reached.response.text(),
        "the upstream answers\n",
        "her session went on"
    );

    type_all(&machine, section(&page, "Upgrade, and back"), &mut gateway);
    let reached = marie.visit(&slips);
    assert_eq!(
        reached.response.text(),
        "the upstream answers\n",
        "and over an upgrade"
    );
    let verified = machine.type_in("octroi journal verify");
    assert_eq!(verified.status.code(), Some(0), "{}", said(&verified));
}

/// A line as it is typed where octroi has no user of its own.
fn as_owner(line: &str) -> String {
    line.replace("runuser -u octroi -- ", "")
        .replace(" -o octroi -g octroi", "")
}

/// Types all lines of a section, and gives what they said. The service manager is the test.
fn type_all(machine: &Machine, section: &str, gateway: &mut Option<Running>) -> String {
    let mut told = String::new();
    let mut typed = 0;
    for line in shell_lines(section).map(|line| as_owner(&line)) {
        typed += 1;
        match line.as_str() {
            "systemctl stop octroi" => {
                let ended = gateway.take().and_then(|mut gateway| gateway.stop());
                assert!(
                    ended.is_some_and(|it| it.success()),
                    "it stops in good order"
                );
            }
            "systemctl start octroi" => *gateway = Some(machine.serve()),
            // The program of the test is installed already.
            _ if line.contains("/usr/local/bin") => {}
            _ => {
                let output = machine.type_in(&line);
                assert_eq!(output.status.code(), Some(0), "{line}: {}", said(&output));
                told += &said(&output);
            }
        }
    }
    assert!(typed >= 3, "{typed} lines");
    told
}
