//! The server: joins listeners, actors, accounts and the log.
//!
//! [`Server::bind`] runs on the actix system of its caller and never stops it.
//! [`Server::start`] has a thread and a system of its own. Both take a [`Config`] through four
//! steps, each in its file: `check`, `opening` (certificate and storage), `listeners` and
//! `assemble` (the actors). A new limit is one entry in config/limits.rs or config/timeouts.rs.

mod admin_connect;
mod admin_listener;
mod admission_limits;
mod arbiters;
mod assemble;
mod bind;
mod builder;
mod check;
mod components;
mod config;
mod contexts;
mod derived_limits;
mod drain;
mod error;
mod feed;
mod folder;
mod handle;
mod limit;
mod listen;
mod listeners;
mod opening;
mod passed_sockets;
mod probe;
mod publish;
mod reconfigure;
mod reconfigure_error;
mod reloadable;
mod session_spawner;
mod statistics;
mod stop_timeline;
mod storage;
mod thread;
mod tls;
mod verify;
mod watch;

pub use admin_connect::connect_admin;
pub use admin_listener::AdminListener;
pub use bind::Server;
pub use builder::ServerBuilder;
pub use config::{Applies, Config, Limits, Storage, Timeouts, Unit, Value};
pub use error::{ConfigError, ServerError};
pub use feed::Feed;
pub use folder::{make_service_folder, open_data_folder};
pub use handle::{ServerHandle, StopStatus};
pub use limit::Limit;
pub use listen::{HandlerOption, Listen, ListenError, OptionError};
pub use probe::{PartState, ProbeOutcome, ProbedPart, ServerPart};
pub use publish::PublishError;
pub use reconfigure_error::ReconfigureError;
pub use statistics::{LaggingSession, ServiceFigures, SessionCounts, Statistics};
pub use verify::verify;
