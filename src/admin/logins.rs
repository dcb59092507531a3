//! The browsers that have logged in with the token.
//!
//! A browser that has shown the token gets a cookie with a random id instead. A browser sends the
//! cookies of a host to every port of that host, also to servers of other users. So the token itself is
//! in no cookie, and an id is of no use after [`LIFETIME`], a logout, a restart, or a new token.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::token::Token;

/// The most browsers at once. Another one takes the place of the one that logged in first.
const MOST: usize = 16;

/// How long a login lasts.
pub(super) const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// The bytes of an id.
const ID: usize = 32;

/// The browsers that have logged in. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Logins(Arc<Mutex<VecDeque<Login>>>);

struct Login {
    /// The digest of the id: comparing digests tells nothing about the id.
    digest: [u8; 32],
    /// The token that was shown.
    token: Token,
    until: Instant,
}

impl Logins {
    /// Adds a browser that has shown this token, and returns its id.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(super) fn add(&self, token: &Token, now: Instant) -> Result<String, getrandom::Error> {
        let mut id = [0; ID];
        getrandom::fill(&mut id)?;
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut logins = self.0.lock();
        logins.retain(|login| login.until > now);
        if logins.len() == MOST {
            logins.pop_front();
        }
        logins.push_back(Login {
            digest: digest(id.as_bytes()),
            token: token.clone(),
            until: now + LIFETIME,
        });
        Ok(id)
    }

    /// Returns whether the cookie of a request is that of a browser that has shown this token.
    pub(super) fn admit(&self, headers: &HeaderMap, token: &Token, now: Instant) -> bool {
        let Some(digest) = cookie(headers).map(digest) else {
            return false;
        };
        let logins = self.0.lock();
        logins
            .iter()
            .any(|login| login.digest == digest && login.until > now && login.token.is_same(token))
    }

    /// Forgets the browser of a request. Returns whether it was there.
    pub(super) fn remove(&self, headers: &HeaderMap) -> bool {
        let Some(digest) = cookie(headers).map(digest) else {
            return false;
        };
        let mut logins = self.0.lock();
        let before = logins.len();
        logins.retain(|login| login.digest != digest);
        logins.len() < before
    }
}

fn digest(id: &[u8]) -> [u8; 32] {
    Sha256::digest(id).into()
}

/// Returns the name of the cookie. It has the port, because a browser keeps one cookie of a name for
/// all ports of a host, and servers may be at several.
pub(super) fn cookie_name(headers: &HeaderMap) -> String {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let authority = host.and_then(|host| host.parse::<Authority>().ok());
    let port = authority.and_then(|authority| authority.port_u16());
    format!("arauto-admin-{}", port.unwrap_or(80))
}

/// Returns the id in the cookie of a request.
fn cookie(headers: &HeaderMap) -> Option<&[u8]> {
    let name = cookie_name(headers) + "=";
    let cookies = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = cookies.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.find_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_cookie(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let host = "127.0.0.1:9180".parse().expect("it is plain");
        headers.insert(header::HOST, host);
        headers.insert(header::COOKIE, cookie.parse().expect("it is plain"));
        headers
    }

    fn of_id(id: &str) -> HeaderMap {
        with_cookie(&format!("a=b; arauto-admin-9180={id}; c=d"))
    }

    #[test]
    fn login_is_admitted_until_its_end_or_a_logout() {
        let (logins, token, now) = (Logins::default(), Token::new("segredo"), Instant::now());
        let id = logins.add(&token, now).expect("there are random numbers");
        let is_admitted = |headers: &HeaderMap, now| logins.admit(headers, &token, now);
        assert!(is_admitted(&of_id(&id), now));
        assert!(!is_admitted(&of_id(&id), now + LIFETIME));
        assert!(!is_admitted(&of_id(&id[1..]), now));
        assert!(!is_admitted(&of_id(""), now));
        assert!(!is_admitted(&HeaderMap::new(), now));
        // Another server's, at another port.
        assert!(!is_admitted(
            &with_cookie(&format!("arauto-admin-1={id}")),
            now
        ));
        // A new token ends the logins with the old one.
        assert!(!logins.admit(&of_id(&id), &Token::new("outro"), now));
        assert!(logins.remove(&of_id(&id)));
        assert!(!is_admitted(&of_id(&id), now));
        assert!(!logins.remove(&of_id(&id)));
    }

    #[test]
    fn login_beyond_the_bound_takes_the_place_of_the_first() {
        let (logins, token, now) = (Logins::default(), Token::new("segredo"), Instant::now());
        let ids: Vec<String> = (0..=MOST)
            .map(|_| logins.add(&token, now).expect("there are random numbers"))
            .collect();
        let admitted: Vec<bool> = ids
            .iter()
            .map(|id| logins.admit(&of_id(id), &token, now))
            .collect();
        assert_eq!(admitted, [vec![false], vec![true; MOST]].concat());
    }
}
