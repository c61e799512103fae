//! A data directory of an earlier octroi.

use std::sync::Arc;

use super::{
    super::open::{main_migrations, open_under},
    NOW, OpenOptions, Site, person, sign_in,
};
use crate::{
    entropy::SystemEntropy,
    journal::{JournalStore, entry::Verification},
    store::{
        accounts::AccountStore,
        sessions::{Cached, SessionStore},
    },
};

#[tokio::test]
async fn a_database_of_each_earlier_schema_opens_with_this_one() {
    let newest = main_migrations().len();
    for known in 1..newest {
        let site = Site::new();
        let mut migrations = main_migrations();
        migrations.truncate(known);
        let options = OpenOptions {
            data: site.data(),
            now: NOW,
            reserve_len: 4096,
        };
        let (keyring, entropy) = (Arc::clone(&site.keyring), Arc::new(SystemEntropy));
        let store = open_under(migrations, options, keyring, entropy).await;
        let store = store.unwrap();
        let account = person(&store).await;
        let (session, token) = sign_in(&store, &account).await;
        let schema = "SELECT count(*) FROM _sqlx_migrations";
        let applied = sqlx::query_scalar::<_, i64>(schema);
        let applied = applied.fetch_one(store.database.writer()).await.unwrap();
        assert_eq!(usize::try_from(applied).unwrap(), known);
        site.closed(store).await;

        let store = site.open().await;
        let applied = sqlx::query_scalar::<_, i64>(schema);
        let applied = applied.fetch_one(store.database.writer()).await.unwrap();
        assert_eq!(usize::try_from(applied).unwrap(), newest);
        let found = store.by_login(account.tenant, "marie").await.unwrap();
        assert_eq!(found.map(|found| found.id), Some(account.id));
        assert!(matches!(store.cached(&token), Cached::Hit(_)));
        let living = SessionStore::list(&store, 10).await.unwrap();
        assert_eq!(
            living.iter().map(|view| view.record.id).next(),
            Some(session)
        );
        let verified = store.verify(None).await.unwrap();
        assert!(matches!(verified, Verification::Intact { entries: 1, .. }));
    }
}
