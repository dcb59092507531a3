//! Which requests are allowed.
//!
//! A client that may connect to a unix socket or a Windows pipe may ask for everything: the file's
//! mode, or the pipe's owner, has decided. Every user of the machine may connect to a loopback
//! address, and so may any page in a browser there. So a request over TCP needs a token, except for
//! health, which tells nothing about clients; and its `Host` must be a loopback name, because a page
//! of another host can have its name resolve to this machine (DNS rebinding).

use std::fmt;
use std::sync::Arc;

use arauto::ErrorCode;
use axum::extract::{Extension, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parking_lot::RwLock;
use sha2::{Digest, Sha256};

use super::observed::Observed;

/// The paths that need no token.
const OPEN: [&str; 2] = ["/livez", "/readyz"];

/// How a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    /// Over a unix socket or a Windows pipe.
    Local,
    /// Over TCP.
    Tcp,
}

/// The secret of requests over TCP. Its debug text does not show it.
#[derive(Clone)]
pub(crate) struct Token(Arc<str>);

impl Token {
    /// Makes a token of a secret.
    pub(crate) fn new(secret: &str) -> Token {
        Token(Arc::from(secret))
    }

    /// Whether this is the token. The time that it takes tells nothing about the token.
    fn is(&self, given: &[u8]) -> bool {
        Sha256::digest(self.0.as_bytes()) == Sha256::digest(given)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// The token that requests over TCP need, which can be replaced. Clones share it. Without one they
/// get to know of health only.
#[derive(Debug, Clone, Default)]
pub(crate) struct CurrentToken(Arc<RwLock<Option<Token>>>);

impl CurrentToken {
    /// Replaces the token for later requests.
    pub(crate) fn set(&self, token: Option<Token>) {
        *self.0.write() = token;
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Denied {
    /// The host that it names is not this machine's loopback.
    Host,
    /// It has no token, or a wrong one.
    Token,
}

impl Denied {
    fn reason(self) -> &'static str {
        match self {
            Denied::Host => "the host must be localhost, 127.0.0.1 or [::1]",
            Denied::Token => "a token is needed: Authorization: Bearer TOKEN",
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let text = format!("{}\n", self.reason());
        match self {
            Denied::Host => (StatusCode::MISDIRECTED_REQUEST, text).into_response(),
            Denied::Token => {
                let wanted = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
                (StatusCode::UNAUTHORIZED, wanted, text).into_response()
            }
        }
    }
}

/// Serves a request that is allowed, and refuses any other.
pub(super) async fn check(
    State((token, observed)): State<(CurrentToken, Observed)>,
    Extension(channel): Extension<Channel>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let decision = decide(channel, path, request.headers(), token.0.read().as_ref());
    match decision {
        Ok(()) => next.run(request).await,
        Err(denied) => {
            observed
                .audit()
                .refused(ErrorCode::Forbidden, denied.reason());
            denied.into_response()
        }
    }
}

fn decide(
    channel: Channel,
    path: &str,
    headers: &HeaderMap,
    token: Option<&Token>,
) -> Result<(), Denied> {
    if channel == Channel::Local {
        return Ok(());
    }
    if !headers.get(header::HOST).is_some_and(is_loopback) {
        return Err(Denied::Host);
    }
    let given = headers.get(header::AUTHORIZATION);
    let given = given.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let has_token = given
        .zip(token)
        .is_some_and(|(given, token)| token.is(given));
    match has_token || OPEN.contains(&path) {
        true => Ok(()),
        false => Err(Denied::Token),
    }
}

/// Whether a `Host` names this machine, with or without a port.
fn is_loopback(host: &HeaderValue) -> bool {
    let authority = host
        .to_str()
        .ok()
        .and_then(|host| host.parse::<Authority>().ok());
    authority.is_some_and(|authority| {
        let host = authority.host();
        let has_user = authority.as_str().contains('@');
        !has_user
            && (host.eq_ignore_ascii_case("localhost") || host == "127.0.0.1" || host == "[::1]")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, token: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().expect("it is plain"));
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().expect("it is plain");
            headers.insert(header::AUTHORIZATION, value);
        }
        headers
    }

    fn over_tcp(path: &str, host: &str, given: Option<&str>) -> Result<(), Denied> {
        decide(
            Channel::Tcp,
            path,
            &headers(host, given),
            Some(&Token::new("segredo")),
        )
    }

    #[test]
    fn request_over_tcp_needs_the_token_except_for_health() {
        assert_eq!(
            over_tcp("/metrics", "127.0.0.1:9180", Some("segredo")),
            Ok(())
        );
        for wrong in [None, Some(""), Some("segred"), Some("segredo ")] {
            assert_eq!(
                over_tcp("/metrics", "127.0.0.1:9180", wrong),
                Err(Denied::Token)
            );
            assert_eq!(over_tcp("/livez", "127.0.0.1:9180", wrong), Ok(()));
        }
        let none = decide(Channel::Tcp, "/metrics", &headers("[::1]", Some("x")), None);
        assert_eq!(none, Err(Denied::Token));
        assert_eq!(
            decide(Channel::Local, "/metrics", &HeaderMap::new(), None),
            Ok(())
        );
    }

    #[test]
    fn request_that_names_another_host_is_refused() {
        for host in ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:9180"] {
            assert_eq!(over_tcp("/readyz", host, None), Ok(()), "{host}");
        }
        for host in [
            "example.com",
            "example.com:9180",
            "127.0.0.1.example.com",
            "localhost@example.com",
            "localhost@localhost",
            "",
            "::1",
        ] {
            assert_eq!(
                over_tcp("/readyz", host, Some("segredo")),
                Err(Denied::Host),
                "{host}"
            );
        }
        let nameless = decide(Channel::Tcp, "/readyz", &HeaderMap::new(), None);
        assert_eq!(nameless, Err(Denied::Host));
    }

    #[test]
    fn token_is_not_in_its_debug_text() {
        assert_eq!(format!("{:?}", Token::new("segredo")), "Token");
    }
}
