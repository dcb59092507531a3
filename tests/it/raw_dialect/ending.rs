//! The stop, as raw clients see it.

use std::sync::Arc;
use std::time::Duration;

use arauto::Evidence;

use super::{KINDS, fixture, readers, rests, rows};
use crate::support::{PausedHandler, block_on, wait_until};

#[test]
fn raw_request_after_the_cut_gets_no_reply() {
    for kind in KINDS {
        let held = PausedHandler::default();
        let handler = Arc::new(held.clone());
        let fixture = fixture(kind, "", |config| config.handler = handler);
        let mut client = fixture.bare();
        client.send_text("um");
        held.wait_for_request();
        fixture.begin_stop();
        wait_until("the cut is made", || {
            let status = block_on(fixture.server.stop());
            status.is_some_and(|status| status.phase >= arauto::Phase::Requests)
        });
        client.send_text("dois");
        client.send_text("três");
        held.release();
        assert_eq!(client.rest(), ["done"], "{kind}");
        drop(client);
        let report = fixture.assert_clean();
        let row = rows(&report)[0];
        assert_eq!(
            (row.accepted, row.answered, row.refused),
            (1, 1, 2),
            "{row:?}"
        );
    }
}

#[test]
fn last_messages_arrive_despite_unread_client_input() {
    for kind in ["unix", "seqpacket"] {
        let fixture = fixture(kind, "&direction=outbound", |_| {});
        let mut readers = readers(&fixture, 4);
        for reader in &mut readers {
            reader.send(&[b'x'; 1000]);
        }
        for number in 0..1000 {
            let said = block_on(fixture.server.publish(format!("{number}")));
            said.expect("it runs");
        }
        fixture.begin_stop();
        for reader in &mut readers {
            let _ = reader.try_send(b"y"); // nobody reads it; it must cost nothing
        }
        let mut expected: Vec<_> = (0..1000).map(|number| number.to_string()).collect();
        expected.push("fim".to_owned());
        for rest in rests(readers) {
            assert_eq!(rest, expected, "{kind}");
        }
        fixture.assert_clean();
    }
}

#[test]
fn raw_reader_that_never_reads_is_reported_as_missing() {
    for kind in ["unix", "seqpacket"] {
        let fixture = fixture(kind, "&direction=outbound", |config| {
            config.timeouts.drain = Duration::from_secs(2);
        });
        let mut stalled = readers(&fixture, 1).remove(0);
        let body = "x".repeat(64 << 10);
        for _ in 0..40 {
            block_on(fixture.server.publish(body.as_str())).expect("it runs");
        }
        fixture.begin_stop();
        let report = fixture.report();
        assert_eq!(report.exit, 3, "{report:#?}");
        let row = rows(&report)[0];
        assert_eq!(row.cut, report.head);
        assert_eq!(row.missing, [(row.sent.next(), report.head)]);
        assert!(row.evidence < Evidence::Read, "{row:?}");
        // The report's `sent` is what there is to read.
        let mut heard = 0;
        while let Some(bytes) = stalled.receive() {
            heard += bytes.len();
        }
        let whole = body.len() + usize::from(!stalled.keeps_messages());
        assert_eq!(row.sent.0, (heard / whole) as u64, "{kind}");
    }
}

#[test]
fn raw_client_that_never_reads_delays_nobody() {
    let fixture = fixture("seqpacket", "", |config| {
        config.timeouts.drain = Duration::from_secs(1);
    });
    let mut asking = fixture.bare();
    for _ in 0..20 {
        asking.send(&[b'x'; 4000]);
    }
    let mut other = fixture.bare();
    other.send_text("olá");
    other.expect("OLÁ");
    drop(other);
    fixture.begin_stop();
    let report = fixture.report();
    assert!(matches!(report.exit, 0 | 3), "{report:#?}");
}
