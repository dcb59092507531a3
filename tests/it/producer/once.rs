//! Each number is published once, with and without a journal.

use arauto::{Config, Retention};
use tempfile::TempDir;

use super::{answer, expect_published, expect_refused, expect_repeated, numbered};
use crate::support::{Fixture, FrameClient, publish, text};

/// A server without a journal, then one with it.
fn each_server() -> [(Fixture, Option<TempDir>); 2] {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let journal = |config: &mut Config| {
        config.storage.data = Some(folder.path().join("data"));
        config.storage.journal = Some(Retention::default());
    };
    let with_journal = Fixture::with(journal);
    [(Fixture::new(), None), (with_journal, Some(folder))]
}

/// The texts of the messages up to `last`.
fn texts(client: &mut FrameClient, last: &str) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.last().is_none_or(|text| text != last) {
        let message = client.skip_to("message");
        texts.push(message.text("body").to_owned());
    }
    texts
}

#[test]
fn repeated_message_is_answered_with_its_first_seq() {
    for (fixture, _data) in each_server() {
        let mut reader = fixture.client("reader");
        let mut ana = fixture.client("ana");
        let seqs: Vec<u64> = (1..=3)
            .map(|n| expect_published(&mut ana, "p", n))
            .collect();
        assert_eq!(seqs, [seqs[0], seqs[0] + 1, seqs[0] + 2]);
        // From another session of the user too.
        let mut again = fixture.client("ana");
        for client in [&mut ana, &mut again] {
            let repeated: Vec<u64> = (1..=3).map(|n| expect_repeated(client, "p", n)).collect();
            assert_eq!(repeated, seqs);
        }
        expect_published(&mut again, "p", 4);
        assert_eq!(expect_repeated(&mut ana, "p", 3), seqs[2]);
        assert_eq!(texts(&mut reader, "p 4"), ["p 1", "p 2", "p 3", "p 4"]);
        fixture.finish();
    }
}

#[test]
fn gap_in_the_numbers_is_out_of_order_until_it_is_filled() {
    for (fixture, _data) in each_server() {
        let mut ana = fixture.client("ana");
        expect_published(&mut ana, "p", 7);
        let message = expect_refused(&mut ana, "p", 9, "out-of-order");
        assert!(message.ends_with(" 7"), "it names the highest: {message}");
        // All at once: behind the gap everything is refused.
        for n in [9, 10, 8, 10, 9, 10] {
            ana.send(&numbered("p", n, &format!("p {n}")));
        }
        let names: Vec<String> = (0..6).map(|_| answer(&mut ana).name).collect();
        let refused = "error".to_owned();
        let published = "published".to_owned();
        let expected = [
            &refused, &refused, &published, &refused, &published, &published,
        ];
        assert_eq!(names.iter().collect::<Vec<_>>(), expected);
        fixture.finish();
    }
}

#[test]
fn producers_of_other_names_and_accounts_count_apart() {
    for (fixture, _data) in each_server() {
        let (mut ana, mut rui) = (fixture.client("ana"), fixture.client("rui"));
        let first = expect_published(&mut ana, "p", 5);
        let others = [
            expect_published(&mut ana, "q", 1),
            expect_published(&mut rui, "p", u64::MAX),
        ];
        assert!(others.iter().all(|seq| *seq > first));
        assert_eq!(expect_repeated(&mut rui, "p", 5), 0, "it is not known");
        assert_eq!(expect_repeated(&mut rui, "p", u64::MAX), others[1]);
        expect_published(&mut ana, "p", 6);
        fixture.finish();
    }
}

#[test]
fn messages_with_and_without_numbers_keep_their_order() {
    for (fixture, _data) in each_server() {
        let mut reader = fixture.client("reader");
        let mut ana = fixture.client("ana");
        for n in 1..=100 {
            ana.send(&publish(1000 + n, text(&format!("plain {n}"))));
            ana.send(&numbered("p", n, &format!("p {n}")));
            ana.send(&numbered("q", n, &format!("q {n}")));
        }
        let mut last = 0;
        for n in 1..=100 {
            for id in [1000 + n, n, n] {
                let answer = answer(&mut ana);
                assert_eq!(answer.num("id"), id);
                assert!(answer.num("seq") > last, "{answer:?}");
                last = answer.num("seq");
            }
        }
        let each = |n: u64| ["plain", "p", "q"].map(|name| format!("{name} {n}"));
        let expected: Vec<String> = (1..=100).flat_map(each).collect();
        assert_eq!(texts(&mut reader, "q 100"), expected);
        fixture.finish();
    }
}

#[test]
fn message_sent_by_two_sessions_at_once_is_published_once() {
    for (fixture, _data) in each_server() {
        let mut reader = fixture.client("reader");
        let mut clients: Vec<FrameClient> = (0..4).map(|_| fixture.client("ana")).collect();
        std::thread::scope(|scope| {
            for client in &mut clients {
                scope.spawn(move || {
                    for n in 1..=200 {
                        client.send(&numbered("p", n, &format!("p {n}")));
                    }
                    for n in 1..=200 {
                        let answer = answer(client);
                        assert_eq!((answer.is("published"), answer.num("id")), (true, n));
                    }
                });
            }
        });
        let expected: Vec<String> = (1..=200).map(|n| format!("p {n}")).collect();
        assert_eq!(texts(&mut reader, "p 200"), expected);
        reader.ping();
        fixture.finish();
    }
}

#[test]
fn welcome_lists_the_feature_and_its_limit() {
    let fixture = Fixture::with(|config| config.limits.producers = 7);
    let welcome = fixture.connected().expect("welcome");
    let features = welcome.texts("features");
    assert!(features.contains(&"producer"), "{features:?}");
    let limits = format!("{:?}", welcome.get("limits"));
    assert!(
        limits.contains("producers") && limits.contains("Integer(7)"),
        "{limits}"
    );
    fixture.finish();
}
