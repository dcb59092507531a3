//! The frames of the login: `welcome`, `login`, `logged_in`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::optional::{is_false, put};
use super::subscribe::owned;
use super::{present, text};
use crate::parse_error::ParseError;
use crate::wire::{Seq, SessionId, Term};

/// The first frame of a session: the identity and the limits of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome<'a> {
    /// The version of the protocol, 1.
    pub version: u64,
    /// The server's name and version.
    #[serde(borrow, with = "text")]
    pub server: Cow<'a, str>,
    /// The session's number.
    pub session: SessionId,
    /// The largest length of a frame in bytes, without its prefix.
    pub max_frame: u64,
    /// The largest length of a body of a `publish` in bytes, for publishers with any name. Older
    /// servers do not send this key.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub max_body: Option<u64>,
    /// The time without a frame after which the session ends, in milliseconds; absent if there is
    /// no limit.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub idle_timeout: Option<u64>,
    /// The optional features of the contract that this endpoint supports.
    #[serde(borrow, default)]
    pub features: Vec<Cow<'a, str>>,
    /// The limits of those features, by their names in the contract.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "present"
    )]
    pub limits: Option<BTreeMap<Cow<'a, str>, u64>>,
}

/// A frame that logs in and sets the position at which the session's broadcasts begin.
#[derive(Clone, PartialEq)]
pub struct Login<'a> {
    /// The id that the client chose. The answer has the same id.
    pub id: u64,
    /// The user name, not yet checked or normalized.
    pub user: Cow<'a, str>,
    /// The password, not yet checked.
    pub password: Cow<'a, str>,
    /// The position at which an earlier session stopped reading.
    pub resume: Option<Resume<'a>>,
    /// The keys of optional features; `None` if the login has none of them.
    pub options: Option<Box<LoginOptions<'a>>>,
}

/// The keys of a `login` that belong to optional features.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoginOptions<'a> {
    /// The patterns of the messages to receive, not yet checked; `None` for every message.
    pub filter: Option<Vec<Cow<'a, str>>>,
    /// Whether to receive `joined` and `left`. With `None`, the session receives them if it has no
    /// filter.
    pub presence: Option<bool>,
    /// Whether to receive the kept values that the filter matches.
    pub kept: Option<bool>,
    /// The name of the cursor, a read position that the server remembers.
    pub cursor: Option<Cow<'a, str>>,
}

impl Login<'_> {
    /// Returns the same frame without borrowed data.
    pub fn into_owned(self) -> Login<'static> {
        let into_owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Login {
            id: self.id,
            user: into_owned(self.user),
            password: into_owned(self.password),
            resume: self.resume.map(|resume| Resume {
                stream: into_owned(resume.stream),
                after: resume.after,
                term: resume.term,
            }),
            options: self.options.map(|options| {
                Box::new(LoginOptions {
                    filter: options.filter.map(owned),
                    presence: options.presence,
                    kept: options.kept,
                    cursor: options.cursor.map(into_owned),
                })
            }),
        }
    }
}

impl Serialize for Login<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let none = LoginOptions::default();
        let LoginOptions {
            filter,
            presence,
            kept,
            cursor,
        } = self.options.as_deref().unwrap_or(&none);
        let optional = [
            self.resume.is_some(),
            filter.is_some(),
            presence.is_some(),
            kept.is_some(),
            cursor.is_some(),
        ];
        let keys = 3 + optional.iter().filter(|is_there| **is_there).count();
        let mut map = serializer.serialize_struct("Login", keys)?;
        map.serialize_field("id", &self.id)?;
        map.serialize_field("user", &self.user)?;
        map.serialize_field("password", &self.password)?;
        put(&mut map, "resume", self.resume.as_ref())?;
        put(&mut map, "filter", filter.as_ref())?;
        put(&mut map, "presence", presence.as_ref())?;
        put(&mut map, "kept", kept.as_ref())?;
        put(&mut map, "cursor", cursor.as_ref())?;
        map.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Login<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = LoginKeys::deserialize(deserializer)?;
        let options = LoginOptions {
            filter: keys.filter,
            presence: keys.presence,
            kept: keys.kept,
            cursor: keys.cursor,
        };
        Ok(Login {
            id: keys.id,
            user: keys.user,
            password: keys.password,
            resume: keys.resume,
            options: (options != LoginOptions::default()).then(|| Box::new(options)),
        })
    }
}

/// The keys of a `login`, as they are in its map.
#[derive(Deserialize)]
struct LoginKeys<'a> {
    id: u64,
    #[serde(borrow, with = "text")]
    user: Cow<'a, str>,
    #[serde(borrow, with = "text")]
    password: Cow<'a, str>,
    #[serde(borrow, default, with = "present")]
    resume: Option<Resume<'a>>,
    #[serde(borrow, default, with = "text::optional_list")]
    filter: Option<Vec<Cow<'a, str>>>,
    #[serde(default, with = "present")]
    presence: Option<bool>,
    #[serde(default, with = "present")]
    kept: Option<bool>,
    #[serde(borrow, default, with = "text::optional")]
    cursor: Option<Cow<'a, str>>,
}

impl std::fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("id", &self.id)
            .field("user", &self.user)
            .field("password", &"…")
            .field("resume", &self.resume)
            .field("options", &self.options)
            .finish()
    }
}

/// The position after which a session resumes: a stream, and the last seq that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume<'a> {
    /// The stream's name, from an earlier `logged_in`.
    #[serde(borrow, with = "text")]
    pub stream: Cow<'a, str>,
    /// The last seq that was read.
    pub after: Seq,
    /// The term of the session that read that seq, from the same `logged_in`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub term: Option<Term>,
}

/// The answer to a `login` that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedIn<'a> {
    /// The login frame's id.
    pub id: u64,
    /// The user's name, normalized.
    #[serde(borrow, with = "text")]
    pub user: Cow<'a, str>,
    /// The user's role.
    pub role: Role,
    /// Whether the login created the user.
    pub registered: bool,
    /// The name of the stream. Seqs are positions in this stream.
    #[serde(borrow, with = "text")]
    pub stream: Cow<'a, str>,
    /// The last seq before this session's first broadcast. If this seq is below the `after` of the
    /// resume, the broadcasts that the client read after this seq are not part of this history.
    pub seq: Seq,
    /// The term: the number of this start of the server on the stream.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub term: Option<Term>,
    /// The rate limit of the session's requests, such as `100/s`; absent if there is none.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "present"
    )]
    pub request_rate: Option<Cow<'a, str>>,
    /// The part of the login's filter that the rules for the user leave; absent if the login had no
    /// filter.
    #[serde(
        borrow,
        default,
        skip_serializing_if = "Option::is_none",
        with = "text::optional_list"
    )]
    pub filter: Option<Vec<Cow<'a, str>>>,
    /// Whether the server did not know the login's cursor before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cursor_new: bool,
}

/// The permissions of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May send requests and read broadcasts.
    Leitor,
    /// May also publish.
    Escritor,
    /// May also stop the server.
    Admin,
}

impl Role {
    /// Returns the role's name on the wire.
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
