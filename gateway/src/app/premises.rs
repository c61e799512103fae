//! What a start needs beside its configuration, looked at without touching it: a keyring that can be
//! read, a data directory that can be written.

use std::{
    error::Error as _,
    io,
    path::{Path, PathBuf},
};

use octroi_config::settings::Server;
use rustix::fs::{Access, access};

use crate::keyring::Keyring;

/// Everything that would keep a start from its keyring and its data; what is to be done stands at the
/// end of each.
pub(super) fn problems(server: &Server) -> Vec<String> {
    let may = |path: &Path, wanted| access(path, wanted).map_err(io::Error::from);
    let keyring = keyring_problem(server);
    keyring
        .into_iter()
        .chain(data_problems(&server.data, may))
        .collect()
}

/// The demo makes its keyring at its first start.
fn keyring_problem(server: &Server) -> Option<String> {
    let is_yet_to_come = server.demo && !server.keyring.exists();
    let loaded = (!is_yet_to_come).then(|| Keyring::load(&server.keyring))?;
    let error = loaded.err()?;
    Some(match error.source() {
        Some(cause) => format!("{error}: {cause}; {AS_WHOM}"),
        None => error.to_string(),
    })
}

/// `may` tells whether this process may do what is asked for.
fn data_problems(data: &Path, may: impl Fn(&Path, Access) -> io::Result<()>) -> Vec<String> {
    let everything = Access::READ_OK | Access::WRITE_OK;
    let enter = everything | Access::EXEC_OK;
    let files = ["lock", "octroi.db", "keys.db"].map(|file| data.join(file));
    let wanted: Vec<(PathBuf, Access)> = if data.exists() {
        let files = files.into_iter().filter(|file| file.exists());
        let files = files.map(|file| (file, everything));
        std::iter::once((data.to_owned(), enter))
            .chain(files)
            .collect()
    } else {
        let parent = data.parent().unwrap_or_else(|| Path::new("/"));
        vec![(parent.to_owned(), enter)]
    };
    let cannot_use = |(path, wanted): (PathBuf, Access)| {
        let error = may(&path, wanted).err()?;
        Some(format!(
            "{} cannot be read and written ({error}); {AS_WHOM}",
            path.display()
        ))
    };
    wanted.into_iter().filter_map(cannot_use).collect()
}

const AS_WHOM: &str = "run this as the user that the gateway runs as, or give it to that user";

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn refusing(refused: &Path) -> impl Fn(&Path, Access) -> io::Result<()> {
        move |path, wanted| {
            assert!(wanted.contains(Access::WRITE_OK));
            if path == refused {
                Err(io::ErrorKind::PermissionDenied.into())
            } else {
                access(path, wanted).map_err(io::Error::from)
            }
        }
    }

    #[test]
    fn data_that_cannot_be_written_is_a_problem_and_data_to_be_made_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("data");
        let nothing = Path::new("/nowhere");
        assert_eq!(data_problems(&data, refusing(nothing)), [""; 0]);
        assert_eq!(data_problems(&data, refusing(parent.path())).len(), 1);
        fs::create_dir(&data).unwrap();
        fs::write(data.join("octroi.db"), "").unwrap();
        assert_eq!(data_problems(&data, refusing(nothing)), [""; 0]);
        for refused in [data.clone(), data.join("octroi.db")] {
            let told = data_problems(&data, refusing(&refused)).join("\n");
            let what = format!("{} cannot be read and written", refused.display());
            assert!(told.starts_with(&what), "{told}");
        }
    }

    #[test]
    fn a_keyring_that_is_none_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keyring");
        let text = format!(
            "[server]\nhttps = \"0.0.0.0:443\"\nportal = \"login.example.com\"\ndata = \"data\"\nkeyring = {:?}\n\
             [[certificate]]\nnames = [\"login.example.com\"]\nchain = \"/c\"\nkey_file = \"/e\"\n",
            file.display().to_string()
        );
        let server = octroi_config::parse(&text, &folder.path().join("octroi.toml"))
            .unwrap()
            .settings
            .server;
        fs::write(&file, "no keys").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let told = problems(&server).join("\n");
        assert!(told.contains("this is not a keyring"), "{told}");
        fs::remove_file(&file).unwrap();
        Keyring::create(&file, &crate::entropy::SystemEntropy).unwrap();
        assert_eq!(problems(&server), [""; 0]);
    }
}
