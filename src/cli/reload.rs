//! `arauto reload`: has a server read its settings again.

use super::admin_client::AdminArgs;
use super::escape::one_line;
use super::exit::{Failure, complain};
use super::output::Output;
use crate::admin::{Refusal, Reloaded, SettingChange};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    admin: AdminArgs,

    /// Print the server's JSON object.
    #[arg(long)]
    json: bool,
}

/// Prints the settings that have changed, and names on stderr those that need a restart.
///
/// # Errors
/// The server keeps all its settings: the failure has the exit code that a server would not start
/// with, or 75 where the server starts or stops. Or there is no such server.
pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    let reloaded: Reloaded = match args.admin.act("/reload", String::new()).await? {
        Ok(reloaded) => reloaded,
        Err(Refusal { error, exit }) => {
            let message = format!("settings not reloaded, the old ones stay in effect: {error}");
            return Err(Failure::new(exit, message));
        }
    };
    let mut output = Output::stdout();
    if args.json {
        output.json(&reloaded)?;
        return output.finish();
    }
    if reloaded.changed.is_empty() {
        output.line("no setting has changed")?;
    }
    for change in &reloaded.changed {
        output.line(&changed(change))?;
    }
    let code = output.finish()?;
    for change in &reloaded.restart {
        complain(&needs_restart(change));
    }
    Ok(code)
}

/// Returns a setting that has changed as a line for people.
fn changed(change: &SettingChange) -> String {
    let key = one_line(&change.key);
    format!("{key}: {} -> {}", value(&change.from), value(&change.to))
}

/// Returns a setting that needs a restart as a line for people.
pub(super) fn needs_restart(change: &SettingChange) -> String {
    let key = one_line(&change.key);
    let (from, to) = (value(&change.from), value(&change.to));
    format!("{key} stays {from}; a restart makes it {to}")
}

fn value(value: &Option<String>) -> String {
    match value {
        Some(value) => one_line(value).into_owned(),
        None => "not set".to_owned(),
    }
}
