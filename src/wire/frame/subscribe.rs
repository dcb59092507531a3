//! The frames of filters: `subscribe`, `subscribed`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{present, text};
use crate::wire::Seq;

/// A frame that changes the session's filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe<'a> {
    /// The id that the client chose. The answer has the same id.
    pub id: u64,
    /// The patterns to add, not yet checked. They are added after those in `remove` are removed.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "text::list"
    )]
    pub add: Vec<Cow<'a, str>>,
    /// The patterns to remove, not yet checked.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "text::list"
    )]
    pub remove: Vec<Cow<'a, str>>,
    /// Whether the answer is followed by the kept values that the added patterns match.
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

/// Returns the texts without borrowed data.
pub(super) fn owned(texts: Vec<Cow<'_, str>>) -> Vec<Cow<'static, str>> {
    let texts = texts.into_iter();
    texts.map(|text| Cow::Owned(text.into_owned())).collect()
}

/// The answer to a `subscribe`: the session's filter was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribed<'a> {
    /// The subscribe frame's id.
    pub id: u64,
    /// The last seq to which the earlier filter applies.
    pub seq: Seq,
    /// The part of the filter that the rules for the user leave; absent if there is no filter.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "text::optional_list"
    )]
    pub filter: Option<Vec<Cow<'a, str>>>,
}
