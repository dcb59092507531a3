//! The log's events of a session.
//!
//! How many there may be is bounded where a client's input makes them.

use super::core::effects::Event;
use crate::accounts::PeerId;
use crate::actors::log_limit::LogLimit;
use crate::actors::supervisor::SessionInfo;
use crate::wire::ErrorCode;

/// Logs an event of the session.
pub(super) fn log(event: &Event<'_>, info: &SessionInfo, peer_id: &PeerId, limit: &LogLimit) {
    let (session, peer) = (info.id, info.peer());
    match *event {
        Event::LoggedIn(entry) if limit.admits_login(peer_id) => tracing::info!(
            %session,
            user = %entry.user,
            role = %entry.role,
            registered = entry.registered,
            endpoint = %info.endpoint,
            peer = %peer,
            "logged in"
        ),
        Event::LoggedIn(_) => {}
        Event::LoginRefused(code) => {
            if code == ErrorCode::Throttled || !limit.admits_bad_input(peer_id) {
                tracing::debug!(%session, %peer, %code, "login refused");
            } else {
                tracing::info!(%session, %peer, %code, "login refused");
            }
        }
        Event::BadInput(error) => {
            if limit.admits_bad_input(peer_id) {
                tracing::info!(%session, %peer, %error, "bad input");
            }
        }
        Event::Revoked(why) => {
            let user = info.user().map(|user| user.to_string());
            tracing::info!(%session, user, %why, "session revoked");
        }
        Event::Superseded => {
            let user = info.user().map(|user| user.to_string());
            tracing::info!(%session, user, "session superseded");
        }
        Event::ShutdownRequested { user, now } => {
            if let Some(user) = user {
                tracing::info!(%session, %user, now, "shutdown requested");
            }
        }
        Event::NotReadInTime => {
            tracing::debug!(%session, "the client did not read to the end in time");
        }
    }
}
