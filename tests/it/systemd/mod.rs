//! systemd: the units of packaging/systemd, sockets that are passed, notices, and the journal.
//!
//! systemd itself does not run here. Its tools check the units, and the tests act as the service
//! manager.

mod activation;
mod journal;
mod notices;
mod notify_socket;
mod passing;
mod start_command;
mod system_calls;
mod unit_file;
mod units;
mod watchdog;
