//! `arauto fim`: stops the server.

use std::time::{Duration, Instant};

use super::connect::{Account, ConnectArgs};
use super::escape::one_line;
use super::exit::{Failure, complain, sysexits};
use super::os;

/// How often to check whether the server has gone.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How much longer than the announced time to wait for the server.
const GRACE: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    connect: ConnectArgs,

    /// Skip the drain: broadcasts that are not delivered yet are lost and listed in the report.
    #[arg(long)]
    now: bool,

    /// Wait until the server has exited.
    #[arg(long)]
    wait: bool,
}

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    let account = args.connect.account()?;
    let (client, events) = account.log_in(None).await?;
    drop(events);
    // Before the server stops: afterwards another process may get its id.
    let server = client.who_am_i().server_pid.and_then(os::Process::watch);
    let began = Instant::now();
    let notice = client.shutdown(args.now).await?;
    let (reason, phase) = (
        one_line(notice.reason.as_str()),
        one_line(notice.phase.as_str()),
    );
    complain(&format!(
        "the server is stopping ({reason}): phase {phase}, at most {:?} left",
        notice.remaining
    ));
    if !args.wait {
        return Ok(0);
    }
    // The server waits for its readers, so this session is read to its end first.
    let limit = notice.remaining + GRACE;
    let _ = tokio::time::timeout(limit, client.closed()).await; // any end will do
    while began.elapsed() < limit {
        if is_gone(server.as_ref(), &account).await {
            return Ok(0);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    let message = format!("the server is still running after {limit:?}");
    Err(Failure::new(sysexits::TEMPFAIL, message))
}

/// Returns whether the server has gone: its process has ended, or if that is not known, nothing
/// listens at the endpoint.
async fn is_gone(server: Option<&os::Process>, account: &Account) -> bool {
    match server {
        Some(process) => process.has_ended(),
        None => account.is_gone().await,
    }
}
