//! The real binary, from a shell.

#[cfg(unix)] // the command is not there elsewhere
mod bench;
mod clients;
mod console;
mod demo;
mod leitor;
mod raw;
mod serve;
mod usage;
mod users;
