//! The real binary, from a shell.

#[cfg(unix)] // the command is not there elsewhere
mod bench;
mod clients;
mod console;
mod demo;
mod leitor;
#[cfg(unix)]
mod lines;
#[cfg(unix)]
mod listening;
#[cfg(unix)]
mod outputs;
#[cfg(unix)]
mod prompt;
#[cfg(unix)] // with socat at the other end; Windows has tests/win32 there
mod raw;
mod serve;
#[cfg(unix)]
mod silent;
#[cfg(unix)]
mod system_limits;
#[cfg(unix)]
mod terminals;
mod usage;
mod users;
#[cfg(unix)]
mod whole_files;
