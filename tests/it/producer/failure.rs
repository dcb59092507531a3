//! Numbers while the journal cannot be written.

use std::path::Path;

use super::{answer, expect_published, expect_repeated, numbered, send};
use crate::support::{SmallDisk, can_mount, watchdog};

#[test]
fn number_refused_by_a_full_disk_is_published_once_there_is_space() {
    let _watchdog = watchdog();
    if !can_mount() {
        return;
    }
    let outside = tempfile::tempdir().expect("a folder can be made");
    let data = outside.path().join("data").display().to_string();
    let (served, disk) = SmallDisk::serve(Path::new(&data), "4m", &["--journal", "--data", &data]);
    let mut reader = served.unauthenticated();
    reader.log_in("eva");
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let first = expect_published(&mut ana, "p", 1);
    disk.fill();
    // Long messages until one is refused, each with the number behind the last one.
    let long = "x".repeat(20_000);
    let mut n = 2;
    loop {
        ana.send(&numbered("p", n, &long));
        let answer = answer(&mut ana);
        if answer.is("error") {
            assert_eq!(answer.text("code"), "internal", "{answer:?}");
            break;
        }
        n += 1;
    }
    // Whole windows, as a client sends them. What was refused may leave some room again, so the
    // first ones may be published.
    let mut refused = 0;
    while refused < 40 {
        for later in n..n + 20 {
            ana.send(&numbered("p", later, &long));
        }
        for _ in 0..20 {
            let answer = answer(&mut ana);
            if answer.is("published") {
                assert_eq!((answer.num("id"), answer.get("repeated")), (n, None));
                n += 1;
            } else {
                assert!(["internal", "out-of-order"].contains(&answer.text("code")));
                refused += 1;
            }
        }
    }
    std::fs::remove_file(disk.path("filler")).expect("it is ours");
    let later = send(&mut ana, "p", n + 1);
    assert_eq!(later.text("code"), "out-of-order", "{later:?}");
    for later in n..n + 20 {
        expect_published(&mut ana, "p", later);
    }
    expect_repeated(&mut ana, "p", n + 19);
    assert_eq!(expect_repeated(&mut ana, "p", 1), first);

    let mut bodies = 0;
    let mut last = first - 1;
    while bodies < n + 19 {
        // Each number once, in its order.
        let frame = reader.recv().expect("the session goes on");
        assert!(frame.is("message") || frame.is("joined"), "{frame:?}");
        if frame.is("message") {
            assert!(frame.num("seq") > last);
            last = frame.num("seq");
            bodies += 1;
        }
    }
    reader.ping();
    drop((ana, reader));
    served.stop();
}
