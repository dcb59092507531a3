//! `arauto pedir --raw`: asks whoever answers at the other end of a pipe.

use arauto::{Body, RawPipe};

use super::{LONGEST_LINE, Pipe};
use crate::cli::exit::{Failure, sysexits};
use crate::cli::input::Input;
use crate::cli::output::Output;
use crate::cli::pipeline::is_fim;

/// Sends each text, and prints what comes back for it.
pub(in crate::cli) async fn run(
    pipe: Pipe,
    requests: Vec<String>,
    ends_in_nul: bool,
) -> Result<u8, Failure> {
    let mut out = Output::stdout();
    let endpoint = &pipe.listen.endpoint;
    let mut asked = RawPipe::to_ask_with(endpoint, pipe.charset, &pipe.trust).await?;
    let mut input = Input::new(requests, LONGEST_LINE)?;
    while let Some(body) = input.next().await?.filter(|body| !is_fim(body)) {
        let text = String::from_utf8_lossy(body.as_bytes());
        asked.send(&text, ends_in_nul).await?;
        let Some(reply) = asked.next().await? else {
            let message = "the other end closed before it answered";
            return Err(Failure::new(sysexits::TEMPFAIL, message));
        };
        out.body(&Body::from(reply))?;
        out.flush()?;
    }
    // Somebody else's server may answer with more than one message.
    if asked.finish_sending().await? {
        while let Some(more) = asked.next().await? {
            out.body(&Body::from(more))?;
        }
    }
    out.finish()
}
