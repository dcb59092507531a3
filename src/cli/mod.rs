//! The command line: one file a command, and what they share.

mod backup;
#[cfg(unix)]
mod bench;
mod bounded;
mod connect;
mod console;
mod deadline;
mod demo;
mod digits;
mod escritor;
mod exit;
mod explain;
mod fim;
mod input;
mod leitor;
mod logs;
mod network;
mod os;
mod output;
mod password;
mod pedir;
mod pipeline;
mod raw;
mod report;
mod resources;
mod screen;
mod serve;
mod sessions;
mod settings;
mod show;
mod state_file;
mod stopping;
mod table;
mod tls;
mod users;
mod who;
mod whole_file;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::{Failure, stdout_failed, sysexits};
use output::shown;
use resources::Requirements;

/// A message server for programs on one host: log in, ask, broadcast without a
/// hole, and stop on "fim" losing nothing that was accepted.
#[derive(Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve(Box<serve::Args>),
    /// Print the broadcasts.
    #[command(visible_alias = "read")]
    Leitor(leitor::Args),
    /// Publish the arguments, or each line of the input until `fim`; with --raw, be the
    /// server that says them to its readers.
    #[command(visible_alias = "write")]
    Escritor(escritor::Args),
    /// Ask with the arguments, or with each line of the input, and print the replies.
    #[command(visible_alias = "request")]
    Pedir(pedir::Args),
    /// Print who is logged in.
    Who(who::Args),
    /// Print the server's sessions; for admins.
    Sessions(sessions::Args),
    /// Stop the server; for admins.
    Fim(fim::Args),
    /// Print the report of a stop, or draw it.
    Report(report::Args),
    /// Tell what became of one broadcast at every session, from a stop's report.
    Explain(explain::Args),
    /// Keep the accounts, whether the server runs or not.
    Users(users::Args),
    /// Copy the accounts and the journal to a file, whether the server runs or not.
    Backup(backup::BackupArgs),
    /// Put a copy that `arauto backup` made into a data folder, and begin a new stream there.
    Restore(backup::RestoreArgs),
    /// Make the certificate of a server's tls: endpoints, and tell its fingerprint.
    Tls(tls::Args),
    /// Measure how fast a server is.
    #[cfg(unix)]
    Bench(bench::Args),
    /// See it all at work, on a server of its own, in a few seconds.
    Demo(demo::Args),
}

/// Runs the command; every failure is one line on stderr that says what to do.
pub fn main() -> ExitCode {
    os::on_own_stack(run)
}

fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let outcome = match cli.command {
        Command::Serve(args) => serve::run(*args),
        Command::Demo(args) => demo::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Users(args) => users::run(&args),
        Command::Backup(args) => backup::backup(&args),
        Command::Restore(args) => backup::put_back(&args),
        Command::Tls(args) => tls::run(&args),
        #[cfg(unix)]
        Command::Bench(args) => bench::run(args),
        Command::Leitor(args) => client(leitor::run(args)),
        Command::Escritor(args) => escritor::run(args),
        Command::Pedir(args) => client(pedir::run(args)),
        Command::Who(args) => client(who::run(args)),
        Command::Sessions(args) => client(sessions::run(args)),
        Command::Fim(args) => client(fim::run(args)),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.tell(),
    }
}

/// Prints help where it is asked for, and else what is wrong with the arguments.
fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        complain_as_clap(error);
        return ExitCode::from(sysexits::USAGE);
    }
    let printed = error.print().and_then(|()| io::stdout().flush());
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => stdout_failed(&error).tell(),
    }
}

/// The arguments that are wrong are quoted: they may have come from elsewhere.
fn complain_as_clap(error: &clap::Error) {
    let text = error.render().to_string();
    let _ = io::stderr().write_all(shown(&text).as_bytes()); // or there is nobody to tell
}

/// Runs a client's command on a runtime of this thread.
fn client(command: impl Future<Output = Result<u8, Failure>>) -> Result<u8, Failure> {
    resources::check(Requirements::CLIENT)?;
    let runtime = resources::runtime()?;
    let outcome = runtime.block_on(command);
    // A thread may still be reading the terminal: nobody waits for it.
    runtime.shutdown_background();
    outcome
}
