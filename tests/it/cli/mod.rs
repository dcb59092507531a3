//! The real binary, from a shell.

mod bench;
mod clients;
mod console;
mod demo;
mod leitor;
mod raw;
mod serve;
mod usage;
mod users;
