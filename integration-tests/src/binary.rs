//! The real `octroi` binary: the one that `OCTROI_BIN` names, or the one that this workspace builds, never an old one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

/// The path of the binary under test. Built once per test process where `OCTROI_BIN` is not set; refused where it is
/// older than a source it is built from.
pub fn path() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(find)
}

/// A command that runs the binary with an environment of its own.
pub fn octroi() -> Command {
    let mut command = Command::new(path());
    command.stdin(Stdio::null()).env_remove("OCTROI_BIN");
    command
}

/// Everything that a command said, to whichever end.
pub fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn find() -> PathBuf {
    let binary = std::env::var_os("OCTROI_BIN").map_or_else(build, PathBuf::from);
    let built_at =
        modified_at(&binary).unwrap_or_else(|| panic!("{} is not there", binary.display()));
    let sources = ["policy", "config", "certs", "gateway"].map(|member| workspace().join(member));
    if let Some(source) = newer_source(&sources, built_at) {
        panic!(
            "{} is older than {}: build it again (./dev wire builds and tests)",
            binary.display(),
            source.display(),
        );
    }
    binary
}

fn build() -> PathBuf {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--workspace", "--bin", "octroi"])
        // One test counts what a request asks of the heap.
        .args(["--features", "octroi/count-allocations"])
        .current_dir(workspace())
        .status()
        .expect("cargo runs");
    assert!(status.success(), "octroi does not build");
    // This test's own executable lies in target/<profile>/deps.
    let here = std::env::current_exe().expect("the test's own path");
    let target = here.ancestors().nth(3).expect("a target directory");
    target.join("debug/octroi")
}

/// The newest source of these folders, if a binary of that time was built before it was changed.
fn newer_source(folders: &[PathBuf], built_at: SystemTime) -> Option<PathBuf> {
    let mut newest = (PathBuf::new(), SystemTime::UNIX_EPOCH);
    for folder in folders {
        visit(folder, &mut newest);
    }
    let (source, changed_at) = newest;
    (changed_at > built_at).then_some(source)
}

fn visit(folder: &Path, newest: &mut (PathBuf, SystemTime)) {
    for entry in fs::read_dir(folder)
        .expect("a folder of sources")
        .filter_map(Result::ok)
    {
        let path = entry.path();
        if path.is_dir() {
            visit(&path, newest);
        } else if is_source(&path) {
            let changed_at = modified_at(&path).expect("a source's time");
            if changed_at > newest.1 {
                *newest = (path, changed_at);
            }
        }
    }
}

/// What the binary is made of; tests of the crates are not.
fn is_source(path: &Path) -> bool {
    let made_of = [
        "rs", "html", "ftl", "css", "js", "svg", "sql", "toml", "txt",
    ];
    let is_test =
        path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests");
    !is_test
        && path
            .extension()
            .is_some_and(|end| made_of.contains(&end.to_string_lossy().as_ref()))
}

fn modified_at(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|facts| facts.modified()).ok()
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a workspace around this crate")
        .to_path_buf()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_binary_is_old_once_something_it_is_made_of_is_newer() {
        let folder = tempfile::tempdir().expect("a directory");
        let built_at = SystemTime::UNIX_EPOCH + Duration::from_hours(24);
        let put = |name: &str, changed_at: SystemTime| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            let file = fs::File::create(&path).expect("a file");
            file.set_modified(changed_at).expect("a time");
            path
        };
        let second = Duration::from_secs(1);
        let newer = || newer_source(&[folder.path().to_owned()], built_at);
        put("src/main.rs", built_at);
        put("src/main/tests.rs", built_at + second);
        put("tests/wire.rs", built_at + second);
        put("notes.md", built_at + second);
        assert_eq!(newer(), None, "tests and notes are in no binary");
        for name in [
            "assets/portal.css",
            "templates/page.html",
            "Cargo.toml",
            "src/deep/in.rs",
        ] {
            let path = put(name, built_at + second);
            assert_eq!(newer(), Some(path.clone()), "{name}");
            fs::remove_file(path).expect("a file");
        }
        assert_eq!(newer(), None);
    }
}
