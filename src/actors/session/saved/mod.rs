//! A session's whole state, written down and read back.
//!
//! Problem: a new server process takes over the connections of the one before it, and no client
//! is to notice. So a session's state (what its core has decided, the input that is not served,
//! the output that is not written) is bytes that the successor reads. Nothing hands sessions
//! over yet: the property test beside this file and the fuzz target `core` hold the two ways
//! together.
//!
//! A session is saved between two passes over its input, and goes on in one place only. Not in
//! its state, and to be handed over beside it: the socket with what its kernel and its TLS
//! session hold, the permits, the account that the user's name stands for, the log, and the
//! facts that the list of sessions has (peer, endpoint, where the broadcasts began). An order
//! that is awaited stays awaited: the successor's supervisor hears of it.
//!
//! Three things cannot be carried, and saving is refused until they are over ([`SaveError`]): a
//! login that is being checked, a handler that runs, publishes on their way. Their results come to
//! this process.
//! Waiting is right, as they end by themselves and the session admits no other frame meanwhile;
//! abandoning them would answer an accepted frame with an error, or publish it twice.
//!
//! The bytes are a CBOR item with the version, and a CBOR item with the state. They are not
//! trusted: what no server writes is an error, and reading takes memory in proportion to their
//! length. Times are relative, so that the time in between has not passed for the session.

pub mod error;
pub mod plain;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use self::error::{RestoreError, SaveError};
use super::core::Core;
use super::core::policy::Policy;
use super::core::saved::SavedCore;
use super::inlet::Inlet;
use super::inlet::saved::SavedInlet;
use super::outlet::Recipient;
use super::outlet::saved::SavedOutlet;
use super::outlet::{Outlet, OutletSetup};
use crate::accounts::LivePermissions;
use crate::framing::Framing;
use crate::log::Log;
use crate::wire::Dialect;

/// The version that is written, and the only one that is read.
const VERSION: u64 = 1;

/// The state of a session, relative to the moment of writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedSession {
    core: SavedCore,
    inlet: SavedInlet,
    outlet: SavedOutlet,
}

/// The surroundings that a session is read back into: those that it had.
pub struct Surroundings {
    /// How frames become bytes.
    pub dialect: Dialect,
    /// The framing of the connection.
    pub framing: Framing,
    /// The broadcasts.
    pub log: Arc<Log>,
    /// Which of the log's notifiers wakes the session's thread.
    pub shard: usize,
    /// The user, or the peer where nobody logs in, as publishers know the reader.
    pub reader: Arc<str>,
    /// The rules about it.
    pub permissions: Arc<LivePermissions>,
    /// Whether the connection can be sent a file's bytes.
    pub sends_files: bool,
}

impl SavedSession {
    /// Returns the session's state.
    ///
    /// # Errors
    /// Something is under way that cannot be carried: try again once it is done.
    pub(super) fn save(
        core: &Core,
        inlet: &Inlet,
        outlet: &Outlet,
        now: Instant,
    ) -> Result<SavedSession, SaveError> {
        Ok(SavedSession {
            core: core.save(now)?,
            inlet: inlet.save(),
            outlet: outlet.save(now),
        })
    }

    /// Returns the state as bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads the bytes of [`SavedSession::encode`].
    ///
    /// # Errors
    /// They are of another version, or no saved session.
    pub(super) fn decode(bytes: &[u8]) -> Result<SavedSession, RestoreError> {
        decode(bytes)
    }

    /// Returns the session that was saved.
    ///
    /// # Errors
    /// No server has written such a state, or the surroundings are not those that it had.
    pub(super) fn restore(
        self,
        surroundings: Surroundings,
        now: Instant,
    ) -> Result<(Core, Inlet, Outlet), RestoreError> {
        let Surroundings {
            dialect, framing, ..
        } = surroundings;
        let core = Core::restore(self.core, now)?;
        if core.policy() != Policy::of(dialect) {
            return Err(RestoreError::OtherListener);
        }
        let max_frame = core.max_frame();
        let inlet = Inlet::restore(self.inlet, dialect, framing, max_frame)?;
        let setup = OutletSetup {
            framing,
            session: core.session(),
            dialect,
            max_frame,
            log: surroundings.log,
            shard: surroundings.shard,
            counters: Arc::default(),
        };
        let recipient = Recipient {
            name: surroundings.reader,
            permissions: surroundings.permissions,
        };
        let reader = (recipient, surroundings.sends_files);
        let outlet = Outlet::restore(self.outlet, setup, reader, now)?;
        Ok((core, inlet, outlet))
    }
}

/// Reads bytes back into a session, and returns that as bytes again.
///
/// # Errors
/// They are no session that can go on in these surroundings.
///
/// # Panics
/// If a session that was just read back could not be saved: nothing is under way in it.
pub fn read_back(
    bytes: &[u8],
    surroundings: Surroundings,
    now: Instant,
) -> Result<Vec<u8>, RestoreError> {
    let saved = SavedSession::decode(bytes)?;
    let (core, inlet, outlet) = saved.restore(surroundings, now)?;
    let again = SavedSession::save(&core, &inlet, &outlet, now);
    Ok(again.expect("nothing is under way").encode())
}

/// Writes a part of a session's state behind the version.
pub(super) fn encode<T: Serialize>(state: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    for written in [
        serde_cbor::to_writer(&mut bytes, &VERSION),
        serde_cbor::to_writer(&mut bytes, state),
    ] {
        written.expect("a state serializes into a Vec");
    }
    bytes
}

/// Reads the bytes of [`encode`].
pub(super) fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, RestoreError> {
    let malformed = |error: serde_cbor::Error| RestoreError::Malformed(error.to_string());
    let mut items = serde_cbor::Deserializer::from_slice(bytes);
    let found = u64::deserialize(&mut items).map_err(malformed)?;
    if found != VERSION {
        let expected = VERSION;
        return Err(RestoreError::Version { found, expected });
    }
    let state = T::deserialize(&mut items).map_err(malformed)?;
    items.end().map_err(malformed)?;
    Ok(state)
}
