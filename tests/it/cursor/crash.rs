//! kill -9 under load, with readers that acknowledge: a cursor is never ahead of an ack, and each
//! reader gets every broadcast.

use std::time::Duration;

use arauto::Endpoint;

use super::{open, stored, wait_until_stored};
use crate::journal::register;
use crate::support::{FrameClient, Served, os, watchdog_for};

/// Reads until the connection breaks, and acknowledges each broadcast. Returns the seqs that were
/// read; the last one is the highest ack. `most`: the server is killed behind so many.
fn read(client: &mut FrameClient, begin: u64) -> Vec<u64> {
    let mut seqs = vec![begin];
    while let Some(frame) = client.recv() {
        if frame.is("message") || frame.is("joined") || frame.is("left") {
            let seq = frame.num("seq");
            assert_eq!(Some(&(seq - 1)), seqs.last(), "no hole, no repeat");
            seqs.push(seq);
            let ack = crate::support::Frame::new("ack", [("seq", num(seq))]);
            if client.try_send(&ack.bytes()).is_err() {
                break;
            }
        }
        assert!(!frame.is("gap"), "{frame:?}");
    }
    seqs
}

fn num(seq: u64) -> serde_cbor::Value {
    serde_cbor::Value::Integer(seq.into())
}

fn client(endpoint: &Endpoint) -> FrameClient {
    FrameClient::local(os::connect(endpoint).expect("it listens"))
}

fn kill_under_load(kills: usize) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().join("data");
    register(&data, &["ana", "rui"]);
    let database = data.join("arauto.db");
    let path = data.display().to_string();
    let arguments = ["--journal", "--no-console", "--data", &path];
    let mut served = Served::new(&arguments);
    let (mut acked, mut seen) = (0, 0);
    for kill in 0..kills {
        let endpoint = served.endpoint().clone();
        let mut rui = client(&endpoint);
        rui.expect("welcome");
        let begin = open(&mut rui, "rui", "c").num("seq");
        assert!(begin <= acked || kill == 0, "{begin} is ahead of {acked}");
        assert!(begin >= seen, "{begin} is behind {seen}, which was stored");
        let reader = std::thread::spawn(move || read(&mut rui, begin));
        let mut ana = client(&endpoint);
        ana.expect("welcome");
        ana.log_in("ana");
        let count = 20 + (kill as u64 * 37) % 200;
        let last = super::publish(&mut ana, count);
        if kill % 3 == 0 {
            // Nothing else is written meanwhile: the last ack is stored by itself.
            wait_until_stored(&database, "rui", "c", last);
        }
        served.child.kill().expect("it runs");
        served.child.wait().expect("it is a child");
        let seqs = reader.join().expect("its checks passed");
        acked = *seqs.last().expect("it has the begin");
        seen = stored(&database, "rui", "c").expect("it has a row");
        assert!(seen <= acked, "{seen} is ahead of {acked}");
        assert!(kill % 3 != 0 || seen >= last, "{seen} is behind {last}");
        drop(ana);
        served = Served::within(served.into_folder(), &arguments);
    }
    served.stop();
}

#[test]
fn cursor_is_never_ahead_of_an_ack_after_kills_under_load() {
    let _watchdog = watchdog_for(Duration::from_secs(120));
    kill_under_load(12);
}

#[test]
#[ignore = "a long run: 200 kills"]
fn cursor_is_never_ahead_of_an_ack_after_200_kills_under_load() {
    let _watchdog = watchdog_for(Duration::from_secs(900));
    kill_under_load(200);
}
