//! The frames of filters: `subscribe`, `subscribed`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{present, text};
use crate::wire::Seq;

/// Changes the session's filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe<'a> {
    /// Chosen by the client, echoed in the answer.
    pub id: u64,
    /// The patterns to add, not yet checked. Applied after `remove`.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "text::list"
    )]
    pub add: Vec<Cow<'a, str>>,
    /// The patterns to remove.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "text::list"
    )]
    pub remove: Vec<Cow<'a, str>>,
    /// Whether the kept values that the added patterns match are sent behind the answer.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub kept: Option<bool>,
}

impl Subscribe<'_> {
    /// Returns the same frame without borrowed data.
    pub fn into_owned(self) -> Subscribe<'static> {
        Subscribe {
            id: self.id,
            add: owned(self.add),
            remove: owned(self.remove),
            kept: self.kept,
        }
    }
}

pub(super) fn owned(texts: Vec<Cow<'_, str>>) -> Vec<Cow<'static, str>> {
    let texts = texts.into_iter();
    texts.map(|text| Cow::Owned(text.into_owned())).collect()
}

/// The session's filter was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribed<'a> {
    /// The subscribe frame's id.
    pub id: u64,
    /// The last seq that the earlier filter holds for.
    pub seq: Seq,
    /// The filter, as the rules about the user leave it; absent if there is none.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "text::optional_list"
    )]
    pub filter: Option<Vec<Cow<'a, str>>>,
}
