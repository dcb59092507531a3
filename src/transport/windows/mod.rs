//! Windows: named pipes.
//!
//! Pipes of byte type, for frames that bring their own lengths, are tokio's once they
//! are connected. Those of message type, for bare messages, are read and written here,
//! because tokio does not keep a message's boundaries. Both are made and connected
//! here: tokio fixes the default time-out, and would tie a pipe to the runtime of the
//! thread that accepts it.
//!
//! - [`overlapped`]: one operation, waited for without a thread;
//! - [`instance`]: making an instance; [`door`]: those that wait for clients;
//! - [`client`]: opening a pipe;
//! - [`local_io`]: reading and writing either kind;
//! - [`peer`]: who is at the other end;
//! - [`message`]: messages; [`flush`]: whether they have been read;
//! - [`security`]: descriptors and SIDs;
//! - [`tcp`]: what else is to be known of TCP here.

mod client;
mod door;
mod errors;
mod flush;
mod folder;
mod instance;
mod local_io;
mod message;
mod overlapped;
mod peer;
mod security;
pub(super) mod tcp;

use std::fs::File;
use std::io;
use std::os::windows::io::{AsRawHandle, IntoRawHandle, OwnedHandle, RawHandle};
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::net::windows::named_pipe::{NamedPipeClient, NamedPipeServer};
use windows_sys::Win32::System::IO::CancelIoEx;

use self::door::Place;
use self::flush::Flush;
use self::message::MessageEnd;
use super::attempts::Attempts;
use super::failure::failure_of;
use super::receive::poll_receive_bytes;
pub(super) use super::windows_codes::failure_of_code;
use super::{Endpoint, LocalUser};
use crate::framing::{Failure, Framing, Received};
use crate::link::{Evidence, LatePeer, Link};

pub(super) use self::client::connect;
pub(super) use self::door::LocalDoor;
pub(super) use self::errors::{is_lookup_transient, is_out_of_resources};
pub(super) use self::folder::make_private_folder;
pub(super) use self::peer::{ROOT, name_is_safe};
pub(in crate::transport) use self::security::find_user;

/// The longest message is the longest frame: there is no other limit.
pub(super) const LONGEST_MESSAGE: usize = usize::MAX;

/// What the system calls an error.
fn code(error: &io::Error) -> Option<u32> {
    error.raw_os_error().map(i32::cast_unsigned)
}

/// The path of an endpoint's pipe.
fn path(endpoint: &Endpoint) -> io::Result<String> {
    match endpoint {
        Endpoint::Pipe(name) => Ok(format!(r"\\.\pipe\{name}")),
        Endpoint::RemotePipe { host, name } => Ok(format!(r"\\{host}\pipe\{name}")),
        _ => {
            let problem = "windows has no sockets with a path: use pipe:NAME or tcp:HOST:PORT";
            Err(io::Error::new(io::ErrorKind::Unsupported, problem))
        }
    }
}

/// Whether others than its owner may read the file: descriptors are not looked at here.
pub(super) fn is_readable_by_others(_file: &File) -> io::Result<bool> {
    Ok(false)
}

/// The user that this process acts as.
pub(super) fn own_user() -> Option<LocalUser> {
    security::own_user().ok().cloned()
}

/// One end of a connected pipe.
#[derive(Debug)]
pub struct Local {
    end: End,
    attempts: Attempts,
    /// The server's end has one: it frees an instance.
    place: Option<Place>,
}

/// A pipe on its way from one thread's runtime to another's.
#[derive(Debug)]
pub struct DetachedLocal {
    handle: OwnedHandle,
    framing: Framing,
    place: Option<Place>,
}

#[derive(Debug)]
enum End {
    /// Accepted, and not yet of any runtime.
    Accepted(OwnedHandle, Framing),
    /// Bytes, the server's end.
    Serving(Box<Serving>),
    /// Bytes, the client's end.
    Client(NamedPipeClient),
    /// Messages.
    Messages(Box<MessageEnd>),
}

#[derive(Debug)]
struct Serving {
    pipe: NamedPipeServer,
    flush: Flush,
    /// The client has closed its end.
    is_over: bool,
}

impl Drop for Serving {
    /// mio keeps a write that is under way, and the pipe with it, until the client has
    /// read it. Who is dropped with one was waited for, and must see the end.
    #[expect(unsafe_code, reason = "tokio does not cancel a write")]
    fn drop(&mut self) {
        // SAFETY: the handle is open; no OVERLAPPED is named: all are meant.
        unsafe { CancelIoEx(self.pipe.as_raw_handle(), ptr::null()) };
    }
}

impl Local {
    /// The server's end of a pipe that a client has opened.
    fn accepted(handle: OwnedHandle, framing: Framing, place: Place) -> Local {
        Local::over(End::Accepted(handle, framing), Some(place))
    }

