//! `arauto leitor`: prints the broadcasts, and misses nothing.

use std::path::PathBuf;

use arauto::wire::raw::Direction;
use arauto::{Backoff, Client, ErrorCode, Event, Events, Incoming, ResumePoint, RetryClass};

use super::connect::{Account, ConnectArgs, NotLoggedIn};
use super::escape::one_line;
use super::exit::{Failure, complain, sysexits};
use super::os::StopSignals;
use super::output::Output;
use super::raw::{self, RawArgs};
use super::show;
use super::state_file::StateFile;

/// Events printed in a row before they are flushed, saved and acknowledged.
const BATCH: usize = 1000;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    connect: ConnectArgs,

    #[command(flatten)]
    raw: RawArgs,

    /// Print one JSON object a line.
    #[arg(long, conflicts_with = "raw")]
    json: bool,

    /// Remember in this file how far was read, and go on from there next time.
    #[arg(long, value_name = "FILE", conflicts_with = "raw")]
    resume: Option<PathBuf>,

    /// End with the session instead of connecting again, as --raw always does.
    #[arg(long)]
    once: bool,
}

/// How a session ended for the reader.
enum Outcome {
    /// The server ended it in order.
    Closed(String),
    /// It broke.
    Lost(String),
    /// Ctrl-C, or nobody reads what is printed.
    Enough(Result<u8, Failure>),
}

struct Leitor {
    account: Account,
    json: bool,
    file: Option<StateFile>,
    point: Option<ResumePoint>,
}

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    if let Some(pipe) = args.raw.pipe(&args.connect, Direction::Outbound)? {
        return raw::leitor(pipe).await;
    }
    let (file, point) = match &args.resume {
        Some(path) => {
            let (file, point) = StateFile::open(path)?;
            (Some(file), point)
        }
        None => (None, None),
    };
    let mut leitor = Leitor {
        account: args.connect.account()?,
        json: args.json,
        file,
        point,
    };
    // After the password's prompt, which Ctrl-C must end.
    let mut signals = StopSignals::new();
    // Where nobody is there the first login fails at once: a wrong endpoint is no reason to
    // wait. A server that is there may let this user in a little later.
    let mut retrying = match args.once {
        true => Retrying::Never,
        false => Retrying::Answers,
    };
    loop {
        let Some((client, events)) = leitor.log_in(retrying, &mut signals).await? else {
            return Ok(0);
        };
        retrying = Retrying::Always;
        let outcome = leitor.read(&client, events, &mut signals).await?;
        match (&outcome, args.once) {
            (Outcome::Enough(_), _) => {}
            // To log in again would register the name again where registration is open.
            (Outcome::Closed(reason), _) if reason == ErrorCode::Revoked.as_str() => {
                let message = "the session ended (revoked): the account was removed or has another \
                               password; ask the operator, then start again";
                return Err(Failure::new(sysexits::NOPERM, message));
            }
            (Outcome::Closed(reason), true) => {
                complain(&format!("the session is closed ({})", one_line(reason)));
                return Ok(0);
            }
            (Outcome::Lost(problem), true) => {
                let message = format!("the connection broke: {problem}");
                return Err(Failure::new(sysexits::IOERR, message));
            }
            (Outcome::Closed(reason), false)
                if RetryClass::of_reason(reason) == RetryClass::Final =>
            {
                let reason = one_line(reason);
                let message = format!("the server has ended the session for good ({reason})");
                return Err(Failure::new(sysexits::NOPERM, message));
            }
            (Outcome::Closed(why) | Outcome::Lost(why), false) => {
                let why = one_line(why);
                complain(&format!("the session ended ({why}), connecting again"));
            }
        }
        if let Outcome::Enough(outcome) = outcome {
            return outcome;
        }
    }
}

