//! A hand on the gateway's database from outside, as an operator with another tool would lay it: changed, or held locked.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Runs statements on a database that nobody has open.
#[track_caller]
pub fn alter(file: &Path, statements: &str) {
    let script = "import sqlite3, sys\n\
                  database = sqlite3.connect(sys.argv[1])\n\
                  database.executescript(sys.argv[2])\n\
                  database.commit()\n";
    let output = Command::new("python3")
        .args(["-c", script])
        .arg(file)
        .arg(statements)
        .output()
        .expect("python3 is installed");
    assert!(
        output.status.success(),
        "{statements}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Another program that holds the writer's lock of a database, until this is dropped.
pub struct Held(Child);

impl Held {
    /// Takes the lock, and returns once it has it.
    #[track_caller]
    pub fn take(file: &Path) -> Self {
        let script = "import sqlite3, sys\n\
                      database = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)\n\
                      database.execute('BEGIN IMMEDIATE')\n\
                      print('held', flush=True)\n\
                      sys.stdin.read()\n";
        let mut child = Command::new("python3")
            .args(["-c", script])
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is installed");
        let mut said = String::new();
        let stdout = child.stdout.take().expect("an output");
        BufReader::new(stdout)
            .read_line(&mut said)
            .expect("a word from the holder");
        assert_eq!(said, "held\n", "{}", file.display());
        Self(child)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
