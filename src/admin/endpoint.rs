//! Where the admin endpoint may listen.

use std::fmt;
use std::str::FromStr;

use arauto::{Access, Endpoint, EndpointError};

use super::access::Channel;

/// A local endpoint for operators, with the users who may connect to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AdminEndpoint {
    pub(super) endpoint: Endpoint,
    pub(super) access: Access,
}

/// Why a text names no admin endpoint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum AdminEndpointError {
    /// It is no endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// HTTP needs a stream of bytes on this machine.
    #[error(
        "the admin endpoint {0} must be a unix socket, a Windows pipe or a loopback address, as in \
         unix:/run/arauto/admin.sock or tcp:127.0.0.1:9180"
    )]
    Kind(Endpoint),
    /// The option is unknown.
    #[error("unknown option {option:?} of the admin endpoint {endpoint}: it may have access")]
    Option {
        /// The endpoint.
        endpoint: Endpoint,
        /// The option.
        option: String,
    },
    /// The value of `access` is wrong.
    #[error("the admin endpoint {endpoint}: {problem}")]
    Access {
        /// The endpoint.
        endpoint: Endpoint,
        /// The problem in words.
        problem: String,
    },
}

impl AdminEndpoint {
    /// Returns the endpoint.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns how its requests come.
    pub(super) fn channel(&self) -> Channel {
        match self.endpoint {
            Endpoint::Tcp { .. } => Channel::Tcp,
            _ => Channel::Local,
        }
    }
}

impl FromStr for AdminEndpoint {
    type Err = AdminEndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (endpoint, options) = text.split_once('?').unwrap_or((text, ""));
        let endpoint = endpoint.parse::<Endpoint>()?;
        let is_right = matches!(
            endpoint,
            Endpoint::Unix(_) | Endpoint::Abstract(_) | Endpoint::Pipe(_) | Endpoint::Tcp { .. }
        );
        if !is_right {
            return Err(AdminEndpointError::Kind(endpoint));
        }
        let mut access = Access::Owner;
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let Some(value) = option.strip_prefix("access=") else {
                let option = option.to_owned();
                return Err(AdminEndpointError::Option { endpoint, option });
            };
            access = value.parse().map_err(|error: arauto::ParseError| {
                let problem = error.to_string();
                let endpoint = endpoint.clone();
                AdminEndpointError::Access { endpoint, problem }
            })?;
        }
        Ok(AdminEndpoint { endpoint, access })
    }
}

impl fmt::Display for AdminEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.endpoint.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<AdminEndpoint, AdminEndpointError> {
        text.parse()
    }

    #[test]
    fn admin_endpoint_is_a_local_stream_for_its_owner_by_default() {
        for text in [
            "unix:/run/a.sock",
            "unix:@a",
            "pipe:a",
            "tcp:127.0.0.1:9180",
        ] {
            let endpoint = parse(text).expect("it is right");
            assert_eq!(
                (endpoint.to_string().as_str(), &endpoint.access),
                (text, &Access::Owner)
            );
        }
        let group = parse("unix:/run/a.sock?access=group:ops").expect("it is right");
        assert_eq!(group.access, Access::Group("ops".to_owned()));
    }

    #[test]
    fn admin_endpoint_of_another_kind_is_refused_with_an_example() {
        for text in ["tls:localhost:1", "seqpacket:/run/a.sock"] {
            let error = parse(text).expect_err("it is wrong").to_string();
            assert!(
                error.contains(text) && error.contains("tcp:127.0.0.1:9180"),
                "{error}"
            );
        }
        let error = parse("unix:/a?dialect=text").expect_err("it is wrong");
        assert!(error.to_string().contains("\"dialect=text\""), "{error}");
        let error = parse("unix:/a?access=all").expect_err("it is wrong");
        assert!(
            error.to_string().contains("owner, group:NAME or everyone"),
            "{error}"
        );
        assert!(matches!(
            parse("nowhere"),
            Err(AdminEndpointError::Endpoint(_))
        ));
    }
}
