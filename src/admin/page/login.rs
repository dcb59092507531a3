//! `/login`, `/logout` and `/may-read`: a browser shows the token once, and then has a cookie.
//!
//! The token comes as the body of a request, not in a URL, which a browser would remember.

use std::time::Instant;

use arauto::ErrorCode;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::admin::access::{Access, Channel};
use crate::admin::json::answer;
use crate::admin::listener::Operator;
use crate::admin::logins::{LIFETIME, cookie_name};
use crate::admin::observed::Observed;

/// The answer of `/may-read`.
#[derive(Serialize)]
struct MayRead {
    /// Whether requests of this browser are served. If not, it needs the token.
    may_read: bool,
    /// Whether a logout would end that: the request has a cookie.
    by_cookie: bool,
}

/// Answers whether the browser may read the other paths. Anyone may ask, so that a browser that opens
/// the page before its login is no refusal in the audit log.
pub(super) async fn may_read(
    State((access, _)): State<(Access, Observed)>,
    Extension(channel): Extension<Channel>,
    headers: HeaderMap,
) -> Response {
    let by_cookie = access.has_cookie(&headers);
    let may_read = by_cookie || channel == Channel::Local || access.has_token(&headers);
    let may_read = MayRead {
        may_read,
        by_cookie,
    };
    answer(StatusCode::OK, &may_read)
}

/// Takes the token, which is the body, and sets a cookie. 401: it is another one. 403: there is none.
pub(super) async fn log_in(
    State((access, observed)): State<(Access, Observed)>,
    Extension(operator): Extension<Operator>,
    headers: HeaderMap,
    given: String,
) -> Response {
    let Some(token) = access.token.get() else {
        let text = "the server has no admin token; start it with --admin-token FILE\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    };
    if !token.is(given.trim_end().as_bytes()) {
        let problem = "the token is wrong";
        observed.audit().refused(ErrorCode::BadCredentials, problem);
        tracing::warn!(peer = %operator.0, "login with a wrong admin token");
        return (StatusCode::UNAUTHORIZED, format!("{problem}\n")).into_response();
    }
    match access.logins.add(&token, Instant::now()) {
        Ok(id) => {
            observed.note("log-in", &operator, true);
            tracing::info!(peer = %operator.0, "operator logged in");
            with_cookie(&headers, &id, LIFETIME.as_secs())
        }
        Err(error) => {
            tracing::error!(%error, "no random numbers for a login");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Ends the login of the cookie, and removes the cookie.
pub(super) async fn log_out(
    State((access, observed)): State<(Access, Observed)>,
    Extension(operator): Extension<Operator>,
    headers: HeaderMap,
) -> Response {
    let is_done = access.logins.remove(&headers);
    observed.note("log-out", &operator, is_done);
    with_cookie(&headers, "", 0)
}

/// Makes an answer that sets the cookie. A script cannot read it, and a browser sends it with requests
/// of pages of this host only. It has no `Secure`, as the endpoint speaks plain HTTP over loopback.
fn with_cookie(headers: &HeaderMap, id: &str, seconds: u64) -> Response {
    let name = cookie_name(headers);
    let cookie = format!("{name}={id}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict");
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}
