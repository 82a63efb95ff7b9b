//! The list of promises, and the macro that makes tests of them.

/// Makes one test of every promise in
/// [`testing::conformance`](crate::testing::conformance), by the promise's name.
///
/// Takes the path of an `async fn() -> Fixture` that gives an empty store each
/// time. Call it in a module of its own; the crate needs `tokio` with the features
/// `macros` and `rt-multi-thread` among its dev-dependencies.
///
/// ```
/// use invitation_core::{MemoryStore, testing::Fixture};
///
/// async fn fixture() -> Fixture {
///     Fixture::new(MemoryStore::new())
/// }
///
/// mod promises {
///     invitation_core::conformance!(super::fixture);
/// }
/// ```
#[macro_export]
macro_rules! conformance {
    ($fixture:path) => {
        $crate::__conformance_promises!($crate::__conformance_tests, $fixture);
    };
}

/// One test of each promise.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    (($fixture:path) $($file:ident { $($promise:ident)+ })+) => {
        $($(
            #[::tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $promise() {
                $crate::testing::conformance::$promise($fixture().await).await;
            }
        )+)+
    };
}

/// The one list of promises, by the file that each is in: handed to `$to`.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_promises {
    ($to:path $(, $with:path)?) => {
        $to! {
            ($($with)?)
            guard_words {
                guard_not_expired_holds_to_the_microsecond
                guard_uses_left_holds_below_the_maximum
                guard_not_revoked_and_not_deleted_hold
                guard_address_proved_compares_the_keys
                guard_grantable_looks_the_stored_pair_up
                guard_version_is_exact
                guard_first_use_tells_redeemers_apart
            }
            changes {
                a_change_leaves_what_the_specification_leaves
                a_refused_change_leaves_everything_as_it_was
                a_resent_change_is_recognised
                an_operation_on_record_is_never_made
                transitions_in_one_call_have_each_their_own_fate
            }
            inserting {
                inserted_invitations_are_found_by_id_and_code
                a_thousand_invitations_are_inserted_at_once
                an_insert_with_a_taken_code_stores_nothing
                a_rotation_to_a_taken_code_changes_nothing
                a_rotation_leaves_only_the_new_code
            }
            finding {
                what_is_out_of_scope_is_missing
                what_does_not_exist_is_missing
                locate_finds_every_division
                words_are_compared_byte_for_byte
                redeemers_are_told_apart_byte_for_byte
                a_store_works_behind_every_pointer
            }
            fidelity {
                invitations_come_back_byte_for_byte
                events_come_back_byte_for_byte
                events_of_an_insert_come_back_byte_for_byte
            }
            recording {
                an_event_is_recorded_once
                the_event_of_a_change_is_not_replaced
                many_events_are_recorded_at_once
            }
            listing {
                pages_cover_everything_once_newest_first
                the_last_page_says_so
                inserts_between_pages_neither_repeat_nor_skip
                filters_mean_what_the_specification_says
                counts_stop_one_beyond_the_cap
            }
            searching {
                a_search_finds_beginnings_of_words
                a_search_follows_changes
                a_search_finds_beginnings_of_codes
                a_search_without_words_is_refused
            }
            criteria {
                criteria_narrow_a_list
                a_search_means_what_the_manual_says
                pages_of_a_list_belong_together
            }
            trail {
                events_are_read_as_the_specification_says
                events_between_pages_neither_repeat_nor_skip
                an_auditor_reads_the_trail_within_reach
            }
            rights {
                rights_to_create_are_those_of_the_policy
                rights_on_an_invitation_are_those_of_the_policy
                rights_to_look_are_those_of_the_policy
                a_foreign_invitation_looks_like_none
                a_manager_has_the_managers_dashboard
            }
            redeeming {
                a_code_is_redeemed_once
                a_code_is_redeemed_as_typed
                a_mistyped_code_leaves_no_trace
                a_code_expires_at_its_instant
                a_code_for_several_is_redeemed_exactly_so_often
                a_bound_code_is_for_who_proved_the_address
                the_terms_of_the_moment_decide
            }
            refusing {
                a_refused_redemption_leaves_evidence_only
                the_first_reason_decides
                a_refusal_leaves_the_code_for_the_right_person
                nothing_is_disclosed_when_the_host_says_so
            }
            replaying {
                a_repeat_gets_the_same_redemption
                a_repeat_among_several_gets_its_own_redemption
                a_repeat_is_recognised_under_another_policy
                a_repeat_is_known_by_its_user
            }
            ceiling {
                the_ceiling_of_the_moment_decides_at_redeem
                an_amended_role_is_judged_by_the_inviters_ceiling
                the_system_invites_the_first_administrator
                every_change_that_grants_is_under_the_ceiling
                nobody_amends_or_creates_beyond_the_own_rights
            }
            administering {
                an_amendment_changes_what_it_names
                an_amendment_out_of_bounds_is_invalid
                an_expired_invitation_is_extended
                what_is_final_stays_final
                a_rotated_code_is_dead_at_once
                a_revocation_is_undone_by_reinstating
                a_deleted_invitation_is_gone_for_everybody
            }
            versions {
                the_version_counts_changes_of_terms
                a_change_meant_for_a_version_is_made_on_it_only
            }
            evidence {
                every_change_leaves_one_complete_event
                a_batch_leaves_one_event_for_each
                an_invalid_batch_leaves_nothing
                the_trail_never_contains_a_code
                a_flood_of_refusals_is_counted
                a_flood_hides_no_success
            }
            races {
                a_crowd_redeems_a_single_use_code_once
                a_crowd_redeems_a_code_for_three_three_times
                a_crowd_redeems_a_code_for_five_five_times
                a_person_in_a_hurry_redeems_once
                many_codes_are_redeemed_at_once
            }
            races_of_changes {
                a_redemption_and_a_revocation_exclude_each_other
                nobody_gets_in_after_a_revocation
                a_grant_is_wholly_one_version
                rotations_at_once_leave_one_code
                one_of_many_changes_meant_for_a_version_is_made
            }
        }
    };
}
