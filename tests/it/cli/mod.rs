//! The real binary, from a shell.

#[cfg(unix)] // the command is not there elsewhere
mod bench;
mod clients;
mod console;
mod demo;
mod leitor;
#[cfg(unix)] // with socat at the other end; Windows has tests/win32 there
mod raw;
mod serve;
mod usage;
mod users;
