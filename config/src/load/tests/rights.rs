//! Who may read and write the file and the data directory.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path};

use super::{SOUND_FILE, Sandbox, errors_of};
use crate::load::{load, remedy_for};

#[test]
fn whoever_may_not_read_the_file_is_told_as_whom_to_run() {
    let remedy = remedy_for(&io::ErrorKind::PermissionDenied.into());
    assert!(remedy.contains("runuser -u octroi"), "{remedy}");
}

#[test]
fn a_configuration_that_everybody_may_write_is_refused() {
    let sandbox = Sandbox::new();
    for (mode, is_refused) in [(0o640, false), (0o664, false), (0o666, true), (0o602, true)] {
        let file = sandbox.write("octroi.toml", SOUND_FILE, mode);
        let told =
            load(&file, &Vec::new()).map_or_else(|it| errors_of(&it).join("\n"), |_| String::new());
        assert_eq!(
            told.contains("run chmod o-w"),
            is_refused,
            "{mode:o}: {told}"
        );
    }
}

#[test]
fn the_data_directory_can_be_made_and_is_its_owners() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("octroi.toml", SOUND_FILE, 0o600);
    let told = |file: &Path| {
        load(file, &Vec::new()).map_or_else(|it| errors_of(&it).join("\n"), |_| String::new())
    };
    assert_eq!(told(&file), "", "the gateway makes it");
    let data = sandbox.path("data");
    fs::create_dir(&data).unwrap();
    for (mode, is_refused) in [(0o700, false), (0o755, false), (0o770, true), (0o777, true)] {
        fs::set_permissions(&data, fs::Permissions::from_mode(mode)).unwrap();
        let told = told(&file);
        assert_eq!(
            told.contains("run chmod go-w"),
            is_refused,
            "{mode:o}: {told}"
        );
    }
    let below = SOUND_FILE.replace("data = \"data\"", "data = \"none/data\"");
    let file = sandbox.write("below.toml", &below, 0o600);
    let told = told(&file);
    assert!(told.contains("none/data cannot be made"), "{told}");
}
