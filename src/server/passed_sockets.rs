//! The sockets that were passed to the server, and the endpoints that take them.

use std::collections::BTreeSet;

use super::config::Config;
use super::error::{ConfigError, ServerError};
use super::listen::Listen;
use crate::transport::{Endpoint, ListenOptions, Listener};

/// Checks that each endpoint `systemd:NAME` has sockets, and that each socket has such an endpoint:
/// on a socket that nothing accepts from, clients would wait for ever.
pub(super) fn check_sockets(config: &Config) -> Result<(), ConfigError> {
    let passed: BTreeSet<&str> = config.sockets.iter().map(|socket| socket.name()).collect();
    let mut unused = passed.clone();
    for listen in &config.listen {
        let Endpoint::Systemd(name) = &listen.endpoint else {
            continue;
        };
        if !passed.contains(name.as_str()) {
            return Err(ConfigError::NoSocket {
                endpoint: listen.endpoint.clone(),
                passed: match passed.len() {
                    0 => "no socket was passed at all".to_owned(),
                    _ => format!("the names are {}", quoted(&passed)),
                },
            });
        }
        unused.remove(name.as_str());
    }
    if unused.is_empty() {
        return Ok(());
    }
    let names = quoted(&unused);
    Err(ConfigError::UnusedSockets { names })
}

/// Names may come from the environment, and hold any character.
fn quoted(names: &BTreeSet<&str>) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    quoted.join(", ")
}

/// Listens on each socket of this name. The endpoint of each is its own address, whose options are
/// checked now that its kind is known.
///
/// # Errors
/// A socket cannot be listened on, or the options are for another kind of socket.
pub(super) fn listen_on_passed(
    config: &Config,
    name: &str,
    listen: &Listen,
    options: &ListenOptions<'_>,
) -> Result<Vec<(Listen, Listener)>, ServerError> {
    let of_name = config.sockets.iter().filter(|socket| socket.name() == name);
    let listeners = of_name.map(|socket| {
        let listener = Listener::on_passed(socket, options)?;
        let listen = Listen {
            endpoint: listener.endpoint().clone(),
            ..listen.clone()
        };
        listen.check().map_err(|problem| ConfigError::Endpoint {
            endpoint: listen.endpoint.clone(),
            problem,
        })?;
        Ok((listen, listener))
    });
    listeners.collect()
}

#[cfg(all(test, unix))]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::transport::PassedSocket;

    fn check(endpoints: &[&str], names: &[&str]) -> Result<(), String> {
        let mut config = Config::default();
        let listen = endpoints
            .iter()
            .map(|text| text.parse().expect("an endpoint"));
        config.listen = listen.collect();
        let socket = || TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let sockets = names.iter().map(|name| PassedSocket::new(*name, socket()));
        config.sockets = sockets.collect();
        check_sockets(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn passed_sockets_and_endpoints_must_match_by_name() {
        assert_eq!(check(&["systemd:a", "pipe:x"], &["a", "a"]), Ok(()));
        let none = check(&["systemd:a"], &[]).expect_err("no socket");
        assert!(
            none.contains("systemd:a") && none.contains("at all"),
            "{none}"
        );
        let other = check(&["systemd:a"], &["b"]).expect_err("another name");
        assert!(other.contains("the names are \"b\""), "{other}");
        let unused = check(&["systemd:a"], &["a", "c\u{1b}", "b"]).expect_err("two are unused");
        assert!(unused.contains(r#""b", "c\u{1b}""#), "{unused}");
    }
}
