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
                    not_expired_holds_until_the_microsecond_of_expiry
                    uses_left_holds_below_max_uses
                    not_revoked_and_not_deleted_follow_the_facts
                    address_proved_compares_comparison_forms
                    grantable_compares_the_stored_role_pair
                    version_holds_for_the_exact_version_only
                    first_use_by_compares_user_ids_byte_for_byte
                }
                apply {
                    every_change_matches_the_specification
                    refused_change_has_no_effect
                    resent_change_is_replayed_without_effect
                    recorded_operation_id_is_never_applied
                    transitions_of_one_call_succeed_or_fail_independently
                }
                guard_leases {
                    first_hold_by_compares_user_ids_byte_for_byte
                    use_free_counts_uses_and_leases
                    lease_expired_holds_from_the_microsecond_of_expiry
                    holds_lease_compares_lease_and_user
                    own_lease_expired_holds_from_the_microsecond_of_expiry
                }
                apply_leases {
                    every_lease_change_matches_the_specification
                    resent_lease_change_is_replayed_without_effect
                    lease_ends_no_later_than_the_invitation
                    change_of_terms_ends_all_leases
                    refused_lease_change_has_no_effect
                }
                insert {
                    inserted_invitations_are_found_by_id_and_code
                    insert_of_1000_invitations_stores_all
                    insert_with_a_taken_code_stores_nothing
                    rotation_to_a_taken_code_changes_nothing
                    rotated_invitation_is_found_by_its_new_code_only
                }
                get {
                    invitation_out_of_scope_is_missing
                    invitation_never_inserted_is_missing
                    locate_finds_every_division_and_state
                    names_are_compared_byte_for_byte
                    redeemer_ids_are_compared_byte_for_byte
                    store_behind_a_pointer_behaves_like_the_store
                }
                round_trip {
                    stored_invitations_are_returned_byte_for_byte
                    recorded_events_are_returned_byte_for_byte
                    events_of_an_insert_are_returned_byte_for_byte
                }
                record {
                    event_recorded_twice_is_stored_once
                    recording_under_a_known_id_keeps_the_first_event
                    record_of_many_events_stores_all
                }
                list {
                    pages_contain_every_invitation_once_newest_first
                    last_page_has_no_next
                    insert_between_pages_neither_repeats_nor_hides_items
                    every_filter_matches_the_specification
                    counts_stop_at_one_beyond_the_cap
                    batch_filter_matches_exactly_that_batch
                }
                search {
                    search_finds_beginnings_of_terms
                    search_finds_current_values_only
                }
                events {
                    every_event_filter_matches_the_specification
                    event_between_pages_neither_repeats_nor_hides_events
                }
                list_uses {
                    pages_of_leases_contain_every_lease_once
                    pages_of_redemptions_contain_every_redemption_once
                }
                quota {
                    quota_counts_exactly_the_pending_invitations
                    first_full_quota_is_returned
                    change_to_pending_without_room_is_refused
                }
                idempotency {
                    known_key_returns_its_invitations
                    results_of_a_key_are_returned_byte_for_byte
                    key_without_invitations_expires
                    insert_without_rows_only_looks_up_the_key
                }
                invited {
                    invited_is_true_for_active_bound_invitations_only
                    invited_answers_1000_mailboxes_in_one_call
                    invited_follows_changes_of_the_invitation
                }
                purge {
                    purge_removes_invitations_that_ended_before_the_instant
                    purge_matches_the_specification
                    purged_code_can_be_inserted_again
                    purge_keeps_a_key_reused_by_a_later_request
                    purge_removes_expired_keys_without_invitations
                    resent_purge_is_not_applied_again
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
