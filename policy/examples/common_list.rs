//! Makes the shipped filter of common passwords: `cargo run -p octroi-policy --example common_list -- OUT LIST…`.
//!
//! Each list is a text file, one password a line, the most common first. Of the first list all that have at least 12
//! characters are taken, and the 100,000 most common of those that have at least 8, under which no policy goes; of the
//! others all that have at least 8. What is taken is folded as passwords are that are looked up: small letters, no
//! accents. `policy/data/README.md` says which lists, and whose they are.

use std::{
    collections::BTreeSet,
    error::Error,
    fs,
    io::{self, Write as _},
    path::Path,
};

use octroi_policy::password::{filter, list_key};
use xorf::{BinaryFuse16, DmaSerializable};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let out = arguments.next().ok_or("name the file to write")?;
    let mut keys = BTreeSet::new();
    for (number, list) in arguments.enumerate() {
        let text = fs::read_to_string(Path::new(&list))?;
        let mut common = 0;
        for password in text.lines() {
            let length = password.chars().count();
            let is_first = number == 0;
            common += usize::from(length >= 8);
            if length >= 12 || (length >= 8 && (!is_first || common <= 100_000)) {
                keys.insert(list_key(password));
            }
        }
    }
    let keys: Vec<u64> = keys.into_iter().collect();
    let built = BinaryFuse16::try_from(&keys)?;
    let mut bytes = vec![0; filter::FilterShape::BYTES];
    built.dma_copy_descriptor_to(&mut bytes);
    bytes.extend(
        built
            .fingerprints
            .iter()
            .flat_map(|print| print.to_le_bytes()),
    );
    fs::write(Path::new(&out), &bytes)?;
    let told = format!("{} passwords, {} bytes\n", keys.len(), bytes.len());
    io::stdout().write_all(told.as_bytes())?;
    Ok(())
}
