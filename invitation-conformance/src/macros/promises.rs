//! The list of promises of a store.

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
                mailbox {
                    mailbox_unused_compares_comparison_forms
                    mailbox_of_an_inserted_redemption_is_used
                    mailbox_lease_expired_holds_from_the_microsecond_of_expiry
                    every_mailbox_change_matches_the_specification
                    mailbox_of_a_single_use_code_is_stored
                    address_for_a_code_without_a_domain_is_not_stored
                    mailbox_counts_while_the_code_is_bound_to_a_domain
                    purge_removes_the_mailboxes
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
                    facts_are_about_the_named_user
                    locate_finds_every_division_and_state
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
                list_by_expiry {
                    pages_contain_every_active_invitation_once_soonest_expiry_first
                    every_filter_in_the_order_of_expiry_matches_the_specification
                    changed_expiry_between_pages_moves_no_other_invitation
                }
                search {
                    search_finds_beginnings_of_terms
                    search_finds_the_address_and_every_redeemer
                    search_finds_each_of_many_redeemers
                }
                events {
                    every_event_filter_matches_the_specification
                    event_between_pages_neither_repeats_nor_hides_events
                }
                list_uses {
                    pages_of_leases_contain_every_lease_once
                    pages_of_redemptions_contain_every_redemption_once
                }
                names {
                    names_are_compared_byte_for_byte
                    redeemer_ids_are_compared_byte_for_byte
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
                reseal {
                    reseal_matches_the_specification
                    reseals_of_one_page_share_one_event
                    reseal_of_a_rotated_or_deleted_invitation_changes_nothing
                    reseal_to_a_taken_digest_changes_nothing
                    reseal_may_keep_the_digest
                }
            }
            service {
                search {
                    search_by_the_beginning_of_a_code_finds_it
                    search_without_letter_or_digit_is_invalid
                    search_by_code_without_the_right_to_copy_finds_nothing
                    search_by_a_name_that_reads_as_a_code_finds_it
                    search_that_may_be_a_code_finds_an_earlier_redeemer
                }
                list {
                    each_criterion_narrows_the_list
                    search_matches_terms_of_address_and_used_by
                    pages_share_the_time_of_the_first_page
                    pages_are_full_although_the_store_returns_short_ones
                    page_is_short_once_the_calls_to_the_store_are_used_up
                    order_of_expiry_lists_active_invitations_only
                    cursor_of_another_order_is_refused
                }
                events {
                    auditor_reads_events_within_reach_only
                }
                rights {
                    every_role_creates_exactly_what_the_policy_allows
                    every_role_acts_on_exactly_what_the_policy_allows
                    every_role_reads_exactly_what_the_policy_allows
                    every_role_revokes_and_purges_exactly_what_the_policy_allows
                    foreign_invitation_is_indistinguishable_from_none
                    manager_creates_staff_and_sees_the_own_division_only
                }
                form_rights {
                    change_without_a_right_of_the_present_form_is_denied
                    change_without_a_right_of_the_new_form_is_denied
                    form_beyond_the_own_rights_can_be_viewed_copied_and_revoked
                }
                redeem {
                    single_use_code_is_redeemed_once
                    code_in_any_spelling_is_redeemed
                    mistyped_code_writes_no_event
                    redeem_from_the_instant_of_expiry_is_refused
                    multi_use_code_is_redeemed_max_uses_times
                    bound_code_without_the_proved_address_is_refused
                    redeem_after_a_change_follows_the_new_terms
                }
                refusal {
                    refused_redemption_writes_one_event_and_changes_nothing
                    first_applicable_reason_is_returned
                    refused_redemption_consumes_no_use
                    refused_redemption_without_disclosure_is_code_unknown
                }
                replay {
                    repeated_redemption_returns_the_first_result
                    repeated_multi_use_redemption_returns_the_own_result
                    repeated_redemption_under_a_stricter_policy_is_replayed
                    repeated_redemption_is_recognised_by_user_id
                }
                reserve {
                    reservation_holds_the_use_until_commit
                    reservation_ends_no_later_than_the_invitation
                    repeated_reserve_returns_the_same_reservation
                    reserve_after_own_expiry_renews_the_reservation
                    reserve_after_redeem_returns_the_redemption
                    released_use_is_free_at_once
                    commit_or_release_by_another_user_is_refused
                    redeem_consumes_the_own_reservation
                }
                expired_reservation {
                    expired_reservation_is_taken_over_on_demand
                    earliest_expired_reservation_is_taken_over_first
                    late_commit_succeeds_unless_taken_over
                    taken_over_reservation_stays_lost
                }
                reservation_terms {
                    change_of_terms_ends_reservations
                    reservations_do_not_change_the_status
                    reserved_is_the_last_reason_of_a_refusal
                    reserve_in_another_division_is_code_unknown
                    refused_reserve_without_disclosure_is_code_unknown
                    commit_follows_the_current_policy
                    repeated_commit_returns_the_first_result
                }
                check {
                    check_of_a_redeemable_code_names_the_needed_proof
                    check_refuses_for_the_reason_of_redeem
                    check_by_the_redeemer_recognises_the_redemption
                    thousand_checks_change_nothing
                }
                skewed_clocks {
                    verdicts_of_processes_differ_by_the_skew_of_their_clocks_only
                    used_or_revoked_code_stays_so_under_any_clock
                }
                redeem_with {
                    redeem_with_creates_one_account_and_redeems
                    failed_creation_releases_the_use
                    failed_repeat_keeps_the_reservation_of_the_first_call
                    refused_commit_returns_the_account_to_the_host
                    dropped_creation_keeps_the_reservation
                }
                mailbox {
                    second_user_with_the_same_mailbox_is_refused_as_used
                    reserved_mailbox_is_used_until_the_reservation_expires
                    released_mailbox_is_free_at_once
                    check_ignores_the_mailbox
                    invitation_for_an_address_with_several_uses_is_invalid
                }
                list_uses {
                    reservations_list_contains_only_open_ones_newest_first
                    redemptions_list_needs_the_right_to_view
                }
                ceiling {
                    redeem_follows_the_current_policy
                    redeem_checks_the_role_of_the_latest_grantor
                    system_invitation_has_no_ceiling
                    amend_rotate_and_reinstate_need_the_right_to_grant
                    amend_or_create_above_the_own_rights_is_denied
                }
                standing {
                    grantor_without_standing_is_refused_and_the_code_stays_unspent
                    hook_is_asked_about_the_latest_grant
                    replay_refusal_and_grant_of_the_system_ask_nothing
                    commit_asks_only_after_the_lease_has_expired
                    answer_about_an_earlier_grant_does_not_count
                }
                quota {
                    inviter_quota_limits_pending_invitations
                    division_quota_limits_pending_invitations
                    refusal_with_two_full_quotas_names_the_inviters
                    ended_invitation_frees_its_place
                    revived_invitation_needs_room
                    revived_invitation_counts_for_its_inviter
                    guard_is_evaluated_before_the_quota
                }
                idempotency {
                    repeated_key_returns_the_first_result
                    different_request_under_a_used_key_is_refused
                    same_key_of_another_user_is_independent
                    repeated_creation_returns_the_current_state
                    repeated_creation_with_a_full_quota_succeeds
                    repeated_creation_without_the_right_to_copy_hides_later_codes
                    repeated_creation_with_a_near_expiry_succeeds
                }
                batch {
                    batch_contains_exactly_the_invitations_of_one_call
                }
                import {
                    valid_rows_are_created_despite_invalid_ones
                    rows_beyond_a_quota_are_refused
                    import_without_its_right_or_with_too_many_rows_fails
                    duplicate_mailbox_is_skipped_or_created_as_chosen
                    repeated_import_returns_the_first_results
                    key_of_an_import_that_created_nothing_is_kept_for_a_day
                    different_import_under_a_used_key_is_refused
                    atomic_import_with_an_invalid_row_creates_nothing
                }
                moved_actor {
                    repeated_import_after_a_move_shows_no_code_of_the_former_division
                    repeated_creation_after_a_move_shows_no_code_of_the_former_division
                }
                export {
                    export_contains_no_codes
                }
                revoke_all {
                    revoke_all_revokes_what_the_criteria_match
                    revoke_all_skips_used_revoked_and_deleted_invitations
                    interrupted_revoke_all_continues_at_its_cursor
                    revoke_all_stays_within_the_actors_reach
                }
                purge {
                    purged_invitation_leaves_only_its_events
                    key_is_forgotten_with_its_first_purged_invitation
                    purge_removes_at_most_the_requested_number
                    purge_outside_its_limits_is_refused
                    unrepresentable_purge_age_is_invalid
                    purge_stays_within_the_actors_reach
                }
                administer {
                    amendment_changes_only_the_named_fields
                    amendment_outside_the_limits_is_invalid
                    extended_expired_invitation_is_active
                    change_that_the_state_forbids_is_refused
                    old_code_after_rotation_is_unknown
                    reinstated_invitation_is_redeemable
                    deleted_invitation_is_unknown_to_everyone
                }
                version {
                    version_counts_changes_of_terms_only
                    change_for_another_version_is_refused
                }
                reseal {
                    resealed_codes_need_the_new_key_only
                    interrupted_reseal_continues_or_begins_again
                    reseal_stays_within_the_actors_reach
                }
                unknown_codes {
                    unknown_foreign_and_deleted_codes_are_alike
                }
                audit {
                    every_change_writes_one_complete_event
                    batch_writes_one_event_for_each_invitation
                    invalid_batch_stores_and_records_nothing
                    events_never_contain_a_code
                    refusals_beyond_the_limit_are_counted
                    success_after_many_refusals_is_recorded
                    denial_of_an_actor_is_recorded_despite_many_strangers
                    refusals_of_all_strangers_share_one_limit
                }
                performers {
                    job_reads_and_administers_under_its_name
                    name_of_an_actor_is_kept_with_each_event
                    name_of_the_inviter_is_kept_with_the_invitation
                }
            }
            races {
                redemptions {
                    concurrent_redeems_of_a_single_use_code_succeed_once
                    concurrent_redeems_of_a_three_use_code_succeed_three_times
                    concurrent_redeems_of_a_five_use_code_succeed_five_times
                    concurrent_redeems_of_one_user_consume_one_use
                    concurrent_redeems_of_different_codes_all_succeed
                }
                changes {
                    redeem_and_revoke_of_a_single_use_code_exclude_each_other
                    no_redeem_succeeds_after_a_revocation
                    redeem_during_an_amendment_grants_one_whole_version
                    concurrent_rotations_leave_one_valid_code
                    one_of_many_changes_of_one_version_is_applied
                }
                reservations {
                    concurrent_reservations_of_a_single_use_code_redeem_it_once
                    concurrent_reservations_of_a_three_use_code_redeem_it_three_times
                    concurrent_reservations_of_a_five_use_code_redeem_it_five_times
                    concurrent_reserves_of_one_user_return_one_reservation
                }
                commits {
                    commit_and_release_exclude_each_other
                    commit_racing_a_revocation_comes_first_or_is_refused
                    late_commit_and_takeover_exclude_each_other
                    expired_reservation_is_taken_over_by_one_of_many
                }
                reseals {
                    redeems_during_a_reseal_all_succeed
                    reservations_during_a_reseal_are_committed
                    rotations_during_a_reseal_keep_the_new_code
                    concurrent_reseals_rewrite_each_row_once
                }
                key_rotation {
                    keys_are_rolled_out_under_load_without_a_failed_call
                    code_under_a_retired_key_is_refused_by_the_name_of_the_key
                }
                mailboxes {
                    concurrent_redeems_with_one_mailbox_succeed_once
                    concurrent_reserves_and_redeems_with_one_mailbox_succeed_once
                }
                quotas {
                    concurrent_creations_fill_exactly_the_free_places
                    concurrent_creations_reinstatements_and_extensions_share_the_places
                }
                idempotency {
                    concurrent_creations_under_one_key_create_once
                    concurrent_imports_under_one_key_create_once
                }
            }
        }
    };
}
