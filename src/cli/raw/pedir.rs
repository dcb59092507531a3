//! `arauto pedir --raw`: sends requests to any server that answers on a pipe.

use arauto::{Body, RawPipe};

use super::{LONGEST_LINE, Pipe};
use crate::cli::exit::{Failure, sysexits};
use crate::cli::input::Input;
use crate::cli::output::Output;
use crate::cli::pipeline::is_fim;

/// Sends each request, and prints its reply before it sends the next one.
pub(in crate::cli) async fn run(
    pipe: Pipe,
    requests: Vec<String>,
    ends_in_nul: bool,
) -> Result<u8, Failure> {
    let mut out = Output::stdout();
    let endpoint = &pipe.listen.endpoint;
    let mut session = RawPipe::to_ask_with(endpoint, pipe.charset, &pipe.trust).await?;
    let mut input = Input::new(requests, LONGEST_LINE)?;
    while let Some(body) = input.next().await?.filter(|body| !is_fim(body)) {
        let text = String::from_utf8_lossy(body.as_bytes());
        session.send(&text, ends_in_nul).await?;
        let Some(reply) = session.next().await? else {
            let message = "the server closed the connection before it answered";
            return Err(Failure::new(sysexits::TEMPFAIL, message));
        };
        out.body(&Body::from(reply))?;
        out.flush()?;
    }
    // A server of another program may answer with more than one message.
    if session.finish_sending().await? {
        while let Some(more) = session.next().await? {
            out.body(&Body::from(more))?;
        }
    }
    out.finish()
}
