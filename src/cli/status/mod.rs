//! `arauto status`: what a server does now.

mod answer;
mod screen;

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use self::answer::Status;
use self::screen::screen;
use super::admin_client::AdminArgs;
use super::exit::{Failure, sysexits};
use super::output::Output;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    admin: AdminArgs,

    /// Print the server's JSON object.
    #[arg(long)]
    json: bool,

    /// Ask again every TIME, with the rates since the last time, until Ctrl-C.
    #[arg(
        long,
        value_name = "TIME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1s",
        value_parser = humantime::parse_duration
    )]
    watch: Option<Duration>,
}

/// The shortest time between two questions.
const LEAST: Duration = Duration::from_millis(100);

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    let mut output = Output::stdout();
    let mut earlier = None;
    loop {
        let text = args.admin.get("/status").await?;
        if args.json {
            output.json(&parse::<serde_json::Value>(&text)?)?;
        } else {
            let status: Status = parse(&text)?;
            if args.watch.is_some() {
                output.clear()?;
            }
            output.text(&screen(&status, earlier.as_ref()))?;
            earlier = Some((Instant::now(), status));
        }
        let Some(pause) = args.watch else {
            return output.finish();
        };
        output.flush()?;
        tokio::time::sleep(pause.max(LEAST)).await;
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let message = format!("the answer is no status of arauto: {error}");
        Failure::new(sysexits::PROTOCOL, message)
    })
}
