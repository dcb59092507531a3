//! `arauto`: the server and its clients, from a shell.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
