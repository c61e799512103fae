//! What every adapter promises, run over each of them.

mod accounts;
mod bounds;
mod journal;
mod records;
mod sessions;
mod workbench;

use super::sessions::Cached;

/// Runs each of these tests over each adapter.
macro_rules! contract {
    ($($part:ident: { $($name:ident),* $(,)? })*) => {
        /// The store in memory.
        mod memory {
            $(mod $part {
                $(#[tokio::test]
                async fn $name() {
                    super::super::$part::$name(super::super::workbench::Workbench::memory()).await;
                })*
            })*
        }

        /// The embedded store.
        mod sqlite {
            $(mod $part {
                $(#[tokio::test]
                async fn $name() {
                    let bench = super::super::workbench::Workbench::sqlite().await;
                    super::super::$part::$name(bench).await;
                })*
            })*
        }

        /// A store that is slow and never answers from memory.
        mod slow {
            $(mod $part {
                $(#[tokio::test(start_paused = true)]
                async fn $name() {
                    super::super::$part::$name(super::super::workbench::Workbench::slow()).await;
                })*
            })*
        }
    };
}

contract! {
    sessions: {
        sessions_that_ended_are_told_with_when_and_why,
        a_session_is_found_by_its_token_until_it_ends,
        a_session_ends_once,
        ending_a_session_kills_its_tokens_on_all_hosts_and_its_unused_tickets,
        all_sessions_of_an_account_but_one_end_at_once,
        a_session_opens_only_under_the_accounts_epoch,
        a_locked_account_opens_no_session,
        an_identifier_that_exists_is_refused,
        a_session_that_replaces_another_ends_it,
        a_change_that_replaces_another_accounts_session_ends_it,
        a_provisional_password_opens_one_session_of_fifty_at_once,
        a_provisional_password_opens_nothing_once_it_has_expired,
        a_better_hash_takes_the_place_of_the_old_one,
        the_last_use_is_kept,
        what_expired_or_idled_is_swept_at_its_very_time,
        sessions_that_ended_are_told_with_their_cause_until_they_are_forgotten,
        one_of_fifty_redemptions_of_a_ticket_wins,
        a_ticket_counts_on_its_host_with_its_nonce_before_its_end_alone,
        a_session_has_one_token_a_host,
        a_session_has_a_bounded_number_of_open_tickets,
    }
    bounds: {
        an_account_has_a_bounded_number_of_sessions_and_the_longest_unused_ends,
        a_session_that_is_replaced_makes_room_for_the_one_that_replaces_it,
        fifty_sign_ins_at_once_do_not_pass_the_bound,
    }
    accounts: {
        an_account_is_found_by_its_login_in_its_own_tenant_alone,
        hashes_are_counted_by_what_they_cost,
        a_login_is_unique_within_its_tenant,
        accounts_are_listed_page_by_page,
        a_change_raises_the_epoch_and_ends_every_session,
        a_change_on_an_account_that_changed_meanwhile_is_refused_and_changes_nothing,
        a_change_can_open_the_session_that_goes_on,
        each_kind_of_change_is_kept,
        a_lock_ends_sessions_and_an_unlock_does_not_revive_them,
        one_of_fifty_uses_of_an_invitation_wins,
        an_invitation_counts_for_its_account_before_its_end_alone,
        an_account_has_one_invitation_at_most,
        an_erased_account_is_gone_and_its_login_free,
        a_grant_on_a_tenant_that_does_not_exist_is_refused,
    }
    journal: {
        a_line_is_read_back_as_it_was_written,
        the_line_of_a_hand_over_names_whose_session_was_carried,
        a_change_and_its_line_are_written_together_or_not_at_all,
        lines_are_found_by_what_they_say,
        pages_of_lines_follow_each_other_without_gap_or_repeat,
        what_was_typed_as_an_unknown_login_is_kept_as_a_hash_alone,
        erasing_a_person_leaves_the_chain_whole_and_the_lines_unreadable,
        a_purge_leaves_a_checkpoint_that_vouches_for_what_went,
        the_journals_time_follows_a_leap_of_the_clock_slowly,
        a_head_that_was_logged_is_looked_for_in_the_chain,
        lines_of_many_callers_at_once_make_one_chain,
        failures_past_ten_a_minute_become_one_line,
    }
    records: {
        a_tenant_is_found_by_id_and_by_name,
        a_tenants_name_is_unique,
        five_of_fifty_attempts_at_once_are_granted_where_five_are_allowed,
        failures_are_forgotten_when_the_window_is_over,
        an_attempt_that_was_not_made_is_given_back,
        of_fifty_attempts_at_once_what_is_given_back_is_not_counted_and_the_rest_is,
        what_failed_after_a_success_is_not_given_back_by_an_attempt_before_it,
        a_source_without_a_net_leaves_the_counter_of_nets_alone,
        forgiven_counters_begin_anew,
        signing_keys_are_kept_and_removed,
        the_number_of_signing_keys_is_bounded,
    }
}

#[tokio::test]
async fn invariant_2_a_store_that_fails_never_says_that_nobody_is_there_or_that_it_is_done() {
    let weather = super::adversarial::Weather::default();
    let bench = workbench::Workbench::under(weather.clone());
    let account = bench.person().await;
    let (session, token) = bench.sign_in(&account).await;
    let (accounts, sessions) = (&bench.stores.accounts, &bench.stores.sessions);
    weather.forget_all(true);
    weather.fail(true);
    assert!(matches!(sessions.cached(&token), Cached::Miss));
    assert!(sessions.load(&token).await.is_err());
    assert!(sessions.find(session).await.is_err());
    assert!(accounts.by_id(account.id).await.is_err());
    assert!(accounts.by_login(account.tenant, "marie").await.is_err());
    assert!(bench.stores.health.fault().is_some());
    weather.fail(false);
    weather.fail_writes(true);
    assert!(sessions.load(&token).await.unwrap().is_some());
    assert!(sessions.open(bench.opening(&account)).await.is_err());
    let erased = accounts.erase(account.id, workbench::NOW, Vec::new()).await;
    assert!(erased.is_err());
    weather.fail_writes(false);
    assert!(accounts.by_id(account.id).await.unwrap().is_some());
    assert!(bench.stores.health.fault().is_none());
}
