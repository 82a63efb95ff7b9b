//! The texts of imports.

macro_rules! import_texts {
    ([$next:ident $($then:ident)*] $($before:tt)*) => {
        $next! {
            [$($then)*]
            $($before)*
            /// The heading of the import.
            import_heading = "Import invitations";
            /// The explanation of the file format that an import expects.
            import_intro = "One invitation a line, as CSV in UTF-8, separated by commas, semicolons or tabs. The first line names the columns: email, email_domain, role, division, expires_in_days, expires_at, max_uses.";
            /// The label of the import's text field.
            import_text = "CSV";
            /// The label of the import's file field.
            import_file = "Or a CSV file";
            /// The label of the choice between all lines and the valid ones.
            import_mode = "If some lines have mistakes";
            /// The option to create all lines or none.
            import_all_or_none = "Create none of them";
            /// The option to create the valid lines.
            import_best_effort = "Create the others";
            /// The label of the choice of how to treat duplicates.
            import_duplicates = "If an address comes twice or is invited already";
            /// The option to leave duplicates out.
            import_duplicates_skip = "Leave the line out";
            /// The option to create duplicates.
            import_duplicates_create = "Create it all the same";
            /// The button that checks an import.
            import_check = "Check first";
            /// The button that creates the invitations of an import.
            import_create = "Create all";
            /// The heading after a check.
            import_checked = "Checked, nothing created yet";
            /// The heading after the invitations were created.
            import_done = "The invitations were created";
            /// The heading if no invitation was created.
            import_refused = "Nothing was created";
            /// The heading of the column with the line numbers.
            import_line = "Line";
            /// The heading of the column with the outcomes.
            import_outcome = "Outcome";
            /// The heading of the column with codes and mistakes.
            import_problem = "Code or mistake";
            /// The outcome of a valid line.
            import_line_ok = "In order";
            /// The outcome of a line that was created.
            import_line_created = "Created";
            /// The outcome of a line with mistakes.
            import_line_bad = "Mistake";
            /// The outcome of a line that was left out.
            import_line_skipped = "Left out";
            /// The notice if the form of an import was sent again with other values.
            import_was_used = "This form has already created invitations. The lines below were only checked.";
            /// The link to the imports of files, and the heading of their page.
            uploads = "Import a large file";
            /// The explanation of an import of a file.
            uploads_intro = "A CSV or JSON Lines file in UTF-8, of any number of lines. After the upload you see its first lines. Then it is imported in the background.";
            /// The label of the field for the file.
            upload_file = "File";
            /// The button that uploads a file.
            upload_send = "Upload";
            /// The heading above the list of imports.
            uploads_recent = "Imports";
            /// The text instead of an empty list of imports.
            uploads_none = "No imports yet";
            /// The link back to the list of imports.
            uploads_back = "Back to the imports";
            /// The heading of the page of one import.
            upload_heading = "Import";
            /// The column and the label with the time of an import.
            upload_at = "Ordered";
            /// The column and the label with the state of an import.
            upload_state = "State";
            /// The label of the number of lines with an outcome.
            upload_rows = "Lines so far";
            /// The label of the progress bar.
            upload_progress = "Progress";
            /// The link that shows the present progress, where no script does.
            upload_refresh = "Refresh";
            /// The state of an import that is not started.
            upload_held = "Uploaded, not started";
            /// The state of an import that waits.
            upload_queued = "Waiting";
            /// The state of an import that runs.
            upload_running = "Running";
            /// The state of an import that creates all invitations in one step.
            upload_writing = "Creating all of them";
            /// The state of an import that came to its last line.
            upload_done = "Done";
            /// The state of an import that broke off.
            upload_failed = "Failed";
            /// The state of an import that a user ended.
            upload_cancelled = "Stopped";
            /// The heading above the first lines of a file.
            upload_preview = "The first lines, nothing created yet";
            /// The text below the first lines of a file that has more.
            upload_more = "The file has more lines. They are checked when the import runs.";
            /// The button that starts an import.
            upload_start = "Start the import";
            /// The button that ends an import before it is started.
            upload_discard = "Discard";
            /// The button that ends a running import.
            upload_stop = "Stop the import";
            /// The link to the result of an import.
            upload_result = "Download the result";
            /// The explanation of the result of an import.
            upload_result_hint = "The file has the outcome of each line, and the codes of the created invitations. The download is recorded in the audit trail.";
            /// The text below the codes of an import.
            import_keep = "All of them are in the list of codes, too.";
        }
    };
}
