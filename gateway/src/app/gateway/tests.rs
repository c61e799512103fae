//! What is read of the configuration again and again, and not at the start alone.

use super::*;
use crate::app::testing::Folder;

#[tokio::test]
async fn a_reload_changes_how_long_the_journal_is_kept() {
    let folder = Folder::new();
    let config = folder.configure("12");
    let (core, live) = folder.live(&config).await;
    let keys = SigningKeys::open(Arc::clone(&core.stores.signing_keys), core.clock.now()).await;
    let keys = Arc::new(keys.unwrap());
    let upkeep = Upkeep::of(&core, &live, Arc::clone(&keys), passports(&core, &keys));
    let days = |days: u64| Duration::from_hours(days * 24);
    assert_eq!(upkeep.retention(), days(365));
    folder.configure("6");
    live.reload().await.unwrap();
    assert_eq!(upkeep.retention(), days(365) / 2);
    folder.configure("0");
    live.reload().await.unwrap_err();
    assert_eq!(upkeep.retention(), days(365) / 2);
}
