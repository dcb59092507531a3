//! `arauto`: the server and its clients, from a shell.

mod admin;
mod cli;
#[cfg(unix)]
mod load;

fn main() -> std::process::ExitCode {
    cli::main()
}
