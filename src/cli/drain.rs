//! `arauto drain`: has a server take no new sessions.

use std::time::Duration;

use super::admin_client::AdminArgs;
use super::exit::{Failure, sysexits};
use super::output::Output;
use crate::admin::{DrainRequest, Drained, Refusal};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    admin: AdminArgs,

    /// Stop the server once the last session has gone.
    #[arg(long, conflicts_with = "cancel")]
    stop: bool,

    /// Stop it after this time at the latest; sessions that are left then end as in every stop
    /// [default: 10m].
    #[arg(long, value_name = "TIME", requires = "stop", value_parser = humantime::parse_duration)]
    within: Option<Duration>,

    /// Take new sessions again, and do not stop.
    #[arg(long)]
    cancel: bool,
}

/// The longest time that sessions have to go.
const WITHIN: Duration = Duration::from_secs(10 * 60);

/// Begins or cancels a drain, and prints how many sessions there are. It does not wait for them.
///
/// # Errors
/// The server starts or stops (75), or there is no such server.
pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    let within = args.stop.then(|| args.within.unwrap_or(WITHIN));
    let drained: Result<Drained, Refusal> = if args.cancel {
        args.admin.act("/drain/cancel", String::new()).await?
    } else {
        let within = within.map(|within| u64::try_from(within.as_millis()).unwrap_or(u64::MAX));
        let request = DrainRequest {
            stop_within_ms: within,
        };
        let body = serde_json::to_string(&request).map_err(|error| {
            Failure::new(
                sysexits::SOFTWARE,
                format!("the request has no text: {error}"),
            )
        })?;
        args.admin.act("/drain", body).await?
    };
    let Drained { sessions } =
        drained.map_err(|Refusal { error, exit }| Failure::new(exit, error))?;
    let line = match (args.cancel, within) {
        (true, _) => format!("new sessions are taken again; sessions: {sessions}"),
        (false, None) => format!("no new sessions; sessions left: {sessions}"),
        (false, Some(within)) => {
            let within = humantime::format_duration(within);
            format!(
                "no new sessions; sessions left: {sessions}; the server stops when they have gone, \
                 within {within}"
            )
        }
    };
    let mut output = Output::stdout();
    output.line(&line)?;
    output.finish()
}
