//! `arauto pedir`: sends requests, and prints the replies in the order of the requests.

use std::time::Duration;

use arauto::wire::raw::Direction;
use arauto::{Body, Client, ClientError, Headers, PendingReply, ServiceReply};

use super::connect::{ConnectArgs, PATIENCE, log_in_to_ask};
use super::exit::{Failure, complain};
use super::input::Input;
use super::message;
use super::output::Output;
use super::pipeline;
use super::raw::{self, RawArgs};

/// The times within which a service may have to answer.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The most bytes of a frame for a service's name and the timeout.
const SERVICE_OVERHEAD: usize = 128;

/// The most bytes of a frame for each header, beside its name and value.
const HEADER_OVERHEAD: usize = 16;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    connect: ConnectArgs,

    #[command(flatten)]
    raw: RawArgs,

    /// With --raw: end each request with a NUL.
    #[arg(long, requires = "raw")]
    nul: bool,

    /// Send the requests to this service, which another client answers.
    #[arg(long, value_name = "NAME", conflicts_with = "raw")]
    service: Option<String>,

    /// With --service: the time within which each request must be answered, in seconds or as `500ms`
    /// [default: the server's, 30 s].
    #[arg(long, value_name = "SECONDS", value_parser = timeout, requires = "service")]
    timeout: Option<Duration>,

    /// With --service: add a header to each request; may be given up to 32 times.
    #[arg(
        long = "header",
        value_name = "NAME=VALUE",
        value_parser = message::header,
        requires = "service"
    )]
    headers: Vec<(String, String)>,

    /// The requests, one an argument [default: each line of stdin, until `fim`].
    requests: Vec<String>,
}

fn timeout(text: &str) -> Result<Duration, String> {
    let time = match text.parse().map(Duration::try_from_secs_f64) {
        Ok(seconds) => seconds.map_err(|error| error.to_string())?,
        Err(_) => humantime::parse_duration(text).map_err(|error| error.to_string())?,
    };
    match (SHORTEST..=LONGEST).contains(&time) {
        true => Ok(time),
        false => Err("it must be between 1 ms and an hour".to_owned()),
    }
}

pub(super) async fn run(args: Args) -> Result<u8, Failure> {
    if let Some(pipe) = args.raw.pipe(&args.connect, Direction::Duplex)? {
        return raw::pedir(pipe, args.requests, args.nul).await;
    }
    let service = match args.service {
        Some(name) => Some(Service::new(name, args.timeout, &args.headers)?),
        None => None,
    };
    let client = log_in_to_ask(&args.connect).await?;
    let overhead = service.as_ref().map_or(0, Service::overhead);
    let longest = pipeline::longest_body(&client).saturating_sub(overhead);
    let input = Input::new(args.requests, longest)?;
    let mut replies = Replies {
        out: Output::stdout(),
        refused: None,
    };
    match &service {
        None => {
            let send = async |body| client.begin_request_patiently(body, PATIENCE).await;
            let take = |place: &str, answer| replies.take(place, answer);
            pipeline::run(&client, input, pipeline::WINDOW, send, take).await?;
        }
        Some(service) => {
            let send = async |body| service.ask(&client, body).await;
            let take = |place: &str, answer: Result<ServiceReply, ClientError>| {
                replies.take(place, answer.map(|reply| reply.body))
            };
            pipeline::run(&client, input, service.window(&client), send, take).await?;
        }
    }
    replies.out.flush()?;
    client.fim().await?;
    match replies.refused {
        None => Ok(0),
        Some(failure) => Ok(failure.code()),
    }
}

/// Prints the replies.
struct Replies {
    out: Output,
    /// The first refusal, which decides the exit code.
    refused: Option<Failure>,
}

impl Replies {
    fn take(
        &mut self,
        place: &str,
        answer: Result<Body<'static>, ClientError>,
    ) -> Result<(), Failure> {
        match answer {
            Ok(body) => self.out.body(&body),
            // The other requests go on.
            Err(error @ ClientError::Refused { .. }) => {
                let failure = Failure::from(error).at(place);
                complain(failure.message());
                self.refused.get_or_insert(failure);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The service that the requests are for.
struct Service {
    name: String,
    timeout: Option<Duration>,
    headers: Headers<'static>,
}

impl Service {
    fn new(
        name: String,
        timeout: Option<Duration>,
        arguments: &[(String, String)],
    ) -> Result<Service, Failure> {
        let mut headers = Headers::default();
        for (name, value) in message::checked_headers(arguments)? {
            headers.push(name, value);
        }
        Ok(Service {
            name,
            timeout,
            headers,
        })
    }

    /// Returns the most bytes that the service adds to a frame.
    fn overhead(&self) -> usize {
        SERVICE_OVERHEAD + self.headers.bytes() + HEADER_OVERHEAD * self.headers.len()
    }

    /// Returns how many requests may be without an answer: the server throttles more of them.
    fn window(&self, client: &Client) -> usize {
        let who = client.who_am_i();
        let limit = who.limits.get("calls").copied();
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        limit.map_or(pipeline::WINDOW, |limit| limit.clamp(1, pipeline::WINDOW))
    }

    async fn ask(
        &self,
        client: &Client,
        body: Body<'static>,
    ) -> Result<PendingReply<ServiceReply>, ClientError> {
        let mut ask = client
            .ask(&*self.name, body)
            .headers(self.headers.clone())
            .patience(PATIENCE);
        if let Some(timeout) = self.timeout {
            ask = ask.timeout(timeout);
        }
        ask.begin().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeout_is_in_seconds_or_has_a_unit() {
        let millis = |text| timeout(text).map(|time| time.as_millis());
        assert_eq!(millis("5"), Ok(5000));
        assert_eq!(millis("0.5"), Ok(500));
        assert_eq!(millis("250ms"), Ok(250));
        assert_eq!(millis("1h"), Ok(3_600_000));
        for wrong in ["0", "-1", "3601", "2h", "soon", "inf", "nan", ""] {
            assert!(millis(wrong).is_err(), "{wrong}");
        }
    }
}
