//! The client of a session, written down.

use serde::{Deserialize, Serialize};

use super::Member;
use crate::accounts::UserName;
use crate::actors::session::saved::error::RestoreError;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SavedMember {
    User(String),
    Nameless,
}

impl Member {
    pub(in crate::actors::session::core::state) fn save(&self) -> SavedMember {
        match self {
            Member::User(user) => SavedMember::User(user.as_str().to_owned()),
            Member::Nameless => SavedMember::Nameless,
        }
    }

    pub(in crate::actors::session::core::state) fn restore(
        saved: SavedMember,
    ) -> Result<Member, RestoreError> {
        let text = match saved {
            SavedMember::Nameless => return Ok(Member::Nameless),
            SavedMember::User(text) => text,
        };
        match UserName::parse(&text) {
            Ok(user) if user.as_str() == text => Ok(Member::User(user)),
            _ => Err(RestoreError::Impossible("a user has no such name")),
        }
    }
}
