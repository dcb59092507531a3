//! Which requests are allowed.
//!
//! A client that may connect to a unix socket or a Windows pipe may ask for everything: the file's
//! mode, or the pipe's owner, has decided. Every user of the machine may connect to a loopback
//! address. So a request over TCP needs the token, or the cookie of a browser that has shown it. Health
//! needs neither, as it tells nothing about clients, and nor do the files of the page.
//!
//! On every channel, requests that another page has a browser send are refused: see
//! [`browser`](super::browser).

use std::time::Instant;

use arauto::ErrorCode;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::browser::{is_loopback, is_of_another_page};
use super::logins::Logins;
use super::observed::Observed;
use super::page::files::is_page_file;
use super::token::CurrentToken;

/// The paths that need no token, beside those of the page's files.
const OPEN: [&str; 4] = ["/livez", "/readyz", "/login", "/may-read"];

/// How a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    /// Over a unix socket or a Windows pipe.
    Local,
    /// Over TCP.
    Tcp,
}

/// The credentials that requests over TCP may show. Clones share them.
#[derive(Clone)]
pub(super) struct Access {
    /// Without a token only health is told over TCP.
    pub(super) token: CurrentToken,
    pub(super) logins: Logins,
}

impl Access {
    /// Returns the access by a token, before any browser has logged in.
    pub(super) fn new(token: CurrentToken) -> Access {
        Access {
            token,
            logins: Logins::default(),
        }
    }

    /// Returns whether a request has the cookie of a browser that has logged in.
    pub(super) fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let token = self.token.get();
        token.is_some_and(|token| self.logins.admit(headers, &token, Instant::now()))
    }

    /// Returns whether a request has the token itself.
    pub(super) fn has_token(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION);
        let given = given.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        given
            .zip(self.token.get())
            .is_some_and(|(given, token)| token.is(given))
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Denied {
    /// The host that it names is not this machine's loopback.
    Host,
    /// Another page has the browser send it.
    Origin,
    /// It has no token, or a wrong one.
    Token,
}

impl Denied {
    fn reason(self) -> &'static str {
        match self {
            Denied::Host => "the host must be localhost, 127.0.0.1 or [::1]",
            Denied::Origin => "a page of another origin may not send requests here",
            Denied::Token => "a token is needed: Authorization: Bearer TOKEN",
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let text = format!("{}\n", self.reason());
        match self {
            Denied::Host => (StatusCode::MISDIRECTED_REQUEST, text).into_response(),
            Denied::Origin => (StatusCode::FORBIDDEN, text).into_response(),
            Denied::Token => {
                let wanted = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
                (StatusCode::UNAUTHORIZED, wanted, text).into_response()
            }
        }
    }
}

/// Serves a request that is allowed, and refuses any other.
pub(super) async fn check(
    State((access, observed)): State<(Access, Observed)>,
    Extension(channel): Extension<Channel>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    match decide(channel, request.method(), path, request.headers(), &access) {
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
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    access: &Access,
) -> Result<(), Denied> {
    let host = headers.get(header::HOST);
    // Every browser names a host; a program at a unix socket need not.
    let has_host = host.map_or(channel == Channel::Local, is_loopback);
    if !has_host {
        return Err(Denied::Host);
    }
    if is_of_another_page(method, headers) {
        return Err(Denied::Origin);
    }
    let is_open = || OPEN.contains(&path) || is_page_file(path);
    if channel == Channel::Local || is_open() || access.has_token(headers) {
        return Ok(());
    }
    if !access.has_cookie(headers) {
        return Err(Denied::Token);
    }
    // An old browser might send the cookie with an act and not tell for which page.
    match method.is_safe() || headers.contains_key(header::ORIGIN) {
        true => Ok(()),
        false => Err(Denied::Origin),
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::Token;
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

    fn access_by(token: Option<Token>) -> Access {
        let current = CurrentToken::default();
        current.set(token);
        Access::new(current)
    }

    fn access() -> Access {
        access_by(Some(Token::new("segredo")))
    }

    fn over_tcp(path: &str, host: &str, given: Option<&str>) -> Result<(), Denied> {
        let headers = headers(host, given);
        decide(Channel::Tcp, &Method::GET, path, &headers, &access())
    }

    #[test]
    fn request_over_tcp_needs_the_token_unless_it_is_open() {
        let local = "127.0.0.1:9180";
        for closed in ["/metrics", "/events", "/sessions/1/end", "/logout"] {
            assert_eq!(over_tcp(closed, local, Some("segredo")), Ok(()));
            for wrong in [None, Some(""), Some("segred"), Some("segredo ")] {
                assert_eq!(over_tcp(closed, local, wrong), Err(Denied::Token));
            }
        }
        for open in ["/livez", "/readyz", "/", "/page.js", "/login", "/may-read"] {
            assert_eq!(over_tcp(open, local, None), Ok(()));
        }
        let (tokenless, given) = (access_by(None), headers("[::1]", Some("x")));
        let denied = decide(Channel::Tcp, &Method::GET, "/metrics", &given, &tokenless);
        assert_eq!(denied, Err(Denied::Token));
        let nameless = HeaderMap::new();
        let local = decide(
            Channel::Local,
            &Method::GET,
            "/metrics",
            &nameless,
            &tokenless,
        );
        assert_eq!(local, Ok(()));
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
            for channel in [Channel::Tcp, Channel::Local] {
                let headers = headers(host, Some("segredo"));
                let denied = decide(channel, &Method::GET, "/", &headers, &access());
                assert_eq!(denied, Err(Denied::Host), "{host}");
            }
        }
        let (access, nameless) = (access(), HeaderMap::new());
        let nameless = decide(Channel::Tcp, &Method::GET, "/readyz", &nameless, &access);
        assert_eq!(nameless, Err(Denied::Host));
    }

    #[test]
    fn act_by_a_cookie_needs_the_origin_of_the_page() {
        let access = access();
        let token = access.token.get().expect("it has one");
        let id = access.logins.add(&token, Instant::now());
        let id = id.expect("there are random numbers");
        let mut headers = headers("localhost:9180", None);
        let cookie = format!("arauto-admin-9180={id}");
        headers.insert(header::COOKIE, cookie.parse().expect("it is plain"));
        let end = |headers: &HeaderMap| {
            let path = "/sessions/1/end";
            decide(Channel::Tcp, &Method::POST, path, headers, &access)
        };
        let read = decide(Channel::Tcp, &Method::GET, "/events", &headers, &access);
        assert_eq!(read, Ok(()));
        assert_eq!(end(&headers), Err(Denied::Origin));
        let own = "http://localhost:9180".parse().expect("it is plain");
        headers.insert(header::ORIGIN, own);
        assert_eq!(end(&headers), Ok(()));
        let other = "http://localhost:9181".parse().expect("it is plain");
        headers.insert(header::ORIGIN, other);
        assert_eq!(end(&headers), Err(Denied::Origin));
        headers.remove(header::COOKIE);
        assert_eq!(end(&headers), Err(Denied::Origin));
    }
}
