//! Checks that the server on a local endpoint belongs to a trusted user.
//!
//! The name of a socket or a pipe proves nothing: while the server is not running, any process
//! that may create the name can wait there for passwords. So a client asks the operating system
//! for the server's user before it sends a password. Nothing that the other end says counts.

use std::io;

use super::{Endpoint, Peer, Trust, system};

/// The server on a local endpoint belongs to no trusted user: no password was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no password was sent to {endpoint}: {problem}; if it is the right server, name its user \
     with --server-user{user}, otherwise find out which program has taken its place"
)]
pub struct UntrustedServer {
    endpoint: Endpoint,
    problem: String,
    /// The server's user behind a space; empty if it is not known.
    user: String,
}

/// Checks that the peer of a connection to `endpoint` may be given a password.
pub(super) fn check_server(
    endpoint: &Endpoint,
    peer: io::Result<Peer>,
    trust: &Trust,
) -> Result<(), UntrustedServer> {
    // Another host's pipe: its system has let nobody else make it.
    if matches!(endpoint, Endpoint::RemotePipe { .. }) {
        return Ok(());
    }
    let untrusted = |problem: String, user: String| UntrustedServer {
        endpoint: endpoint.clone(),
        problem,
        user,
    };
    let peer = peer.map_err(|error| {
        let problem = format!("the system does not tell the server's user ({error})");
        untrusted(problem, String::new())
    })?;
    let Peer::Local {
        user: Some(user), ..
    } = &peer
    else {
        let problem = "the system does not tell the server's user".to_owned();
        return Err(untrusted(problem, String::new()));
    };
    let is_own = system::own_user().is_some_and(|own| own.is_same_as(user));
    let is_named = trust
        .server_user()
        .is_some_and(|named| named.is_same_as(user));
    let is_trusted = user.is_root() || user.is_administrators() || user.is_service();
    if is_own || is_named || is_trusted {
        return Ok(());
    }
    system::name_is_safe(endpoint, user).map_err(|why| {
        let problem = format!(
            "the server there belongs to {peer}, which is neither this client's user nor {}, and {why}",
            system::TRUSTED_OWNERS
        );
        untrusted(problem, format!(" {}", user.id()))
    })
}
