//! `arauto leitor --raw`: reads any pipe that carries text.

use arauto::{Body, RawPipe};

use super::{Pipe, is_fim};
use crate::cli::exit::Failure;
use crate::cli::os::StopSignals;
use crate::cli::output::Output;

/// Prints each message, until `fim` or the end of the input.
pub(in crate::cli) async fn run(pipe: Pipe) -> Result<u8, Failure> {
    let mut signals = StopSignals::new();
    let mut out = Output::stdout();
    let endpoint = &pipe.listen.endpoint;
    let mut reader = RawPipe::to_read_with(endpoint, pipe.charset, &pipe.trust).await?;
    loop {
        let text = tokio::select! {
            text = reader.next() => text?,
            () = signals.next() => return Ok(0),
        };
        match text {
            Some(text) if !is_fim(&text) => {
                out.body(&Body::from(text))?;
                out.flush()?;
            }
            _ => return Ok(0),
        }
    }
}
