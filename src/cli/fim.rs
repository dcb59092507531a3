//! `arauto fim`: stops the server.

use std::time::{Duration, Instant};

use super::connect::{Account, ConnectArgs};
use super::exit::{Failure, complain, sysexits};
use super::os;
use super::output::one_line;

/// How often to look whether the server's process is gone.
const LOOK: Duration = Duration::from_millis(20);

/// What a server may take beyond the time that it named.
const GRACE: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    connect: ConnectArgs,

    /// Skip the drain: what is not delivered yet is lost, and named in the report.
    #[arg(long)]
    now: bool,

    /// Wait until the server is gone.
    #[arg(long)]
    wait: bool,
}

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    let account = args.connect.account()?;
    let (client, events) = account.log_in(None).await?;
    drop(events);
    // Before it stops: later its id may be another's.
    let server = client.who_am_i().server_pid.and_then(os::Process::watch);
    let began = Instant::now();
    let notice = client.shutdown(args.now).await?;
    let (reason, phase) = (one_line(&notice.reason), one_line(&notice.phase));
    complain(&format!(
        "the server is stopping ({reason}), in phase {phase}, gone in {:?} at most",
        notice.remaining
    ));
    if !args.wait {
        return Ok(0);
    }
    // Read to the end first: the server waits for its readers.
    let limit = notice.remaining + GRACE;
    let _ = tokio::time::timeout(limit, client.closed()).await; // however it ended
    while began.elapsed() < limit {
        if is_gone(server.as_ref(), &account).await {
            return Ok(0);
        }
        tokio::time::sleep(LOOK).await;
    }
    let message = format!("the server is still there after {limit:?}");
    Err(Failure::new(sysexits::TEMPFAIL, message))
}

/// A local server is gone when its process has ended; of another, nobody must listen.
async fn is_gone(server: Option<&os::Process>, account: &Account) -> bool {
    match server {
        Some(process) => process.has_ended(),
        None => account.is_gone().await,
    }
}
