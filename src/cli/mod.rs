//! The command line: one module for each command, and the modules that they share.

mod admin_client;
mod audit;
mod backup;
#[cfg(unix)]
mod bench;
mod bounded;
mod check;
mod client_runtime;
mod completions;
mod connect;
mod console;
mod cursors;
mod deadline;
mod demo;
mod descriptors;
mod digits;
mod drain;
mod escape;
mod escritor;
mod exit;
mod explain;
mod fim;
mod input;
mod journal;
mod leitor;
mod list;
mod logs;
mod man;
mod message;
mod network;
mod notices;
mod offer;
mod os;
mod outbox;
mod output;
mod password;
mod pedir;
mod pipeline;
mod raw;
mod reload;
mod report;
mod resources;
mod screen;
mod serve;
#[cfg(not(unix))]
mod service;
mod services;
mod sessions;
mod settings;
mod show;
mod state_file;
mod status;
mod stopping;
mod table;
mod tls;
mod topics;
mod users;
mod verify;
mod who;
mod whole_file;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use client_runtime::client;
use escape::shown;
use exit::{stdout_failed, sysexits};

/// A message server for programs on one host: users log in, send requests and broadcast
/// messages. On "fim" the server stops without losing anything that it has accepted.
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
    /// Install the server as a service of Windows; start, stop and remove it.
    #[cfg(not(unix))]
    Service(service::Args),
    /// Check whether a server would start with these settings: its configuration, certificates,
    /// data folder and limits.
    Check(Box<check::Args>),
    /// Print the broadcasts of a server.
    #[command(visible_alias = "read")]
    Leitor(leitor::Args),
    /// Publish the arguments, or each line of stdin until `fim`. With --raw, listen at the
    /// endpoint and send them to the readers that connect.
    #[command(visible_alias = "write")]
    Escritor(escritor::Args),
    /// Send the arguments, or each line of stdin, as requests and print the replies.
    #[command(visible_alias = "request")]
    Pedir(pedir::Args),
    /// Answer the requests to a service with a command, until SIGTERM or Ctrl-C.
    Offer(offer::Args),
    /// Print the users that are logged in.
    Who(who::Args),
    /// Print the server's sessions, which needs the role admin, or end one.
    Sessions(Box<sessions::Args>),
    /// Print the server's topics, with their newest messages and kept values; needs the role admin.
    Topics(topics::Args),
    /// Print the services that clients offer, with their counts and times; needs the role admin.
    Services(list::ListArgs),
    /// Print the cursors that the server remembers, or remove one; needs the role admin.
    #[command(mut_args = |arg| arg.global(true))]
    Cursors(Box<cursors::Args>),
    /// Print what a server does now, as its admin endpoint tells it.
    Status(status::Args),
    /// Have a server read its settings again, through its admin endpoint: all of them are applied, or
    /// none.
    Reload(reload::Args),
    /// Have a server take no new sessions, through its admin endpoint, and stop once the last one has
    /// gone.
    Drain(drain::Args),
    /// Stop the server; needs the role admin.
    Fim(fim::Args),
    /// Print the report of a server's stop, or draw it as a timeline.
    Report(report::Args),
    /// Print which sessions got one broadcast, from the report of a stop or from a running server, or
    /// how one call ended.
    Explain(explain::Args),
    /// List, add and change accounts and the rules for them, while the server runs or not.
    Users(users::Args),
    /// Copy the accounts and the journal to a file, while the server runs or not.
    Backup(backup::BackupArgs),
    /// Restore a copy made by `arauto backup` into a data folder; a new stream begins there.
    Restore(backup::RestoreArgs),
    /// Check every page and every row of a copy or of a data folder, while the server runs or not.
    Verify(verify::Args),
    /// Print the journal as lines of JSON, while the server runs or not.
    Export(journal::ExportArgs),
    /// Make the journal of a data folder from an export; a new stream begins there. It has no
    /// accounts: `arauto users import` adds them.
    Import(journal::ImportArgs),
    /// Make a certificate for a server's tls: endpoints, or print its fingerprint.
    Tls(tls::Args),
    /// Measure how fast a server is.
    #[cfg(unix)]
    Bench(bench::Args),
    /// Show a server and its clients at work, in a few seconds and without any setup.
    Demo(demo::Args),
    /// Print a script that completes the command line in a shell.
    Completions(completions::Args),
    /// Print the manual page, or write all manual pages into a folder.
    Man(man::Args),
}

/// Runs the command of the process's arguments. A failure prints one line on stderr.
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
        #[cfg(not(unix))]
        Command::Service(args) => service::run(&args),
        Command::Check(args) => check::run(*args),
        Command::Demo(args) => demo::run(&args),
        Command::Completions(args) => completions::run(&args, Cli::command()),
        Command::Man(args) => man::run(&args, Cli::command()),
        Command::Report(args) => report::run(&args),
        Command::Explain(args) => explain::run(args),
        Command::Users(args) => users::run(&args),
        Command::Backup(args) => backup::run_backup(&args),
        Command::Restore(args) => backup::run_restore(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Export(args) => journal::run_export(&args),
        Command::Import(args) => journal::run_import(&args),
        Command::Tls(args) => tls::run(&args),
        #[cfg(unix)]
        Command::Bench(args) => bench::run(args),
        Command::Leitor(args) => client(leitor::run(args)),
        Command::Escritor(args) => escritor::run(args),
        Command::Pedir(args) => client(pedir::run(args)),
        Command::Offer(args) => client(offer::run(args)),
        Command::Who(args) => client(who::run(args)),
        Command::Sessions(args) => client(sessions::run(*args)),
        Command::Topics(args) => client(topics::run(args)),
        Command::Services(args) => client(services::run(args)),
        Command::Cursors(args) => client(cursors::run(*args)),
        Command::Status(args) => client(status::run(args)),
        Command::Reload(args) => client(reload::run(args)),
        Command::Drain(args) => client(drain::run(args)),
        Command::Fim(args) => client(fim::run(args)),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.tell(),
    }
}

/// Prints the help that was asked for, or the error in the arguments.
fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        print_usage_error(error);
        return ExitCode::from(sysexits::USAGE);
    }
    let printed = match io::stdout().is_terminal() {
        true => error
            .print() // in bold, where the terminal can
            .and_then(|()| io::stdout().flush())
            .map(|()| 0)
            .map_err(|error| stdout_failed(&error)),
        false => output::print(&error.render().to_string()),
    };
    match printed {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.tell(),
    }
}

/// Prints clap's message, escaped: it quotes arguments, which may come from another program.
fn print_usage_error(error: &clap::Error) {
    let text = error.render().to_string();
    let _ = io::stderr().write_all(shown(&text).as_bytes()); // the exit code stays
}
