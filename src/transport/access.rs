//! The clients that an endpoint is open to.

use std::str::FromStr;

use crate::parse_error::ParseError;

/// The users of this machine who may connect to a socket in the file system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Access {
    /// The server's own user: mode 0600.
    #[default]
    Owner,
    /// The members of this group too: mode 0660.
    Group(String),
    /// Every user: mode 0666.
    Everyone,
}

impl FromStr for Access {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "owner" => Ok(Access::Owner),
            None if text == "everyone" => Ok(Access::Everyone),
            Some(("group", name)) if !name.is_empty() => Ok(Access::Group(name.to_owned())),
            _ => Err(ParseError::new(
                "access",
                text,
                "owner, group:NAME or everyone",
            )),
        }
    }
}

/// Whether a Windows pipe accepts clients of other hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Remote {
    /// Only clients of this host.
    #[default]
    Reject,
    /// Clients of other hosts too, as far as Windows lets them in.
    Accept,
}

impl FromStr for Remote {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "reject" => Ok(Remote::Reject),
            "accept" => Ok(Remote::Accept),
            _ => Err(ParseError::new("remote", text, "reject or accept")),
        }
    }
}
