//! Reads all `[[route]]`, and sees that no two contradict each other.

use std::collections::HashMap;

use octroi_policy::decision::RouteTable;

use super::route::{Draft, route};
use crate::{
    reader::{Reader, Reading},
    settings::{Routes, Server},
    source::At,
};

/// Every route that could be read.
pub(super) fn routes(readers: &[Reader<'_>], server: Option<&Server>) -> Vec<Draft> {
    readers
        .iter()
        .filter_map(|reader| {
            let read = || route(*reader, server);
            reader.reading().insist(reader.at(), "this route", read)
        })
        .collect()
}

/// Compiles routes. `None` where two of them claim the same requests or the same name.
pub(super) fn compile(reading: &Reading, drafts: Vec<Draft>) -> Option<Routes> {
    let names_differ = check_names(reading, &drafts);
    let places: Vec<At> = drafts.iter().map(|draft| draft.at).collect();
    let place = |index: usize| places.get(index).copied().unwrap_or(At(0));
    let (routes, settings): (Vec<_>, Vec<_>) = drafts
        .into_iter()
        .map(|draft| (draft.route, draft.settings))
        .unzip();
    match RouteTable::compile(routes) {
        Ok(table) => names_differ.then(|| Routes::new(table, settings)),
        Err(conflicts) => {
            for conflict in conflicts {
                reading.contradiction(
                    place(conflict.second),
                    place(conflict.first),
                    "this route is for the same host, path and methods as an earlier one",
                    "make one route of the two, or give them different `methods`",
                );
            }
            None
        }
    }
}

fn check_names(reading: &Reading, drafts: &[Draft]) -> bool {
    let mut named: HashMap<&str, &Draft> = HashMap::with_capacity(drafts.len());
    let mut differ = true;
    for draft in drafts {
        let name = draft.route.name.as_str();
        let Some(earlier) = named.insert(name, draft) else {
            continue;
        };
        // Two routes for the same requests get the same name: that is told as what it is.
        let same_place = draft.route.host == earlier.route.host
            && draft.route.path == earlier.route.path
            && draft.route.methods == earlier.route.methods;
        if draft.named_by_us && earlier.named_by_us && same_place {
            continue;
        }
        reading.contradiction(
            draft.at,
            earlier.at,
            format!("two routes are called {name:?}"),
            "give one of them another `name`",
        );
        differ = false;
    }
    differ
}