impl Leitor {
    /// Prints until the session ends.
    async fn read(
        &mut self,
        client: &Client,
        mut events: Events,
        signals: &mut StopSignals,
    ) -> Result<Outcome, Failure> {
        let who = client.who_am_i();
        if let Some(forked) = who.forked {
            complain(&format!(
                "seq {} to {} were read from another history of this stream (the server's \
                 data folder was restored from an older copy); going on behind seq {}",
                forked.from, forked.to, who.seq
            ));
        }
        self.keep(who.resume_point())?;
        loop {
            let incoming = tokio::select! {
                incoming = events.next() => incoming,
                () = signals.next() => {
                    drop(events); // nobody reads them any more, and they hold up the end
                    let _ = client.fim().await; // it may be over already
                    return Ok(Outcome::Enough(Ok(0)));
                }
            };
            let Some(first) = incoming else {
                return Ok(Outcome::Lost("the session is over".to_owned()));
            };
            let (printed, end) = self.print(first, &mut events);
            if let Err(failure) = printed {
                return Ok(Outcome::Enough(Err(failure)));
            }
            if let Some(point) = self.point.clone() {
                let seq = point.after;
                self.keep(point)?;
                let _ = client.ack(seq).await; // a session that is over needs none
            }
            if let Some(end) = end {
                events.next().await; // the last ack has gone with it
                return Ok(end);
            }
        }
    }

    /// Prints what is there, and flushes it.
    fn print(
        &mut self,
        first: Incoming,
        events: &mut Events,
    ) -> (Result<(), Failure>, Option<Outcome>) {
        let mut out = Output::stdout();
        let mut end = None;
        let mut next = Some(first);
        let mut room = BATCH;
        while let Some(incoming) = next.take() {
            match incoming {
                Incoming::Event(event) => {
                    if let Err(failure) = self.show(&event, &mut out) {
                        return (Err(failure), None);
                    }
                    if let Some(point) = &mut self.point {
                        point.after = event.seq();
                    }
                }
                Incoming::Stopping(notice) => {
                    let reason = one_line(&notice.reason);
                    complain(&format!("the server is stopping ({reason})"));
                }
                Incoming::Closing(closing) => end = Some(Outcome::Closed(closing.reason)),
                Incoming::Lost(problem) => end = Some(Outcome::Lost(problem)),
                _ => {}
            }
            room -= 1;
            // Behind the end there is nothing but the last ack to send.
            if room > 0 && end.is_none() {
                next = events.try_next();
            }
        }
        (out.flush(), end)
    }

    fn show(&self, event: &Event, out: &mut Output) -> Result<(), Failure> {
        if self.json {
            out.json(&show::json(event))
        } else {
            out.line(&show::line(event))
        }
    }

    fn keep(&mut self, point: ResumePoint) -> Result<(), Failure> {
        if let Some(file) = &self.file {
            file.save(&point)?;
        }
        self.point = Some(point);
        Ok(())
    }

    /// Logs in, and tries again as the failure's class says. `None`: Ctrl-C.
    async fn log_in(
        &self,
        retrying: Retrying,
        signals: &mut StopSignals,
    ) -> Result<Option<(Client, Events)>, Failure> {
        let mut backoff = Backoff::new();
        let mut told = String::new();
        loop {
            let attempt = tokio::select! {
                attempt = self.account.attempt(self.point.as_ref()) => attempt,
                () = signals.next() => return Ok(None),
            };
            let refused = match attempt {
                Ok(session) => return Ok(Some(session)),
                Err(refused) => refused,
            };
            let wait = backoff.next_wait(refused.retry_after);
            let Some(wait) = wait.filter(|_| retrying.includes(&refused)) else {
                return Err(refused.failure);
            };
            if told != refused.failure.message() {
                refused.failure.message().clone_into(&mut told);
                complain(&format!("{told}; trying again"));
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = signals.next() => return Ok(None),
            }
        }
    }
}

/// Which failed logins are tried again, of those that may pass.
#[derive(Debug, Clone, Copy)]
enum Retrying {
    Never,
    /// Those that the server refused.
    Answers,
    Always,
}

impl Retrying {
    fn includes(self, refused: &NotLoggedIn) -> bool {
        let may_pass = refused.class != RetryClass::Final;
        may_pass
            && match self {
                Retrying::Never => false,
                Retrying::Answers => refused.was_answered,
                Retrying::Always => true,
            }
    }
}
