//! A journal that cannot be written.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Data, on_disk, register, seqs_up_to};
use crate::support::{
    Frame, FrameClient, Served, Stop, arauto, can_mount, os, wait_until, watchdog,
};

/// Starts `arauto serve --journal` from a shell that does something first.
fn serve_after(data: &Data, preparation: &str) -> Served {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let endpoint = os::endpoint(folder.path(), "s");
    let serve = arauto(&[]);
    let script = format!(
        "{preparation}; exec {:?} serve --journal --no-console --listen '{endpoint}' --data {:?}",
        serve.get_program(),
        data.path()
    );
    let shell = if preparation.contains("mount") {
        ["unshare", "-rm", "sh", "-c"]
    } else {
        ["sh", "-c", "eval \"$0\"", ""]
    };
    let mut command = Command::new(shell[0]);
    command.args(shell[1..].iter().filter(|word| !word.is_empty()));
    let log = std::fs::File::create(folder.path().join("log")).expect("the folder is ours");
    let child = command
        .arg(script)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("there is a shell");
    Served::once_listening(child, folder, endpoint)
}

/// Publishes, and waits for the answer.
fn publish(client: &mut FrameClient, id: u64, body: &str) -> Frame {
    client.publish(id, body);
    loop {
        let frame = client.recv().expect("the session goes on");
        if frame.is("published") || frame.is("error") {
            assert_eq!(frame.num("id"), id);
            return frame;
        }
    }
}

/// Publishes until it is refused; the bodies that were taken, by their seqs.
fn publish_until_refused(client: &mut FrameClient, body: &str) -> Vec<u64> {
    let mut taken = Vec::new();
    for id in 0.. {
        let answer = publish(client, id, body);
        if answer.is("error") {
            assert_eq!(answer.text("code"), "internal");
            assert!(
                answer.text("message").contains("not published"),
                "{answer:?}"
            );
            break;
        }
        taken.push(answer.num("seq"));
    }
    taken
}

fn still_answers(client: &mut FrameClient) {
    client.request(7, "olá");
    assert_eq!(client.skip_to("reply").text("body"), "OLÁ");
}

#[test]
fn full_disk_refuses_only_publishers_until_there_is_space() {
    let _watchdog = watchdog();
    if !can_mount() {
        return;
    }
    let data = Data::new();
    std::fs::create_dir_all(data.path()).expect("the folder is ours");
    let mount = format!(
        "mount -t tmpfs -o size=12m,mode=700 tmpfs {:?}",
        data.path()
    );
    let mut served = serve_after(&data, &mount);
    // The files as the server sees them in its own namespace.
    let inside = |path: &Path| -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", served.child.id()));
        root.join(path.strip_prefix("/").expect("it is absolute"))
    };
    let filler = inside(&data.path().join("filler"));
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let mut rui = served.unauthenticated();
    rui.log_in("rui");
    let mut tom = served.unauthenticated();
    tom.log_in("tom");
    tom.fim();
    rui.skip_to("left");
    let mut eva = served.unauthenticated();
    let first = eva.log_in("eva").num("seq");
    std::fs::write(&filler, vec![0; 7 << 20]).expect("so much fits");

    let body = "x".repeat(20_000);
    let mut taken = publish_until_refused(&mut ana, &body);
    taken.extend(publish_until_refused(&mut ana, "x"));
    assert!(!taken.is_empty(), "there was some space");
    still_answers(&mut ana);
    rui.fim(); // its `left` cannot be written
    let mut late = served.unauthenticated();
    late.send(&crate::support::login(1, "tom", crate::support::PASSWORD));
    late.expect_error("internal"); // nor can another's `joined`
    still_answers(&mut ana);

    std::fs::remove_file(&filler).expect("it is there");
    let answer = publish(&mut ana, 9, "again");
    taken.push(answer.num("seq"));
    let last = *taken.last().expect("there are some");
    let all = seqs_up_to(&mut eva, last);
    assert_eq!(
        all,
        (first + 1..=last).collect::<Vec<_>>(),
        "no hole, no repeat"
    );
    assert_eq!(all.len(), taken.len() + 1, "what was refused was not shown");
    assert_eq!(
        all.len() as u64,
        last - first,
        "rui's left came, and came first"
    );
    late.send(&crate::support::login(2, "tom", crate::support::PASSWORD));
    late.expect("logged_in");
    // SQLite would follow the path into this process's own namespace.
    let copy = tempfile::tempdir().expect("a folder can be made");
    for name in ["arauto.db", "arauto.db-wal"] {
        let from = inside(&data.path().join(name));
        std::fs::copy(from, copy.path().join(name)).expect("it is there");
    }
    let (kept, head) = on_disk(&copy.path().join("arauto.db"));
    assert_eq!((head, kept.len() as u64), (last + 1, last + 1));
    drop((ana, eva, late));
    served.send_stop(Stop::USUAL);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
}

#[test]
fn journal_in_doubt_refuses_publishers_until_restart() {
    let _watchdog = watchdog();
    let data = Data::new();
    register(&data.path(), &["ana", "eva"]);
    // A file may not grow beyond this: the write fails, but not for want of space.
    let limit = "ulimit -f 2048; trap '' XFSZ";
    let mut served = serve_after(&data, limit);
    let mut ana = served.unauthenticated();
    let stream = ana.log_in("ana").text("stream").to_owned();
    let mut eva = served.unauthenticated();
    let first = eva.log_in("eva").num("seq");
    let body = "x".repeat(20_000);
    let taken = publish_until_refused(&mut ana, &body);
    assert!(publish(&mut ana, 1, "small").is("error"), "until a restart");
    still_answers(&mut ana);
    let seen = seqs_up_to(&mut eva, *taken.last().expect("there was some room"));
    assert_eq!(
        seen,
        (first + 1..=first + taken.len() as u64).collect::<Vec<_>>()
    );
    wait_until("it is logged, once", || {
        served.log().matches("in doubt").count() == 1
    });
    served.child.kill().expect("it runs");
    served.wait();

    let again = serve_after(&data, ":");
    let mut ana = again.unauthenticated();
    super::resume(&mut ana, "ana", &stream, 0);
    let mut bodies = Vec::new();
    while bodies.last() != Some(&"again".to_owned()) {
        if bodies.is_empty() {
            ana.publish(5, "again");
        }
        let frame = ana.recv().expect("the session goes on");
        if frame.is("message") {
            assert!(frame.num("seq") <= first + taken.len() as u64 + 3);
            bodies.push(frame.text("body").to_owned());
        }
    }
    assert!(bodies.len() > taken.len(), "what was taken is there");
    drop(ana);
    again.stop();
}
