//! The example `dashboard`, from outside: started as its users start it, over HTTP, on each
//! database that it supports.

mod connections;
mod counting;
mod folders;
mod host;
mod importing;
mod keys;
mod mailing;
mod names;
mod people;
mod proving;
mod racing;
mod refusing;
mod registering;
mod sealing;
mod standing;
mod starting;
mod webhooks;

#[tokio::test]
async fn another_unique_key_is_not_a_taken_name() {
    refusing::another_unique_key_is_not_a_taken_name(&host::Store::sqlite()).await;
}

#[tokio::test]
async fn another_unique_key_is_not_a_taken_name_where_a_use_is_reserved() {
    refusing::another_unique_key_is_not_a_taken_name(&host::Store::redis()).await;
}

#[tokio::test]
async fn manager_without_the_role_grants_no_more() {
    standing::manager_without_the_role_grants_no_more(&host::Store::sqlite()).await;
}

#[tokio::test]
async fn manager_without_the_role_grants_no_more_where_a_use_is_reserved() {
    standing::manager_without_the_role_grants_no_more(&host::Store::redis()).await;
}

/// The same promises on every store.
macro_rules! on_every_store {
    ($($file:ident { $($promise:ident)+ })+) => {
        /// Everything in one file.
        mod sqlite {
            $($(#[tokio::test]
            async fn $promise() {
                super::$file::$promise(&crate::host::Store::sqlite()).await;
            })+)+
        }

        /// Users and invitations on a database server.
        mod postgres {
            $($(#[tokio::test]
            async fn $promise() {
                super::$file::$promise(&crate::host::Store::postgres()).await;
            })+)+
        }

        /// The same on MariaDB.
        mod mariadb {
            $($(#[tokio::test]
            async fn $promise() {
                super::$file::$promise(&crate::host::Store::mariadb()).await;
            })+)+
        }

        /// Invitations in Redis, users in SQLite: no transaction spans both.
        mod redis {
            $($(#[tokio::test]
            async fn $promise() {
                super::$file::$promise(&crate::host::Store::redis()).await;
            })+)+
        }
    };
}

on_every_store! {
    importing {
        uploaded_file_becomes_invitations_whose_codes_let_people_in
        atomic_import_is_one_transaction_or_refused
    }

    counting {
        invitations_of_the_beginning_are_counted_once
    }
    mailing {
        created_invitation_is_mailed_with_its_code
    }
    webhooks {
        events_arrive_signed_and_in_order
    }
    registering {
        a_code_for_anyone_lets_its_holder_in
        the_same_newcomer_gets_the_same_answer
        another_person_does_not
        names_that_read_alike_are_one_account
        name_with_the_longest_comparison_key_is_registered_once
        a_second_start_finds_everything
        event_of_a_registration_carries_its_request_id
    }
    refusing {
        every_refusal_has_its_problem
        a_taken_name_leaves_the_code_usable
        too_many_wrong_codes_are_refused_for_a_while
    }
    proving {
        an_address_is_proved_before_anything_happens
        a_pasted_token_is_taken_as_it_was_broken
        an_answer_is_tried_so_often_and_no_more
        an_address_gets_so_many_mails_and_no_more
    }
    racing {
        many_newcomers_with_one_code_leave_one_account
        a_code_for_five_lets_five_in
        hosts_that_start_together_all_serve
        killed_at_any_moment_accounts_and_redemptions_correspond
    }
}
