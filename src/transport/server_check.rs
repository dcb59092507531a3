//! Whether the server on a local endpoint is the one that is meant.
//!
//! The name of a socket or a pipe proves nothing: while the server is not running any process
//! that may make the name can wait there for passwords. So a client asks the system whose
//! process it has reached, before it sends any. Nothing that the other end says counts.

use std::io;

use super::{Endpoint, Peer, Trust, system};

/// The server on a local endpoint is nobody's who is trusted: no password was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no password was sent to {endpoint}: {problem}; if it is the right server, name its user \
     with --server-user{user}, otherwise find out who has taken its place"
)]
pub struct UntrustedServer {
    endpoint: Endpoint,
    problem: String,
    /// How to name the server's user, behind a space; empty where nobody knows it.
    user: String,
}

/// The folder of a `pipe:` endpoint's socket is open to others, or somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnsafeFolder(pub(super) String);

impl UnsafeFolder {
    /// The cause of an error of a connect, where it was this.
    pub fn of(error: &io::Error) -> Option<&UnsafeFolder> {
        error.get_ref()?.downcast_ref()
    }
}

/// Whether the peer of a connection to `endpoint` may be given a password.
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
        let problem = format!("the system does not tell whose server it is ({error})");
        untrusted(problem, String::new())
    })?;
    let Peer::Local {
        user: Some(user), ..
    } = &peer
    else {
        let problem = "the system does not tell whose server it is".to_owned();
        return Err(untrusted(problem, String::new()));
    };
    let is_own = system::own_user().is_some_and(|own| own.is(user));
    let is_named = trust.server_user().is_some_and(|named| named.is(user));
    if is_own || is_named || user.is_root() || user.is_administrators() {
        return Ok(());
    }
    system::name_is_safe(endpoint, user).map_err(|why| {
        let problem = format!(
            "the server there belongs to {peer}, which is neither this client's user nor {}, and {why}",
            system::ROOT
        );
        untrusted(problem, format!(" {}", user.id()))
    })
}
