//! The closed lists of words that journal lines are made of.

/// Declares a closed list of words that the journal keeps.
macro_rules! words {
    ($(#[$outer:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub(crate) enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// The word in the journal.
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
    (listed $(#[$outer:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        words! { $(#[$outer])* $name { $($(#[$doc])* $variant = $word,)* } }

        #[cfg(test)]
        impl $name {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];
        }
    };
    (readable $(#[$outer:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        words! { $(#[$outer])* $name { $($(#[$doc])* $variant = $word,)* } }

        impl $name {
            /// The variant that this word names.
            pub(crate) fn from_word(word: &str) -> Option<Self> {
                [$(Self::$variant,)*].into_iter().find(|variant| variant.as_str() == word)
            }
        }
    };
}

words! {
    listed
    /// Why a sign-in failed. The person is told none of it.
    SignInFailure {
        /// No account has this login.
        UnknownLogin = "unknown_login",
        /// The password was wrong.
        WrongPassword = "wrong_password",
        /// Somebody who is signed in did not know the password that they wanted to change.
        WrongCurrentPassword = "wrong_current_password",
        /// The account has no password yet.
        NoPassword = "no_password",
        /// The account is locked.
        Locked = "locked",
        /// The provisional password expired, or has served.
        ProvisionalOver = "provisional_over",
        /// The account changed while the password was looked at.
        ChangedMeanwhile = "changed_meanwhile",
        /// The invitation was used, withdrawn or too old, or never made.
        InvitationOver = "invitation_over",
        /// The ticket to a host was used, too old, another browser's or another host's, or never made.
        TicketRefused = "ticket_refused",
        /// The attempt had to wait and did not.
        Throttled = "throttled",
        /// The hashing queue was full.
        Busy = "busy",
    }
}

impl SignInFailure {
    /// One of the failures that are answered like this one, and always the same of them.
    pub(crate) const fn as_answered(self) -> Self {
        match self {
            Self::UnknownLogin
            | Self::WrongPassword
            | Self::NoPassword
            | Self::Locked
            | Self::ProvisionalOver
            | Self::ChangedMeanwhile => Self::UnknownLogin,
            Self::WrongCurrentPassword
            | Self::InvitationOver
            | Self::TicketRefused
            | Self::Throttled
            | Self::Busy => self,
        }
    }
}

words! {
    /// Why a person must choose a password before anything else.
    ChangeDemand {
        /// Somebody else set the password.
        Provisional = "provisional",
    }
}

words! {
    /// What the journal was read for.
    ReadPurpose {
        /// A search.
        Search = "search",
        /// An export.
        Export = "export",
    }
}

words! {
    readable
    /// The kinds of events, for searches.
    EventKind {
        /// [`super::event::Event::SignedIn`].
        SignedIn = "signed_in",
        /// [`super::event::Event::PasswordChangeDemanded`].
        PasswordChangeDemanded = "password_change_demanded",
        /// [`super::event::Event::SignInFailed`].
        SignInFailed = "sign_in_failed",
        /// [`super::event::Event::SignInFailedRepeatedly`].
        SignInFailedRepeatedly = "sign_in_failed_repeatedly",
        /// [`super::event::Event::HostEntered`].
        HostEntered = "host_entered",
        /// [`super::event::Event::SessionEnded`].
        SessionEnded = "session_ended",
        /// [`super::event::Event::SessionsEnded`].
        SessionsEnded = "sessions_ended",
        /// [`super::event::Event::PasswordChanged`].
        PasswordChanged = "password_changed",
        /// [`super::event::Event::PasswordProvided`].
        PasswordProvided = "password_provided",
        /// [`super::event::Event::AccountCreated`].
        AccountCreated = "account_created",
        /// [`super::event::Event::AccountLocked`].
        AccountLocked = "account_locked",
        /// [`super::event::Event::AccountUnlocked`].
        AccountUnlocked = "account_unlocked",
        /// [`super::event::Event::RolesChanged`].
        RolesChanged = "roles_changed",
        /// [`super::event::Event::GrantsChanged`].
        GrantsChanged = "grants_changed",
        /// [`super::event::Event::AccountErased`].
        AccountErased = "account_erased",
        /// [`super::event::Event::InvitationIssued`].
        InvitationIssued = "invitation_issued",
        /// [`super::event::Event::TenantCreated`].
        TenantCreated = "tenant_created",
        /// [`super::event::Event::SigningKeyCreated`].
        SigningKeyCreated = "signing_key_created",
        /// [`super::event::Event::SigningKeyRemoved`].
        SigningKeyRemoved = "signing_key_removed",
        /// [`super::event::Event::Started`].
        Started = "started",
        /// [`super::event::Event::Stopped`].
        Stopped = "stopped",
        /// [`super::event::Event::ConfigurationLoaded`].
        ConfigurationLoaded = "configuration_loaded",
        /// [`super::event::Event::ConfigurationRefused`].
        ConfigurationRefused = "configuration_refused",
        /// [`super::event::Event::JournalRead`].
        JournalRead = "journal_read",
        /// [`super::event::Event::JournalPurged`].
        JournalPurged = "journal_purged",
    }
}
