//! The scripts. Each is a constant text that the server identifies by its SHA-1.

use std::sync::LazyLock;

/// A script and its name.
#[derive(Debug)]
pub(crate) struct Script {
    source: &'static str,
    hash: LazyLock<String>,
}

impl Script {
    pub(crate) fn source(&self) -> &'static str {
        self.source
    }

    /// Returns the SHA-1 by which a server identifies the script after loading it.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }
}

macro_rules! scripts {
    ($($name:ident = $file:literal $(after $shared:literal)?;)+) => {$(
        pub(crate) static $name: Script = Script {
            source: concat!(
                include_str!("lua/shared.lua"),
                "\n",
                $(include_str!($shared), "\n",)?
                include_str!($file)
            ),
            hash: LazyLock::new(|| redis::Script::new($name.source).get_hash().to_owned()),
        };
    )+};
}

scripts! {
    RIGHTS = "lua/rights.lua";
    OPEN = "lua/open.lua";
    INSERT = "lua/insert.lua";
    APPLY = "lua/apply.lua";
    FIND = "lua/find.lua";
    FACTS = "lua/facts.lua";
    PAGE = "lua/page.lua";
    NAMES = "lua/names.lua";
    SIZES = "lua/sizes.lua";
    RECORD = "lua/record.lua";
    PURGE = "lua/purge.lua";
    ERASE_INVITATIONS = "lua/erase_invitations.lua";
    ERASE_EVENTS = "lua/erase_events.lua";
    FEED = "lua/feed.lua";
    CURSOR = "lua/cursor.lua";
    REPLACE_CURSOR = "lua/replace_cursor.lua";
    TAKE_TOKENS = "lua/take_tokens.lua";
    CURSORS = "lua/cursors.lua";
    REMOVE_CURSOR = "lua/remove_cursor.lua";
    REMOVE_EVENTS = "lua/remove_events.lua";
    DOCUMENT = "lua/document.lua" after "lua/documents_shared.lua";
    ADD_DOCUMENTS = "lua/add_documents.lua" after "lua/documents_shared.lua";
    REPLACE_DOCUMENTS = "lua/replace_documents.lua" after "lua/documents_shared.lua";
    LIST_DOCUMENTS = "lua/list_documents.lua" after "lua/documents_shared.lua";
    REMOVE_DOCUMENTS = "lua/remove_documents.lua" after "lua/documents_shared.lua";
}
