//! Numbers at a stop: what is refused is not published, and its number is still free.

use arauto::{Config, Phase, Retention};

use super::{answer, expect_published, expect_repeated, numbered};
use crate::support::{Fixture, PausedHandler};

#[test]
fn number_behind_the_cut_is_refused_and_published_by_the_next_server() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let journal = |config: &mut Config| {
        config.storage.data = Some(folder.path().join("data"));
        config.storage.journal = Some(Retention::default());
    };
    let held = PausedHandler::default();
    let handler = std::sync::Arc::new(held.clone());
    let fixture = Fixture::with(|config| {
        journal(config);
        config.handler = handler;
    });
    let mut holder = fixture.client("holder");
    let mut ana = fixture.client("ana");
    let seq = expect_published(&mut ana, "p", 1);
    holder.request(1, "hold");
    held.wait_for_request();
    fixture.begin_stop();
    ana.skip_to("stopping");
    for n in 1..=3 {
        ana.send(&numbered("p", n, &format!("p {n}")));
        let refused = answer(&mut ana);
        assert_eq!(refused.text("code"), "stopping", "{refused:?}");
    }
    held.release();
    let closing = ana.skip_to("closing");
    assert_eq!((closing.num("accepted"), closing.num("refused")), (1, 3));
    drop((ana, holder));
    let report = fixture.assert_clean();
    assert!(
        report
            .phases
            .iter()
            .any(|line| line.phase == Phase::Requests)
    );

    let fixture = Fixture::with(journal);
    let mut ana = fixture.client("ana");
    assert_eq!(expect_repeated(&mut ana, "p", 1), seq);
    expect_published(&mut ana, "p", 2);
    fixture.finish();
}

#[test]
fn numbers_in_flight_at_a_stop_are_answered_or_free() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let journal = |config: &mut Config| {
        config.storage.data = Some(folder.path().join("data"));
        config.storage.journal = Some(Retention::default());
    };
    let fixture = Fixture::with(journal);
    let mut ana = fixture.client("ana");
    for n in 1..=2000 {
        ana.send(&numbered("p", n, &format!("p {n}")));
    }
    fixture.begin_stop();
    let mut published = 0;
    let mut closing = None;
    while closing.is_none() {
        let frame = ana.recv().expect("closing is last");
        if frame.is("published") {
            published += 1;
            assert_eq!(frame.num("id"), published);
        } else if frame.is("error") {
            assert_eq!(frame.text("code"), "stopping");
        } else if frame.is("closing") {
            closing = Some(frame);
        }
    }
    assert_eq!(closing.map(|frame| frame.num("accepted")), Some(published));
    drop(ana);
    fixture.assert_clean();
    let fixture = Fixture::with(journal);
    let mut ana = fixture.client("ana");
    if published > 0 {
        expect_repeated(&mut ana, "p", published);
    }
    expect_published(&mut ana, "p", published + 1);
    fixture.finish();
}
