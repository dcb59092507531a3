//! The frames of the login: `welcome`, `login`, `logged_in`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{present, text};
use crate::parse_error::ParseError;
use crate::wire::{Seq, SessionId, Term};

/// The identity and the limits of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome<'a> {
    /// The protocol's version, 1.
    pub version: u64,
    /// The server's name and version.
    #[serde(borrow, with = "text")]
    pub server: Cow<'a, str>,
    /// This session's number.
    pub session: SessionId,
    /// The longest frame, in bytes, without its prefix.
    pub max_frame: u64,
    /// The longest body of a `publish`, in bytes, whatever the publisher's name is. A server
    /// from before this key does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub max_body: Option<u64>,
    /// Milliseconds after which a session that sends no frame is ended; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub idle_timeout: Option<u64>,
    /// The features that this endpoint serves, of those that the contract names.
    #[serde(borrow, default)]
    pub features: Vec<Cow<'a, str>>,
    /// The bounds of those features, by the names that the contract gives them.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "present"
    )]
    pub limits: Option<BTreeMap<Cow<'a, str>, u64>>,
}

/// A client's claim to a name, and where its broadcasts begin.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Login<'a> {
    /// Echoed in the answer.
    pub id: u64,
    /// The name, not yet looked at.
    #[serde(borrow, with = "text")]
    pub user: Cow<'a, str>,
    /// The password, not yet looked at.
    #[serde(borrow, with = "text")]
    pub password: Cow<'a, str>,
    /// Where an earlier session stopped reading.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "present"
    )]
    pub resume: Option<Resume<'a>>,
}

impl std::fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("id", &self.id)
            .field("user", &self.user)
            .field("password", &"…")
            .field("resume", &self.resume)
            .finish()
    }
}

/// The stream and the last seq that a client has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume<'a> {
    /// The stream's name, from an earlier `logged_in`.
    #[serde(borrow, with = "text")]
    pub stream: Cow<'a, str>,
    /// The last seq that was read.
    pub after: Seq,
    /// The term of the session that read it, from the same `logged_in`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub term: Option<Term>,
}

/// The login is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedIn<'a> {
    /// The login's id.
    pub id: u64,
    /// The name as the server knows it (normalized).
    #[serde(borrow, with = "text")]
    pub user: Cow<'a, str>,
    /// The user's role.
    pub role: Role,
    /// Whether this login created the user.
    pub registered: bool,
    /// Names the sequence that seq counts in.
    #[serde(borrow, with = "text")]
    pub stream: Cow<'a, str>,
    /// The last seq before this session's first broadcast. Below a resume's `after`: what the
    /// client has above it is not in this history.
    pub seq: Seq,
    /// Numbers this start of the server on the stream.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub term: Option<Term>,
    /// How fast the session may send frames that ask for something, as in `100/s`; absent:
    /// as fast as they are answered.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "present"
    )]
    pub request_rate: Option<Cow<'a, str>>,
}

/// The permissions of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Ask and read.
    Leitor,
    /// And publish.
    Escritor,
    /// And stop the server.
    Admin,
}

impl Role {
    /// The role's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Leitor => "leitor",
            Role::Escritor => "escritor",
            Role::Admin => "admin",
        }
    }

    /// Whether the role includes `publish`.
    pub const fn may_publish(self) -> bool {
        matches!(self, Role::Escritor | Role::Admin)
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Role {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Role::Leitor, Role::Escritor, Role::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| ParseError::new("role", text, "leitor, escritor or admin"))
    }
}
