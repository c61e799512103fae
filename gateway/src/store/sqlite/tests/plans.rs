//! How the statements of pages and sweeps are carried out: by index, whatever else is kept.

use sqlx::{AssertSqlSafe, Row as _};

use super::{
    super::{accounts, personal_keys, session_rows, session_views, statements::counting},
    Site, another_person, person, sign_in,
};
use crate::store::{
    accounts::{AccountPage, AccountStore},
    sessions::SessionStore,
};

#[tokio::test]
async fn what_a_page_shows_is_found_by_an_index() {
    let site = Site::new();
    let store = site.open().await;
    for sql in [
        accounts::SELECT_BY_ID,
        accounts::SELECT_BY_LOGIN,
        accounts::SELECT_PAGE,
        accounts::SELECT_PAGE_OF_TENANT,
        accounts::SELECT_GRANTS_OF,
        session_views::SELECT_ONE,
        session_views::SELECT_LIVING_OF,
        session_views::SELECT_PAST_OF,
        session_views::SELECT_LIVING,
        session_views::SELECT_HOSTS_OF,
        session_rows::SELECT_DUE,
        personal_keys::SELECT_OF_ACCOUNTS,
    ] {
        let is_of_keys = sql == personal_keys::SELECT_OF_ACCOUNTS;
        let explained = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
            .fetch_all(if is_of_keys {
                store.scribe.personal_keys.pool_for_tests()
            } else {
                store.database.writer()
            })
            .await
            .unwrap();
        let steps: Vec<String> = explained.iter().map(|row| row.get("detail")).collect();
        assert!(!steps.is_empty());
        for step in &steps {
            // The list of what is wanted; and the index whose order is that of the page.
            let reads_what_is_shown =
                step.starts_with("SCAN wanted") || step.contains("USING INDEX session_by_start");
            assert!(
                !step.starts_with("SCAN") || reads_what_is_shown,
                "{sql}: {steps:?}"
            );
        }
        // What one account has is little; a page of all must come in its order.
        let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE"));
        let is_bounded = [
            accounts::SELECT_GRANTS_OF,
            session_views::SELECT_LIVING_OF,
            session_views::SELECT_HOSTS_OF,
        ];
        assert!(!sorts || is_bounded.contains(&sql), "{sql}: {steps:?}");
    }
}

#[tokio::test]
async fn statements_that_ask_for_one_value_are_counted_too() {
    let site = Site::new();
    let store = site.open().await;
    counting::take();
    person(&store).await;
    let run = counting::take();
    assert!(run.contains(&"SELECT count(*) FROM tenant"), "{run:?}");
}

#[tokio::test]
async fn a_page_costs_as_many_statements_however_many_lines_it_has() {
    let site = Site::new();
    let store = site.open().await;
    for account in [
        person(&store).await,
        another_person(&store).await,
        another_person(&store).await,
    ] {
        for _ in 0..5 {
            sign_in(&store, &account).await;
        }
    }
    let keys = |run: &[&str]| {
        run.iter()
            .filter(|sql| sql.contains("personal_key"))
            .count()
    };
    counting::take();
    let sessions = SessionStore::list(&store, 100).await.unwrap();
    assert_eq!(sessions.len(), 15);
    assert!(sessions.iter().all(|view| view.hosts.len() == 1));
    let run = counting::take();
    assert_eq!((keys(&run), run.len()), (1, 4), "{run:?}");
    let page = AccountPage {
        tenant: None,
        after: None,
        limit: 100,
    };
    assert_eq!(
        AccountStore::list(&store, page)
            .await
            .unwrap()
            .accounts
            .len(),
        3
    );
    let run = counting::take();
    assert_eq!((keys(&run), run.len()), (1, 3), "{run:?}");
}
