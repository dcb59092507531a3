//! Unix sockets, and what only unix tells of TCP.
//!
//! - [`address`]: the socket that an endpoint names; [`server_path`]: whether that name proves
//!   whose server listens there;
//! - [`listener`]: listening; [`socket_file`]: binding a path safely, and the file while it is
//!   listened on; [`bind_lock`] and [`node`]: the parts of that;
//! - [`passed`]: a socket that another program has made;
//! - [`connect`]: connecting; [`local`]: a connection; [`seqpacket`]: one that keeps the
//!   boundaries of messages; [`socket`]: their socket on the runtime;
//! - [`socket_state`]: what the kernel tells of a connected socket; [`tcp`]: the same of TCP;
//! - [`failure`] and [`errors`]: the meaning of error codes;
//! - [`users`] and [`files`]: users, groups, and who may read a file.

mod address;
mod bind_lock;
mod connect;
mod errors;
mod failure;
mod files;
mod listener;
mod local;
mod node;
mod passed;
mod seqpacket;
mod server_path;
mod socket;
mod socket_file;
mod socket_state;
pub(super) mod tcp;
mod users;

pub(super) use connect::connect;
pub(super) use errors::{is_lookup_transient, is_out_of_resources};
pub(super) use failure::failure_of_code;
pub(super) use files::{is_readable_by_others, make_private_folder, make_service_folder};
pub(super) use listener::LocalListener;
pub use local::{DetachedLocal, Local};
pub(super) use passed::{OpenError, OpenedSocket, PassedDescriptor};
pub(super) use seqpacket::LONGEST_MESSAGE;
pub(super) use server_path::name_is_safe;
#[cfg(target_os = "linux")]
pub(super) use socket_state::is_send_queue_empty;
pub(super) use users::{TRUSTED_OWNERS, find_user, own_user};