    /// The client's end.
    #[expect(unsafe_code, reason = "tokio takes raw handles")]
    fn connected(handle: OwnedHandle, framing: Framing) -> io::Result<Local> {
        let end = match framing {
            // SAFETY: it is a pipe's handle, open for overlapped use, and tokio's alone.
            Framing::Stream => {
                End::Client(unsafe { NamedPipeClient::from_raw_handle(handle.into_raw_handle())? })
            }
            Framing::Messages => End::Messages(Box::new(MessageEnd::new(Arc::new(handle))?)),
        };
        Ok(Local::over(end, None))
    }

    fn over(end: End, place: Option<Place>) -> Local {
        Local {
            end,
            attempts: Attempts::default(),
            place,
        }
    }

    /// Only what was just accepted: a pipe that tokio has is tied to its runtime.
    pub(super) fn detach(self) -> io::Result<DetachedLocal> {
        match self.end {
            End::Accepted(handle, framing) => Ok(DetachedLocal {
                handle,
                framing,
                place: self.place,
            }),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn raw(&self) -> RawHandle {
        match &self.end {
            End::Accepted(handle, _) => handle.as_raw_handle(),
            End::Serving(serving) => serving.pipe.as_raw_handle(),
            End::Client(pipe) => pipe.as_raw_handle(),
            End::Messages(messages) => messages.flush.handle().as_raw_handle(),
        }
    }

    /// Returns whether the peer has read everything that was written; a call begins to find
    /// out, and a later one tells.
    fn is_read(&self) -> io::Result<bool> {
        if self.attempts.has_failed() {
            return Ok(false);
        }
        match &self.end {
            End::Serving(serving) => serving.flush.is_done(serving.is_over),
            End::Messages(messages) => messages.is_read(),
            End::Accepted(..) | End::Client(_) => Ok(false),
        }
    }
}

impl Link for Local {
    fn failure_of(&self, error: &io::Error) -> Failure {
        failure_of(error)
    }

    fn framing(&self) -> Framing {
        match &self.end {
            End::Accepted(_, framing) => *framing,
            End::Serving(_) | End::Client(_) => Framing::Stream,
            End::Messages(_) => Framing::Messages,
        }
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<Received>> {
        let Local { end, attempts, .. } = self;
        match end {
            End::Messages(messages) => attempts.poll_read(cx, |cx| messages.poll_receive(cx, buf)),
            _ => poll_receive_bytes(self, cx, buf),
        }
    }

    fn poll_send_message(&mut self, cx: &mut Context<'_>, message: &[u8]) -> Poll<io::Result<()>> {
        let Local { end, attempts, .. } = self;
        match end {
            End::Messages(messages) => {
                attempts.poll_write(cx, |cx| messages.poll_send(cx, message))
            }
            _ => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        }
    }

    /// A pipe is closed as a whole.
    fn half_closes(&self) -> bool {
        false
    }

    /// A pipe has one side only: a peer that has closed it has gone. A flush that is under way
    /// ends by that, and tells first whether everything was read.
    fn is_hung_up(&self) -> bool {
        match &self.end {
            End::Serving(serving) => !serving.flush.is_running(),
            End::Messages(messages) => !messages.flush.is_running(),
            End::Accepted(..) | End::Client(_) => true,
        }
    }

    fn late_peer(&self) -> Option<LatePeer> {
        let peer = self.peer_after_read()?;
        Some(LatePeer {
            id: peer.id(),
            is_own_user: peer.is_same_user(),
            name: peer.to_string(),
        })
    }

    fn evidence(&self) -> Evidence {
        match self.is_read() {
            Ok(true) => Evidence::Read,
            Ok(false) | Err(_) => Evidence::Written,
        }
    }

    fn best_evidence(&self) -> Evidence {
        Evidence::Read
    }
}

impl DetachedLocal {
    /// Joins the runtime of the current thread.
    #[expect(unsafe_code, reason = "tokio takes raw handles")]
    pub(super) fn attach(self) -> io::Result<Local> {
        let DetachedLocal {
            handle,
            framing,
            place,
        } = self;
        let end = match framing {
            Framing::Messages => End::Messages(Box::new(MessageEnd::new(Arc::new(handle))?)),
            Framing::Stream => {
                let flush = match &place {
                    Some(place) => Flush::new(Arc::clone(place.handle())),
                    None => Flush::new(Arc::new(handle.try_clone()?)),
                };
                let raw = handle.into_raw_handle();
                // SAFETY: it is a pipe's handle, open for overlapped use, and tokio's alone.
                let pipe = unsafe { NamedPipeServer::from_raw_handle(raw)? };
                End::Serving(Box::new(Serving {
                    pipe,
                    flush,
                    is_over: false,
                }))
            }
        };
        Ok(Local::over(end, place))
    }
}

#[cfg(test)]
mod tests;
