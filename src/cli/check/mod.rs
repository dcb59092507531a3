//! `arauto check`: whether a server would start with a configuration, and what may go wrong later.
//!
//! It takes the flags of `serve`, starts nothing and changes nothing, beside a file in the folders
//! of the report and of the audit log that exists for a moment. An error of the configuration ends it as it ends `serve`. Everything
//! else becomes a line, so that one run names all problems.

mod finding;
mod subjects;

use std::path::PathBuf;

use self::finding::Finding;
use super::exit::Failure;
use super::output::Output;
use super::settings::sources::Flags;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: Flags,

    /// The config file to check [default: $ARAUTO_CONFIG].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Prints what was found. The exit code is that of the first error.
///
/// # Errors
/// The configuration is wrong, or stdout cannot be written.
pub(super) fn run(args: Args) -> Result<u8, Failure> {
    let resolved = args.settings.resolve(args.config.as_deref())?;
    let config = resolved.settings.config()?;
    let mut findings = vec![subjects::configuration(&config)];
    findings.extend(subjects::endpoints(&config));
    findings.extend(subjects::admin(&resolved.settings));
    findings.extend(subjects::certificate(&config));
    findings.push(subjects::data_folder(&config));
    findings.extend(subjects::report(&resolved.settings));
    findings.extend(subjects::audit(&resolved.settings));
    findings.push(subjects::descriptors(&config));
    let printed = print(&findings, args.json)?;
    let error = findings.iter().find_map(Finding::exit_code);
    Ok(error.unwrap_or(printed))
}

fn print(findings: &[Finding], as_json: bool) -> Result<u8, Failure> {
    let mut output = Output::stdout();
    for finding in findings {
        match as_json {
            true => output.json(finding)?,
            false => {
                let (level, subject) = (finding.level.as_str(), finding.subject);
                let line = format!("{level:<8} {subject:<14} {}", finding.text);
                output.line(&line)?;
            }
        }
    }
    output.finish()
}
