//! The list of conformance promises, and the macro that generates one test for each.

/// Generates one test for every promise of [`port`](crate::port),
/// [`service`](crate::service) and [`races`](crate::races).
///
/// The argument is the path of an `async fn() -> Fixture` that returns an empty store on
/// each call. Call the macro in a module of its own. The tests are in modules named by
/// what they test, such as `port::purge`. The crate needs `tokio` with the features
/// `macros` and `rt-multi-thread` among its dev-dependencies.
///
/// ```
/// use invitation_conformance::Fixture;
/// use invitation_core::MemoryStore;
///
/// async fn fixture() -> Fixture {
///     Fixture::new(MemoryStore::new())
/// }
///
/// mod promises {
///     invitation_conformance::conformance!(super::fixture);
/// }
/// ```
#[macro_export]
macro_rules! conformance {
    ($fixture:path) => {
        $crate::__conformance_promises!($crate::__conformance_tests, $fixture);
    };
}

/// Generates one test for each promise.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    (($fixture:path) $($group:ident { $($file:ident { $($promise:ident)+ })+ })+) => {
        async fn __fixture() -> $crate::Fixture {
            $fixture().await
        }
        $(mod $group {
            $(mod $file {
                $(
                    #[::tokio::test(flavor = "multi_thread", worker_threads = 4)]
                    async fn $promise() {
                        $crate::$group::$promise(super::super::__fixture().await).await;
                    }
                )+
            })+
        })+
    };
}

/// Exports the promises of one group, so that the compiler reports a promise missing from
/// the list as dead code.
macro_rules! export_promises {
    ((port) port { $($file:ident { $($promise:ident)+ })+ } $($rest:tt)*) => {
        $(pub use self::$file::{$($promise),+};)+
    };
    ((service) service { $($file:ident { $($promise:ident)+ })+ } $($rest:tt)*) => {
        $(pub use self::$file::{$($promise),+};)+
    };
    ((races) races { $($file:ident { $($promise:ident)+ })+ } $($rest:tt)*) => {
        $(pub use self::$file::{$($promise),+};)+
    };
    // Another group comes first.
    (($wanted:ident) $group:ident { $($promises:tt)* } $($rest:tt)+) => {
        $crate::macros::export_promises! { ($wanted) $($rest)+ }
    };
}
pub(crate) use export_promises;

