//! Checks the values of the frames of services.

use super::{bad_value, check_headers, check_label};
use crate::wire::{AnswerFrame, Offer, Request, WireError};

/// The longest time that a request may give its service, in milliseconds.
pub const LONGEST_TIMEOUT: u64 = 3_600_000;

impl Request<'_> {
    /// Checks the service's name, the timeout, the headers, and whether the keys go together.
    ///
    /// # Errors
    /// Returns `bad-value`. The message names the problem.
    pub fn check(&self) -> Result<(), WireError> {
        let Some(options) = self.options.as_deref() else {
            return Ok(());
        };
        match &options.service {
            Some(service) => check_label("service", service)?,
            None if options.timeout.is_some() => {
                return Err(bad_value("timeout needs service".to_owned()));
            }
            None if options.headers.is_some() => {
                return Err(bad_value("headers need service".to_owned()));
            }
            None => {}
        }
        if let Some(timeout) = options.timeout
            && !(1..=LONGEST_TIMEOUT).contains(&timeout)
        {
            let problem = format!("timeout is {timeout}, and 1 to {LONGEST_TIMEOUT} are allowed");
            return Err(bad_value(problem));
        }
        options.headers.as_ref().map_or(Ok(()), check_headers)
    }
}

impl Offer<'_> {
    /// Checks the service's name and the limit.
    ///
    /// # Errors
    /// Returns `bad-value`. The message names the problem.
    pub fn check(&self) -> Result<(), WireError> {
        check_label("service", &self.service)?;
        if self.limit == Some(0) {
            return Err(bad_value("limit must be 1 or more".to_owned()));
        }
        Ok(())
    }
}

impl AnswerFrame<'_> {
    /// Checks the headers.
    ///
    /// An answer has no id, so that the client cannot be told of its error, and one wrong answer is
    /// no reason to end the session and its other calls. The server treats such an answer as the
    /// failure of its call.
    ///
    /// # Errors
    /// Returns `bad-value`. The message names the problem.
    pub fn check(&self) -> Result<(), WireError> {
        match &self.result {
            Ok((_, Some(headers))) => check_headers(headers),
            Ok((_, None)) | Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::wire::{AnswerError, Body, Headers, RequestOptions};

    fn too_many_headers() -> Headers<'static> {
        let mut headers = Headers::default();
        (0..33).for_each(|n| headers.push(n.to_string(), ""));
        headers
    }

    type Change = fn(&mut RequestOptions<'static>);

    fn checked(change: Change) -> Result<(), String> {
        let mut request = Request::new(1, Body::text(""));
        let mut options = RequestOptions {
            service: Some(Cow::Borrowed("s")),
            ..RequestOptions::default()
        };
        change(&mut options);
        request.options = Some(Box::new(options));
        request.check().map_err(|error| error.to_string())
    }

    #[test]
    fn request_keys_in_their_ranges_are_accepted() {
        assert_eq!(Request::new(1, Body::text("")).check(), Ok(()));
        assert_eq!(checked(|options| options.service = None), Ok(()));
        assert_eq!(checked(|options| options.timeout = Some(1)), Ok(()));
        let longest = |options: &mut RequestOptions<'static>| {
            options.service = Some("s".repeat(64).into());
            options.timeout = Some(3_600_000);
            options.headers = Some(Headers::default());
        };
        assert_eq!(checked(longest), Ok(()));
    }

    #[test]
    fn request_key_out_of_its_range_is_named_in_the_error() {
        let bad: [(Change, &str); 7] = [
            (
                |options| options.service = Some(Cow::Borrowed("")),
                "bad-value: service has 0 bytes, and 1 to 64 are allowed",
            ),
            (
                |options| options.service = Some("s".repeat(65).into()),
                "bad-value: service has 65 bytes, and 1 to 64 are allowed",
            ),
            (
                |options| options.timeout = Some(0),
                "bad-value: timeout is 0, and 1 to 3600000 are allowed",
            ),
            (
                |options| options.timeout = Some(3_600_001),
                "bad-value: timeout is 3600001, and 1 to 3600000 are allowed",
            ),
            (
                |options| (options.service, options.timeout) = (None, Some(1)),
                "bad-value: timeout needs service",
            ),
            (
                |options| {
                    options.service = None;
                    options.headers = Some(Headers::default());
                },
                "bad-value: headers need service",
            ),
            (
                |options| options.headers = Some(too_many_headers()),
                "bad-value: there are more than 32 headers",
            ),
        ];
        for (change, problem) in bad {
            assert_eq!(checked(change), Err(problem.to_owned()));
        }
    }

    #[test]
    fn offer_out_of_its_range_is_bad_value() {
        let checked = |service: &str, limit| {
            let offer = Offer {
                id: 1,
                service: Cow::Borrowed(service),
                limit,
            };
            offer.check().map_err(|error| error.to_string())
        };
        assert_eq!(checked("s", None), Ok(()));
        assert_eq!(checked(&"s".repeat(64), Some(1)), Ok(()));
        for (service, limit, problem) in [
            ("", None, "service has 0 bytes, and 1 to 64 are allowed"),
            ("s", Some(0), "limit must be 1 or more"),
        ] {
            let expected = format!("bad-value: {problem}");
            assert_eq!(checked(service, limit), Err(expected));
        }
    }

    #[test]
    fn answer_with_too_many_headers_is_bad_value() {
        let checked = |result| {
            let checked = AnswerFrame { call: 1, result }.check();
            checked.map_err(|error| error.to_string())
        };
        let body = || Body::text("");
        assert_eq!(checked(Ok((body(), None))), Ok(()));
        assert_eq!(checked(Ok((body(), Some(Headers::default())))), Ok(()));
        let error = AnswerError {
            code: Cow::Borrowed(""),
            message: Cow::Borrowed(""),
        };
        assert_eq!(checked(Err(error)), Ok(()));
        let problem = "bad-value: there are more than 32 headers";
        let answer = checked(Ok((body(), Some(too_many_headers()))));
        assert_eq!(answer, Err(problem.to_owned()));
    }
}
