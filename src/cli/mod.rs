//! The command line: one file a command, and what they share.

mod backup;
#[cfg(unix)]
mod bench;
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
mod os;
mod password;
mod pedir;
mod pipeline;
mod printer;
mod raw;
mod report;
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

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::{Failure, sysexits};

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
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Where the terminal is gone there is nobody to tell.
            let _ = error.print();
            let asked = !error.use_stderr();
            return ExitCode::from(if asked { 0 } else { sysexits::USAGE });
        }
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

/// Runs a client's command on a runtime of this thread.
fn client(command: impl Future<Output = Result<u8, Failure>>) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(sysexits::OSERR, format!("no runtime: {error}")))?;
    let outcome = runtime.block_on(command);
    // A thread may still be reading the terminal: nobody waits for it.
    runtime.shutdown_background();
    outcome
}
