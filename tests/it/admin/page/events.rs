//! `/events`: the views that the page shows.

use std::io::{BufRead, BufReader, Write};

use serde_json::Value;

use super::super::Administered;
use crate::support::os::{self, Stream};
use crate::support::{wait_until, watchdog};

/// The most streams at once.
const STREAMS: usize = 16;

/// A stream that is read line by line.
struct Views(BufReader<Stream>);

impl Views {
    /// Opens a stream, and returns it with the first line of the answer.
    fn open(server: &Administered) -> (Views, String) {
        let mut stream = os::connect(&server.admin).expect("the admin endpoint is open");
        let request = "GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("it is open");
        let mut views = Views(BufReader::new(stream));
        let first = views.line();
        (views, first)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("it is open");
        assert!(!line.is_empty(), "the stream has ended");
        line
    }

    /// Reads the next view.
    fn next(&mut self) -> Value {
        loop {
            if let Some(view) = self.line().strip_prefix("data: ") {
                return serde_json::from_str(view).expect("it is json");
            }
        }
    }
}

#[test]
fn views_show_sessions_lags_limits_and_parts() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    ana.publish(2, "bom dia");
    ana.skip_to("published");
    let (mut views, first) = Views::open(&server);
    assert!(first.starts_with("HTTP/1.1 200"), "{first}");
    let view = views.next();
    assert_eq!(view["status"]["state"], "serving", "{view}");
    assert_eq!(view["status"]["head"], 2);
    assert_eq!(view["has_report"], true);
    assert_eq!(view["sessions"]["total"], 1);
    let row = &view["sessions"]["rows"][0];
    assert_eq!((&row["user"], row["lag"].is_u64()), (&"ana".into(), true));
    let limit = &view["limits"][0];
    assert_eq!(
        (&limit["name"], &limit["used"]),
        (&"max-sessions".into(), &1.into())
    );
    assert!(limit["most"].as_u64() > Some(1), "{limit}");
    assert!(view["counts"]["commits"].is_u64(), "{view}");
    let parts = view["status"]["parts"].as_array().expect("a list");
    assert!(parts.iter().all(|part| part["state"] == "answered"));
    let later = views.next();
    assert!(later["at_ms"].as_u64() > view["at_ms"].as_u64(), "{later}");
    drop(ana);
    server.served.stop();
}

#[test]
fn view_of_many_sessions_has_only_the_first_rows() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let clients: Vec<_> = (0..201).map(|_| server.served.unauthenticated()).collect();
    let (mut views, _) = Views::open(&server);
    let mut view = views.next();
    while view["sessions"]["total"] != 201 {
        view = views.next();
    }
    let rows = view["sessions"]["rows"].as_array().map(Vec::len);
    assert_eq!(rows, Some(200));
    drop(clients);
    server.served.stop();
}

#[test]
fn streams_beyond_the_bound_leave_the_endpoint_to_others() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let open: Vec<_> = (0..STREAMS)
        .map(|_| {
            let (views, first) = Views::open(&server);
            assert!(first.starts_with("HTTP/1.1 200"), "{first}");
            views
        })
        .collect();
    let (_, first) = Views::open(&server);
    assert!(first.starts_with("HTTP/1.1 503"), "{first}");
    assert_eq!(server.get("/livez").status, 200);
    drop(open);
    wait_until("a place is free", || {
        Views::open(&server).1.starts_with("HTTP/1.1 200")
    });
    server.served.stop();
}
