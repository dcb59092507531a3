//! The arguments of `arauto escritor`.

use std::path::PathBuf;

use crate::cli::connect::ConnectArgs;
use crate::cli::message::MessageArgs;
use crate::cli::raw::RawArgs;

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    pub(super) connect: ConnectArgs,

    #[command(flatten)]
    pub(super) raw: RawArgs,

    #[command(flatten)]
    pub(super) message: MessageArgs,

    /// Print the sequence number of each message once it is published; with --once-only 0 where the
    /// server no longer knows it.
    #[arg(long, short, conflicts_with = "raw")]
    pub(super) verbose: bool,

    /// Publish each message exactly once: keep it in this file until it is answered, send it again
    /// after a break, and begin with the messages that an earlier start left in the file. One file
    /// belongs to one server and one user.
    #[arg(long, value_name = "FILE", conflicts_with = "raw")]
    pub(super) once_only: Option<PathBuf>,

    /// The messages, one an argument [default: each line of stdin, until `fim`].
    pub(super) messages: Vec<String>,
}
