//! `arauto leitor`: prints the broadcasts that its patterns select, without missing any after a
//! reconnect.

use std::path::PathBuf;

use arauto::wire::raw::Direction;
use arauto::{
    Backoff, Client, ClientError, CloseReason, ErrorCode, Event, Events, Incoming, LoggedInAs,
    Named, ResumePoint, RetryClass,
};

use super::connect::{Account, ConnectArgs, Wanted};
use super::escape::one_line;
use super::exit::{Failure, complain, sysexits};
use super::message;
use super::notices::SessionNotices;
use super::os::StopSignals;
use super::output::Output;
use super::raw::{self, RawArgs};
use super::show;
use super::state_file::StateFile;

/// The most events that are printed before they are flushed, stored and acknowledged.
const BATCH: usize = 1000;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    connect: ConnectArgs,

    #[command(flatten)]
    raw: RawArgs,

    /// The topics to print the messages of: topic filters of MQTT, as `home/+/light` or `alarms/#`.
    /// Messages to this user are printed as well [default: all messages].
    #[arg(value_name = "PATTERN", value_parser = message::pattern, conflicts_with = "raw")]
    patterns: Vec<String>,

    /// Begin with the kept values of these topics, and print them again after a reconnect.
    #[arg(long, conflicts_with = "raw")]
    kept: bool,

    /// Do not print which users come and go; with PATTERN they are never printed.
    #[arg(long, conflicts_with = "raw")]
    no_presence: bool,

    /// Print one JSON object per line.
    #[arg(long, conflicts_with = "raw")]
    json: bool,

    /// Store in this file how far was read; the next start continues from there.
    #[arg(long, value_name = "FILE", conflicts_with = "raw")]
    resume: Option<PathBuf>,

    /// Continue behind what was printed under this name before, by any leitor of the same user: the
    /// server remembers it.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["raw", "resume"])]
    cursor: Option<String>,

    /// Exit when the session ends, instead of connecting again; --raw always does so.
    #[arg(long)]
    once: bool,
}

/// The way that reading ended.
enum ReadingEnd {
    /// The server closed the session, and the client does not reconnect.
    Closed(Named<CloseReason>),
    /// The connection broke, and the client does not reconnect.
    Lost(ClientError),
    /// Ctrl-C, or the output is closed.
    Enough(Result<u8, Failure>),
}

struct Leitor {
    account: Account,
    json: bool,
    file: Option<StateFile>,
    point: Option<ResumePoint>,
    notices: SessionNotices,
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
    let account = args
        .connect
        .account()?
        .wanting(Wanted {
            filter: (!args.patterns.is_empty()).then_some(args.patterns),
            kept: args.kept,
            is_without_presence: args.no_presence,
        })
        .with_cursor(args.cursor);
    let mut leitor = Leitor {
        account: if args.once {
            account
        } else {
            account.reconnecting()
        },
        json: args.json,
        file,
        point,
        notices: SessionNotices::default(),
    };
    // Only after the prompt for the password, which Ctrl-C must end.
    let mut signals = StopSignals::new();
    let Some((client, events)) = leitor.log_in(args.once, &mut signals).await? else {
        return Ok(0);
    };
    match leitor.read(&client, events, &mut signals).await? {
        ReadingEnd::Enough(outcome) => outcome,
        // A new login would register the name again if registration is open.
        ReadingEnd::Closed(Named::Known(CloseReason::Error(ErrorCode::Revoked))) => {
            let message = "the session ended (revoked): the account was removed or its password \
                           was changed; ask the operator, then start again";
            Err(Failure::new(sysexits::NOPERM, message))
        }
        ReadingEnd::Closed(Named::Known(CloseReason::Error(ErrorCode::Superseded))) => {
            let message = "the session ended (superseded): another program uses this cursor; stop \
                           it, or choose another name";
            Err(Failure::new(sysexits::NOPERM, message))
        }
        ReadingEnd::Closed(reason) if args.once => {
            let reason = one_line(reason.as_str());
            complain(&format!("the session is closed ({reason})"));
            Ok(0)
        }
        ReadingEnd::Closed(reason) => {
            let reason = one_line(reason.as_str());
            let message =
                format!("the server ended the session and will not accept it again ({reason})");
            Err(Failure::new(sysexits::NOPERM, message))
        }
        ReadingEnd::Lost(error) if args.once => {
            Err(Failure::new(sysexits::IOERR, error.to_string()))
        }
        ReadingEnd::Lost(error) => Err(error.into()),
    }
}

