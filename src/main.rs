//! `arauto`: the server and its clients, from a shell.

mod cli;
#[cfg(unix)]
mod load;

fn main() -> std::process::ExitCode {
    cli::main()
}
