//! Parts of the library that the program `arauto`, the benchmarks and the tests of this package
//! use. They are no part of the public API and change without notice.

pub mod accounts {
    //! The accounts of a data folder.
    pub use crate::accounts::{
        Account, AccountRows, AccountRule, Accounts, CONSOLE, Claim, Hasher, InvalidAccount,
        InvalidRule, LoginLimits, MAX_RULES, MAX_RULES_OF_ACCOUNT, Password, PeerId,
        RuleChangeError, RuleRows, RuleScope, is_phc,
    };
    pub use crate::store::{DataFolder, Db};
}

pub mod close {
    //! The decisions of a stop.
    pub use crate::close::stop;
}

pub mod hub {
    //! The decisions of the hub about numbers of producers.
    pub use crate::actors::hub::Producers;
    pub use crate::store::{ProducerChanges, ProducerRow};
}

pub mod journal {
    //! Journals of data folders: their heads, exports and imports.
    pub use crate::store::{JournalExport, JournalImport, back_up_at_least, head};
}

pub mod log {
    //! The log of broadcasts and its cursors.
    pub use crate::log::{Appender, Content, Log, LogRead, Origin, Sealed, Terms};
}

pub mod session {
    //! The decisions of a session.
    pub use crate::accounts::{LoginRefusal, RevocationReason};
    pub use crate::actors::hub::{Contents, JudgedContents, NotPublished, Verdict, Verdicts};
    pub use crate::actors::session::core::{Core, Served, Setup};
    pub use crate::actors::session::core::{effects, ending, hears, policy, rules, shutdown};
}

pub mod services {
    //! Which session gets a call, and how each call ends.
    pub use crate::services::{
        CallAnswer, CallId, CallOutcome, CallRefusal, Membership, NewCall, OfferRefusal, Payload,
        Registry, ServiceEvent, ServiceInfo, ServiceLimits, Services, TooManyWithdrawals,
        Unavailability, Wakes,
    };
}

pub mod topic {
    //! Which patterns match a topic, and what an operator's rules allow.
    pub use crate::topic::{
        Effect, PatternIndex, Permissions, Rule, RuleError, RuleKind, RulePattern, RuleSet,
        SubscriberId, SubscriptionId, Verdict,
    };
}

pub mod admin {
    //! An endpoint for operators beside those of clients.
    pub use crate::server::{AdminListener, LaggingSession, connect_admin};
}

pub mod verify {
    //! Checks of a database.
    pub use crate::server::verify;
    pub use crate::store::{CheckedRows, MOST_FAULTS, Verified};
}

pub use crate::server::{make_service_folder, open_data_folder};