impl Leitor {
    /// Prints broadcasts until the end of the client.
    async fn read(
        &mut self,
        client: &Client,
        mut events: Events,
        signals: &mut StopSignals,
    ) -> Result<ReadingEnd, Failure> {
        self.begin(&client.who_am_i())?;
        loop {
            let incoming = tokio::select! {
                incoming = events.next() => incoming,
                () = signals.next() => {
                    drop(events); // unread broadcasts would delay the end of the session
                    let _ = client.fim().await; // the session may be over already
                    return Ok(ReadingEnd::Enough(Ok(0)));
                }
            };
            let Some(first) = incoming else {
                let message = "the session is over";
                return Ok(ReadingEnd::Enough(Err(Failure::new(
                    sysexits::SOFTWARE,
                    message,
                ))));
            };
            // A session's first broadcasts are acknowledged on that session.
            if let Incoming::Reconnected(who) = &first {
                self.begin(who)?;
                continue;
            }
            let (printed, end) = self.print(first, &mut events);
            if let Err(failure) = printed {
                return Ok(ReadingEnd::Enough(Err(failure)));
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

    /// Begins to read a session.
    fn begin(&mut self, who: &LoggedInAs) -> Result<(), Failure> {
        self.notices.reconnected();
        if let Some(forked) = who.forked {
            complain(&format!(
                "seq {} to {} were read from another history of this stream (the server's \
                 data folder was restored from an older copy); going on behind seq {}",
                forked.from, forked.to, who.seq
            ));
        }
        self.keep(who.resume_point())
    }

    /// Prints the events that have arrived, and flushes the output.
    fn print(
        &mut self,
        first: Incoming,
        events: &mut Events,
    ) -> (Result<(), Failure>, Option<ReadingEnd>) {
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
                Incoming::Kept(kept) => {
                    let printed = match self.json {
                        true => out.json(&show::kept_json(&kept)),
                        false => out.line(&show::kept_line(&kept)),
                    };
                    if let Err(failure) = printed {
                        return (Err(failure), None);
                    }
                }
                Incoming::Closing(closing) => end = Some(ReadingEnd::Closed(closing.reason)),
                Incoming::Lost(error) => end = Some(ReadingEnd::Lost(error)),
                Incoming::Disconnected(_) => {
                    self.notices.tell(&incoming);
                    room = 1; // what was read is acknowledged before the next session
                }
                other => self.notices.tell(&other),
            }
            room -= 1;
            // After the end no event follows; only the last ack is left to send.
            if room > 0 && end.is_none() {
                next = events.try_next();
            }
        }
        (out.flush(), end)
    }

    fn show(&self, event: &Event, out: &mut Output) -> Result<(), Failure> {
        if self.json {
            out.json(&show::json(event))
        } else if matches!(event, Event::Passed(_)) {
            Ok(()) // it moves the position, and is no news for a person
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

    /// Logs in. Except with `--once`, retries while the server refuses for a reason that may pass.
    /// If no server is reached, fails at once: the endpoint may be wrong. `None`: Ctrl-C.
    async fn log_in(
        &mut self,
        once: bool,
        signals: &mut StopSignals,
    ) -> Result<Option<(Client, Events)>, Failure> {
        let mut backoff = Backoff::new();
        loop {
            let attempt = tokio::select! {
                attempt = self.account.attempt(self.point.as_ref()) => attempt,
                () = signals.next() => return Ok(None),
            };
            let refused = match attempt {
                Ok(session) => return Ok(Some(session)),
                Err(refused) => refused,
            };
            let may_pass = refused.was_answered && refused.class != RetryClass::Final;
            let wait = backoff.next_wait(refused.retry_after);
            let Some(wait) = wait.filter(|_| may_pass && !once) else {
                return Err(refused.failure);
            };
            self.notices.retrying(&refused.failure);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = signals.next() => return Ok(None),
            }
        }
    }
}
