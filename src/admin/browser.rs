//! Requests that another page has a browser send.
//!
//! A browser on the operator's machine runs pages of others, and these can have it send requests to a
//! loopback address, or to a unix socket that ssh forwards to one. Two things tell such a request:
//!
//! - its `Host`: a page whose name resolves to this machine (DNS rebinding) cannot change it;
//! - `Origin` and `Sec-Fetch-Site`: a browser sets them itself, and a page cannot. `SameSite` of the
//!   cookie is not enough, because all ports of a host are one site.
//!
//! A check of these needs nothing of the request's sender, so that no act can lack it. Programs that are
//! no browsers send neither header.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, header};

const FETCH_SITE: &str = "sec-fetch-site";
const FETCH_MODE: &str = "sec-fetch-mode";

/// Returns whether a `Host` names this machine, with or without a port.
pub(super) fn is_loopback(host: &HeaderValue) -> bool {
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

/// Returns whether a browser sends the request for a page of another origin. To open the page here by a
/// link from elsewhere is allowed.
pub(super) fn is_of_another_page(method: &Method, headers: &HeaderMap) -> bool {
    let is = |name: &str, wanted: &[&str]| {
        let value = headers.get(name);
        value.map(|value| wanted.iter().any(|wanted| value == wanted))
    };
    let is_elsewhere = is(FETCH_SITE, &["same-origin", "none"]) == Some(false);
    let is_link = method.is_safe() && is(FETCH_MODE, &["navigate"]) == Some(true);
    let origin = headers.get(header::ORIGIN);
    let has_other_origin = origin.is_some_and(|origin| !is_own(origin, headers));
    (is_elsewhere && !is_link) || has_other_origin
}

/// Returns whether an `Origin` is that of the endpoint's own page.
fn is_own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).map(HeaderValue::as_bytes);
    let origin = origin.as_bytes().strip_prefix(b"http://");
    origin
        .zip(host)
        .is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(method: &Method, lines: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "localhost:9180".parse().expect("it is plain"));
        for (name, value) in lines {
            headers.insert(*name, value.parse().expect("it is plain"));
        }
        is_of_another_page(method, &headers)
    }

    #[test]
    fn request_of_another_origin_is_told_by_its_headers() {
        let own: [&[(&'static str, &str)]; 4] = [
            &[],
            &[("origin", "http://localhost:9180")],
            &[
                ("origin", "http://LOCALHOST:9180"),
                (FETCH_SITE, "same-origin"),
            ],
            &[(FETCH_SITE, "none"), (FETCH_MODE, "navigate")],
        ];
        for lines in own {
            assert!(!is_refused(&Method::POST, lines), "{lines:?}");
            assert!(!is_refused(&Method::GET, lines), "{lines:?}");
        }
        let other: [&[(&'static str, &str)]; 6] = [
            &[("origin", "http://localhost:9181")],
            &[("origin", "https://localhost:9180")],
            &[("origin", "http://example.com")],
            &[("origin", "null")],
            &[
                ("origin", "http://localhost:9180"),
                (FETCH_SITE, "cross-site"),
            ],
            &[(FETCH_SITE, "same-site"), (FETCH_MODE, "cors")],
        ];
        for lines in other {
            assert!(is_refused(&Method::POST, lines), "{lines:?}");
            assert!(is_refused(&Method::GET, lines), "{lines:?}");
        }
    }

    #[test]
    fn link_from_elsewhere_opens_the_page_and_acts_do_not_follow() {
        let link = [(FETCH_SITE, "cross-site"), (FETCH_MODE, "navigate")];
        assert!(!is_refused(&Method::GET, &link));
        assert!(is_refused(&Method::POST, &link));
    }
}
