//! Endpoints and their options, as people write them.
//!
//! - An endpoint that was read is written, and read again, as the same.
//! - The order of the options says nothing.
//! - What is wrong is told with the text that was given.

#![no_main]

use std::collections::HashSet;

use arauto::{Endpoint, Listen};
use arauto_fuzz::memory::in_proportion;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    endpoint(text);
    match in_proportion(text.len(), || text.parse::<Listen>()) {
        Ok(listen) => {
            endpoint(&listen.endpoint.to_string());
            reordered(text, &listen);
        }
        Err(error) => quotes(&error.to_string(), text),
    }
});

fn endpoint(text: &str) {
    match in_proportion(text.len(), || text.parse::<Endpoint>()) {
        Ok(endpoint) => {
            let again: Endpoint = endpoint.to_string().parse().expect("it was one");
            assert_eq!(again, endpoint);
        }
        Err(error) => quotes(&error.to_string(), text),
    }
}

fn quotes(error: &str, text: &str) {
    let (endpoint, _) = text.split_once('?').unwrap_or((text, ""));
    let quoted = [format!("{text:?}"), format!("{endpoint:?}")];
    assert!(
        quoted.iter().any(|quoted| error.contains(quoted)),
        "{error}"
    );
    assert!(!error.contains(char::is_control), "{error:?}");
}

/// Where no option comes twice.
fn reordered(text: &str, listen: &Listen) {
    let (endpoint, options) = text.split_once('?').unwrap_or((text, ""));
    let mut options: Vec<&str> = options.split('&').collect();
    let names = options.iter().map(|option| option.split('=').next());
    let mut seen = HashSet::new();
    if !names.into_iter().all(|name| seen.insert(name)) {
        return;
    }
    options.reverse();
    let reversed = format!("{endpoint}?{}", options.join("&"));
    assert_eq!(reversed.parse::<Listen>().as_ref(), Ok(listen));
}
