//! The core's rules, one by one. Each file tests the file of the core that it is named after.

mod cursor;
mod deadlines;
mod ending;
mod failing;
mod judged;
mod login;
mod policy;
mod publish;
mod record;
mod requests;
mod saved;
mod services;
mod shutdown;
mod steps;
mod work;
