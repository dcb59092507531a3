//! Names and passwords as RFC 8265 has them.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use precis_profiles::precis_core::profile::PrecisFastInvocation;
use precis_profiles::{OpaqueString, UsernameCasePreserved};

use crate::wire::LONGEST_NAME;

/// A user's name: one userpart of RFC 8265, profile UsernameCasePreserved, of 1
/// to 64 bytes, normalized. Two spellings of one name are equal.
///
/// ```
/// use arauto::{NameError, UserName};
///
/// let name: UserName = "ana".parse()?;
/// assert_eq!(name.to_string(), "ana");
/// assert_eq!("ana rui".parse::<UserName>(), Err(NameError::NotAllowed));
/// # Ok::<_, NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Arc<str>);

/// A problem with a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing is left of it.
    #[error("a user name must not be empty")]
    Empty,
    /// Longer than 64 bytes.
    #[error("a user name has at most {LONGEST_NAME} bytes of utf-8, this one has {0}")]
    TooLong(usize),
    /// A character that RFC 8265 does not allow in a name.
    #[error("a user name takes letters, digits and ascii signs, no space (rfc 8265)")]
    NotAllowed,
    /// The console's own name.
    #[error("the name {0} is the server's own")]
    Reserved(&'static str),
}

impl UserName {
    /// The name as it is kept and shown.
    ///
    /// # Errors
    /// It is not a name that a user can have.
    pub fn parse(text: &str) -> Result<UserName, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        // Normalization shrinks a string by a small factor at most: what is
        // longer by far need not be looked at.
        if text.len() > 8 * LONGEST_NAME {
            return Err(NameError::TooLong(text.len()));
        }
        let name = UsernameCasePreserved::enforce(text).map_err(|_| NameError::NotAllowed)?;
        // A normalized name must be a name itself, and the same one (RFC 8264, 7): `=` and
        // U+0338 become the one sign U+2260, which no name may hold.
        if UsernameCasePreserved::enforce(&*name) != Ok(Cow::Borrowed(&*name)) {
            return Err(NameError::NotAllowed);
        }
        match name.len() {
            0 => Err(NameError::Empty),
            length if length > LONGEST_NAME => Err(NameError::TooLong(length)),
            _ if name == super::CONSOLE => Err(NameError::Reserved(super::CONSOLE)),
            _ => Ok(UserName(Arc::from(&*name))),
        }
    }

    /// The server's own name, under which its console publishes.
    pub fn console() -> UserName {
        UserName(Arc::from(super::CONSOLE))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as text that can be shared.
    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl FromStr for UserName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        UserName::parse(text)
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for UserName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A password, normalized by RFC 8265's OpaqueString. It never shows itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// A problem with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password must not be empty or hold control characters (rfc 8265)")]
pub struct PasswordError;

impl Password {
    /// The password as it is hashed.
    ///
    /// # Errors
    /// It is not one that a user can have.
    pub fn parse(text: &str) -> Result<Password, PasswordError> {
        let password = OpaqueString::enforce(text).map_err(|_| PasswordError)?;
        Ok(Password(password.into_owned()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