/// The only list of promises, grouped by folder and file; passed to the macro `$to`.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_promises {
    ($to:path, $with:tt) => {
        $to! {
            ($with)
            port {
                guard {
                    guard_not_expired_holds_to_the_microsecond
                    guard_uses_left_holds_below_the_maximum
                    guard_not_revoked_and_not_deleted_hold
                    guard_address_proved_compares_the_keys
                    guard_grantable_looks_the_stored_pair_up
                    guard_version_is_exact
                    guard_first_use_tells_redeemers_apart
                }
                apply {
                    a_change_leaves_what_the_specification_leaves
                    a_refused_change_leaves_everything_as_it_was
                    a_resent_change_is_recognised
                    an_operation_on_record_is_never_made
                    transitions_in_one_call_have_each_their_own_fate
                }
                guard_leases {
                    guard_first_hold_tells_redeemers_apart
                    guard_use_free_counts_uses_and_leases
                    guard_lease_run_out_holds_to_the_microsecond
                    guard_holds_lease_is_exact
                    guard_own_lease_run_out_holds_to_the_microsecond
                }
                apply_leases {
                    a_change_of_leases_leaves_what_the_specification_leaves
                    a_resent_change_of_leases_is_recognised
                    a_lease_ends_with_the_invitation
                    changes_of_terms_end_leases
                    a_refused_change_of_leases_leaves_everything_as_it_was
                }
                insert {
                    inserted_invitations_are_found_by_id_and_code
                    a_thousand_invitations_are_inserted_at_once
                    an_insert_with_a_taken_code_stores_nothing
                    a_rotation_to_a_taken_code_changes_nothing
                    a_rotation_leaves_only_the_new_code
                }
                get {
                    what_is_out_of_scope_is_missing
                    what_does_not_exist_is_missing
                    locate_finds_every_division
                    words_are_compared_byte_for_byte
                    redeemers_are_told_apart_byte_for_byte
                    a_store_works_behind_every_pointer
                }
                round_trip {
                    invitations_come_back_byte_for_byte
                    events_come_back_byte_for_byte
                    events_of_an_insert_come_back_byte_for_byte
                }
                record {
                    an_event_is_recorded_once
                    the_event_of_a_change_is_not_replaced
                    many_events_are_recorded_at_once
                }
                list {
                    pages_cover_everything_once_newest_first
                    the_last_page_says_so
                    inserts_between_pages_neither_repeat_nor_skip
                    filters_mean_what_the_specification_says
                    counts_stop_one_beyond_the_cap
                    a_filter_for_a_batch_is_exact
                }
                search {
                    a_search_finds_beginnings_of_words
                    a_search_follows_changes
                }
                events {
                    events_are_read_as_the_specification_says
                    events_between_pages_neither_repeat_nor_skip
                }
                list_uses {
                    pages_of_leases_cover_everything_once
                    pages_of_redemptions_cover_everything_once
                }
                quota {
                    a_store_counts_what_is_pending
                    a_store_names_the_first_full_quota
                    a_change_keeps_the_quotas
                }
                idempotency {
                    a_key_stands_for_what_was_inserted_under_it
                    results_are_kept_with_a_key
                    a_key_without_invitations_is_forgotten
                    an_insert_without_rows_asks_for_a_key
                }
                invited {
                    a_store_tells_who_is_invited
                    a_thousand_mailboxes_are_looked_for_at_once
                    who_is_invited_follows_changes
                }
                purge {
                    a_store_removes_what_was_over_before
                    a_store_removes_what_the_specification_takes
                    a_purged_code_begins_anew
                    a_purge_frees_only_the_keys_of_what_it_removes
                    a_purge_removes_forgotten_keys
                    a_resent_purge_is_recognised
                }
            }
            service {
                search {
                    a_search_finds_beginnings_of_codes
                    a_search_without_words_is_refused
                    a_search_confirms_no_code_to_who_may_not_copy
                }
                list {
                    criteria_narrow_a_list
                    a_search_means_what_the_manual_says
                    pages_of_a_list_belong_together
                }
                events {
                    an_auditor_reads_the_trail_within_reach
                }
                rights {
                    rights_to_create_are_those_of_the_policy
                    rights_on_an_invitation_are_those_of_the_policy
                    rights_to_look_are_those_of_the_policy
                    rights_over_many_are_those_of_the_policy
                    a_foreign_invitation_looks_like_none
                    a_manager_has_the_managers_dashboard
                }
                form_rights {
                    a_change_needs_the_rights_of_the_present_form
                    a_change_needs_the_rights_of_the_resulting_form
                    a_form_beyond_the_own_rights_can_be_viewed_copied_and_withdrawn
                }
                redeem {
                    a_code_is_redeemed_once
                    a_code_is_redeemed_as_typed
                    a_mistyped_code_leaves_no_trace
                    a_code_expires_at_its_instant
                    a_code_for_several_is_redeemed_exactly_so_often
                    a_bound_code_is_for_who_proved_the_address
                    the_terms_of_the_moment_decide
                }
                refusal {
                    a_refused_redemption_leaves_evidence_only
                    the_first_reason_decides
                    a_refusal_leaves_the_code_for_the_right_person
                    nothing_is_disclosed_when_the_host_says_so
                }
                replay {
                    a_repeat_gets_the_same_redemption
                    a_repeat_among_several_gets_its_own_redemption
                    a_repeat_is_recognised_under_another_policy
                    a_repeat_is_known_by_its_user
                }
                reserve {
                    a_reservation_holds_a_use_until_it_is_committed
                    a_reservation_ends_with_the_invitation
                    a_repeated_reservation_is_the_same
                    a_run_out_reservation_is_renewed_under_its_id
                    who_has_redeemed_gets_no_reservation
                    a_released_use_is_free_again
                    a_reservation_is_its_redeemers
                    a_redemption_takes_the_redeemers_own_use
                }
                expired_reservation {
                    a_run_out_reservation_gives_way
                    the_first_to_run_out_gives_way_first
                    a_late_commit_is_made_unless_the_use_was_needed
                    a_lost_reservation_stays_lost
                }
                reservation_terms {
                    other_terms_end_reservations
                    reservations_do_not_show_in_the_status
                    every_other_reason_comes_before_reserved
                    a_foreign_division_reserves_nothing
                    nothing_is_disclosed_to_who_reserves
                    the_ceiling_of_the_moment_decides_at_commit
                    a_repeated_commit_gets_the_same_redemption
                }
                check {
                    a_check_tells_what_redeeming_takes
                    a_check_refuses_as_redeeming_does
                    a_check_recognises_who_redeemed
                }
                redeem_with {
                    an_account_is_created_and_the_code_redeemed
                    a_failed_creation_gives_the_use_back
                    a_failed_repeat_leaves_the_use_to_the_first_call
                    a_refused_commit_gives_the_account_back
                    a_dropped_creation_leaves_a_reservation
                }
                list_uses {
                    an_administrator_lists_open_reservations
                    who_may_look_reads_who_redeemed
                }
                ceiling {
                    the_ceiling_of_the_moment_decides_at_redeem
                    an_amended_role_is_judged_by_the_inviters_ceiling
                    the_system_invites_the_first_administrator
                    every_change_that_grants_is_under_the_ceiling
                    nobody_amends_or_creates_beyond_the_own_rights
                }
                quota {
                    a_quota_bounds_what_an_inviter_has_pending
                    a_quota_bounds_what_a_division_has_pending
                    the_first_full_quota_is_named
                    what_is_over_makes_room
                    what_is_revived_needs_room
                    the_guard_is_asked_before_the_quota
                }
                idempotency {
                    the_same_key_creates_once
                    another_request_under_a_key_is_refused
                    a_key_is_its_users_own
                    a_repeated_creation_shows_the_present_state
                    a_repeated_creation_needs_no_room
                    a_repeat_gives_no_later_code_away
                    a_repeat_is_known_although_its_expiry_is_near_by_now
                }
                batch {
                    a_batch_is_what_one_call_created
                }
                import {
                    a_valid_row_is_imported_without_the_invalid_ones
                    an_import_fills_a_quota_and_refuses_the_rest
                    an_import_needs_its_right_and_is_bounded
                    a_duplicate_mailbox_is_skipped_or_created
                    a_repeated_import_gives_the_first_results
                    a_repeated_import_that_created_nothing_is_known_for_a_day
                    another_import_under_a_key_is_refused
                    an_atomic_import_fails_as_a_whole
                }
                export {
                    an_export_has_no_codes
                }
                revoke_all {
                    a_sweep_withdraws_what_the_criteria_mean
                    a_sweep_withdraws_what_can_be_withdrawn
                    a_sweep_goes_on_where_it_ended
                    a_sweep_keeps_to_the_actors_reach
                }
                purge {
                    what_was_purged_is_gone_but_for_its_events
                    a_key_goes_with_the_first_of_its_invitations
                    a_purge_is_bounded
                    a_purge_has_its_limits
                    an_age_that_is_no_age_is_invalid
                    a_purge_keeps_to_the_actors_reach
                }
                administer {
                    an_amendment_changes_what_it_names
                    an_amendment_out_of_bounds_is_invalid
                    an_expired_invitation_is_extended
                    what_is_final_stays_final
                    a_rotated_code_is_dead_at_once
                    a_revocation_is_undone_by_reinstating
                    a_deleted_invitation_is_gone_for_everybody
                }
                version {
                    the_version_counts_changes_of_terms
                    a_change_meant_for_a_version_is_made_on_it_only
                }
                audit {
                    every_change_leaves_one_complete_event
                    a_batch_leaves_one_event_for_each
                    an_invalid_batch_leaves_nothing
                    the_trail_never_contains_a_code
                    a_flood_of_refusals_is_counted
                    a_flood_hides_no_success
                    strangers_hide_no_denial_of_an_actor
                    strangers_are_bounded_together
                }
            }
            races {
                redemptions {
                    a_crowd_redeems_a_single_use_code_once
                    a_crowd_redeems_a_code_for_three_three_times
                    a_crowd_redeems_a_code_for_five_five_times
                    a_person_in_a_hurry_redeems_once
                    many_codes_are_redeemed_at_once
                }
                changes {
                    a_redemption_and_a_revocation_exclude_each_other
                    nobody_gets_in_after_a_revocation
                    a_grant_is_wholly_one_version
                    rotations_at_once_leave_one_code
                    one_of_many_changes_meant_for_a_version_is_made
                }
                reservations {
                    a_crowd_with_reservations_redeems_a_single_use_code_once
                    a_crowd_with_reservations_redeems_a_code_for_three_three_times
                    a_crowd_with_reservations_redeems_a_code_for_five_five_times
                    a_person_in_a_hurry_gets_one_reservation
                }
                commits {
                    a_commit_and_a_release_exclude_each_other
                    a_commit_is_before_a_revocation_or_refused
                    a_late_commit_and_a_taker_exclude_each_other
                    a_run_out_use_passes_to_one
                }
                quotas {
                    a_crowd_creates_as_many_as_there_are_places
                    whatever_makes_pending_shares_the_places
                }
                idempotency {
                    one_key_at_the_same_moment_creates_once
                    equal_imports_at_the_same_moment_create_once
                }
            }
        }
    };
}
