//! The demonstration's directory, made once for each build of the binary and copied for each world that wants it:
//! making the accounts costs a password hash each.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::facts::Facts;
use super::process::Running;
use crate::binary;
use crate::patience::wait_for;

/// How long another test process may take to make the template.
const MAKING: Duration = Duration::from_mins(2);

/// Copies a stopped demonstration into `directory` and gives its facts.
pub(super) fn copy_into(directory: &Path) -> Facts {
    let template = template();
    copy(
        &template,
        directory,
        &template.to_string_lossy(),
        &directory.to_string_lossy(),
    );
    Facts::read(directory)
}

fn template() -> PathBuf {
    let place = place();
    let done = place.with_extension("done");
    if done.exists() {
        return place;
    }
    fs::create_dir_all(place.parent().expect("a parent")).expect("a directory");
    if fs::create_dir(place.with_extension("making")).is_ok() {
        fs::create_dir_all(&place).expect("a directory");
        let mut demonstration = Running::demo(&place);
        let status = demonstration.stop();
        assert!(
            status.is_some_and(|status| status.success()),
            "octroi demo did not stop as asked:\n{}",
            demonstration.log()
        );
        fs::write(&done, "").expect("a mark");
    } else {
        wait_for(MAKING, || done.exists().then_some(()))
            .expect("another test makes the template; remove target/worlds if it died");
    }
    place
}

/// One place for each build of the binary.
fn place() -> PathBuf {
    let built_at = fs::metadata(binary::path())
        .and_then(|facts| facts.modified())
        .expect("the binary's time");
    let number = built_at
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_nanos();
    let here = std::env::current_exe().expect("the test's own path");
    here.ancestors()
        .nth(3)
        .expect("a target directory")
        .join(format!("worlds/{number}"))
}

/// Copies files and folders; in text that names the old place, the new one is put.
fn copy(from: &Path, to: &Path, old: &str, new: &str) {
    fs::create_dir_all(to).expect("a directory");
    let permissions = fs::metadata(from)
        .expect("the facts of a directory")
        .permissions();
    for entry in fs::read_dir(from)
        .expect("a directory")
        .filter_map(Result::ok)
    {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().expect("a kind of file");
        if kind.is_dir() {
            copy(&source, &target, old, new);
        } else if kind.is_file() && !entry.file_name().to_string_lossy().starts_with("gateway-") {
            fs::copy(&source, &target).expect("a copy");
            if target
                .extension()
                .is_some_and(|end| end == "toml" || end == "json")
            {
                let text = fs::read_to_string(&target).expect("a text");
                fs::write(&target, text.replace(old, new)).expect("a text");
            }
        }
    }
    fs::set_permissions(to, permissions).expect("the same permissions");
}
