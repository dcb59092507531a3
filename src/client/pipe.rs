//! The client's end of a raw pipe: bare bodies, whoever is at the other end.

use std::future::poll_fn;
use std::io;

use tokio::io::AsyncWriteExt;

use super::error::{Break, ClientError};
use super::handshake::open;
use crate::framing::{Framing, Received};
use crate::link::Link;
use crate::transport::{ConnectMode, Connection, Endpoint, Trust};
use crate::wire::raw::encode_body;
use crate::wire::{Body, Charset};

/// The bytes that one read takes. A message that is longer comes in parts, or is refused by a
/// system that cannot do that.
const READ: usize = 1024 * 1024;

/// A listener of the raw dialect as its client sees it, or any other pipe that
/// carries text in messages or lines.
///
#[cfg_attr(feature = "server", doc = "```")]
#[cfg_attr(not(feature = "server"), doc = "```ignore")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use arauto::wire::Charset;
/// use arauto::{Config, RawPipe, Server};
///
/// # let folder = tempfile::tempdir()?;
/// # let endpoint = format!("unix:{}", folder.path().join("a.sock").display());
/// let mut config = Config::default();
/// config.listen = vec![format!("{endpoint}?dialect=raw").parse()?];
/// let server = Server::start(config)?;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let mut pipe = RawPipe::to_ask(&endpoint.parse()?, Charset::Utf8).await?;
/// pipe.send("bom dia", false).await?;
/// assert_eq!(pipe.next().await?.as_deref(), Some("BOM DIA"));
/// # drop(pipe);
/// server.stop().await;
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct RawPipe {
    connection: Connection,
    charset: Charset,
    /// Where a read goes.
    scratch: Box<[u8]>,
    /// The bytes that have been read and are no whole message, or line, yet.
    begun: Vec<u8>,
    is_over: bool,
}

impl RawPipe {
    /// Connects to an outbound endpoint: this client only receives.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn to_read(endpoint: &Endpoint, charset: Charset) -> Result<RawPipe, ClientError> {
        RawPipe::to_read_with(endpoint, charset, &Trust::system()).await
    }

    /// The same, with this trust on a `tls:` endpoint.
    ///
    /// # Errors
    /// Nobody listens there, or nobody who is trusted.
    pub async fn to_read_with(
        endpoint: &Endpoint,
        charset: Charset,
        trust: &Trust,
    ) -> Result<RawPipe, ClientError> {
        RawPipe::connect(endpoint, charset, ConnectMode::ReadOnly, trust).await
    }

    /// Connects to a duplex endpoint, which answers each message.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn to_ask(endpoint: &Endpoint, charset: Charset) -> Result<RawPipe, ClientError> {
        RawPipe::to_ask_with(endpoint, charset, &Trust::system()).await
    }

    /// The same, with this trust on a `tls:` endpoint.
    ///
    /// # Errors
    /// Nobody listens there, or nobody who is trusted.
    pub async fn to_ask_with(
        endpoint: &Endpoint,
        charset: Charset,
        trust: &Trust,
    ) -> Result<RawPipe, ClientError> {
        RawPipe::connect(endpoint, charset, ConnectMode::Messages, trust).await
    }

    async fn connect(
        endpoint: &Endpoint,
        charset: Charset,
        mode: ConnectMode,
        trust: &Trust,
    ) -> Result<RawPipe, ClientError> {
        Ok(RawPipe {
            connection: open(endpoint, mode, trust).await?,
            charset,
            scratch: vec![0; READ].into(),
            begun: Vec::new(),
            is_over: false,
        })
    }

    /// Receives the next message, or line without its end; `None` at the end. Bytes that are
    /// not text in the encoding are replaced by U+FFFD.
    ///
    /// # Errors
    /// The connection breaks.
    pub async fn next(&mut self) -> Result<Option<String>, ClientError> {
        loop {
            if let Some(text) = self.next_line() {
                return Ok(Some(text));
            }
            if self.is_over {
                return Ok(None);
            }
            let Self {
                connection,
                scratch,
                ..
            } = self;
            let received = poll_fn(|cx| connection.poll_receive(cx, scratch)).await;
            match received.map_err(lost)? {
                Received::Bytes(length) => self.begun.extend_from_slice(&scratch[..length]),
                Received::Message(length) => {
                    let mut message = std::mem::take(&mut self.begun);
                    message.extend_from_slice(&scratch[..length]);
                    return Ok(Some(self.text(&message)));
                }
                Received::End => self.is_over = true,
            }
        }
    }

    /// The first line of what was read; at the end, what there is.
    fn next_line(&mut self) -> Option<String> {
        let is_line = self.connection.framing() == Framing::Stream;
        let (end, next) = match self.charset.find_line(&self.begun) {
            Some(found) if is_line => found,
            _ if self.is_over && !self.begun.is_empty() => (self.begun.len(), self.begun.len()),
            _ => return None,
        };
        let line = &self.begun[..end];
        let line = self.charset.strip_suffix(line, b'\r').unwrap_or(line);
        let text = self.text(line);
        self.begun.drain(..next);
        Some(text)
    }

    fn text(&self, bytes: &[u8]) -> String {
        let bytes = self.charset.strip_suffix(bytes, b'\0').unwrap_or(bytes);
        self.charset.decode_lossy(bytes).into_owned()
    }

    /// Sends a message, or a line.
    ///
    /// # Errors
    /// The connection breaks.
    pub async fn send(&mut self, text: &str, ends_in_nul: bool) -> Result<(), ClientError> {
        let framing = self.connection.framing();
        let (body, mut bytes) = (Body::text(text), Vec::new());
        encode_body(self.charset, framing, &body, ends_in_nul, &mut bytes);
        let connection = &mut self.connection;
        let sent = match framing {
            Framing::Stream => match connection.write_all(&bytes).await {
                Ok(()) => connection.flush().await,
                failed => failed,
            },
            Framing::Messages => poll_fn(|cx| connection.poll_send_message(cx, &bytes)).await,
        };
        sent.map_err(lost)
    }

    /// Says that nothing more will be sent, where that can be said and the answers
    /// still be read. Whether it can.
    ///
    /// # Errors
    /// The connection breaks.
    pub async fn finish_sending(&mut self) -> Result<bool, ClientError> {
        if !self.connection.half_closes() {
            return Ok(false);
        }
        match self.connection.shutdown().await {
            // The other end has gone already; what it sent is still there.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(true),
            shut => shut.map(|()| true).map_err(lost),
        }
    }
}

fn lost(error: io::Error) -> ClientError {
    Break::of(error).into()
}
