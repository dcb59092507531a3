//! Windows: named pipes.
//!
//! Pipes of byte type, for frames that bring their own lengths, are tokio's once they
//! are connected. Those of message type, for bare messages, are read and written here,
//! because tokio does not keep a message's boundaries. Both are made and connected
//! here: tokio fixes the default time-out, and would tie a pipe to the runtime of the
//! thread that accepts it.
//!
//! - [`overlapped`]: one operation, waited for without a thread;
//! - [`instance`]: making an instance; [`listener`]: instances that wait for clients;
//!   [`released`]: those whose connections are over;
//! - [`client`]: opening a pipe;
//! - [`local`]: a connection; [`pipe_end`]: its end of the pipe, of either type;
//! - [`peer`]: the process and user at the other end;
//! - [`message`]: messages; [`flush`]: whether they have been read;
//! - [`security`]: descriptors and SIDs; [`folder`]: folders that are their owner's alone;
//! - [`passed`]: sockets of other programs, which there are none of;
//! - [`names`] and [`errors`]: names for the system, and the meaning of its codes;
//! - [`tcp`]: what differs in TCP.

mod client;
mod errors;
mod flush;
mod folder;
mod instance;
mod listener;
mod local;
mod message;
mod names;
mod overlapped;
mod passed;
mod peer;
mod pipe_end;
mod released;
mod security;
pub(super) mod tcp;
#[cfg(test)]
mod tests;

pub(super) use client::connect;
pub(super) use errors::{is_lookup_transient, is_out_of_resources};
pub(super) use folder::{is_readable_by_others, make_private_folder, make_service_folder};
pub(super) use listener::LocalListener;
pub use local::{DetachedLocal, Local};
pub(super) use passed::{OpenError, OpenedSocket, PassedDescriptor};
pub(super) use peer::{TRUSTED_OWNERS, name_is_safe};
pub(super) use security::{current_user as own_user, find_user};

pub(super) use super::windows_codes::failure_of_code;

/// A message has no limit of its own beside that of frames.
pub(super) const LONGEST_MESSAGE: usize = usize::MAX;
