//! Registrations on a full disk.

use std::path::Path;

use crate::alone;
use crate::support::{
    FrameClient, PASSWORD, Served, SmallDisk, arauto, can_mount, finish, login, run_by, watchdog,
};

/// More registrations than a full disk can take: the free space within the database's files takes
/// the first few.
const NAMES: usize = 300;

/// Returns the users that `arauto users list` prints, in the server's mount namespace.
fn listed(served: &Served, data: &Path) -> Vec<String> {
    let mut list = arauto(&["users", "--data"]);
    list.arg(data).arg("list");
    let server = served.child.id().to_string();
    let inside = [
        "nsenter",
        "-U",
        "--preserve-credentials",
        "-m",
        "-t",
        &server,
    ];
    let printed = finish(&mut run_by(&inside, list), "").expect_success();
    let names = printed.lines().skip(1);
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

/// Registers new names until one fails. Returns the registered names, and the failed one.
fn register_until_full(served: &Served, prefix: &str) -> (Vec<String>, String) {
    let mut kept = Vec::new();
    for number in 0..NAMES {
        let name = format!("{prefix}{number}");
        let mut client = served.unauthenticated();
        client.send(&login(7, &name, PASSWORD));
        let answer = client.recv().expect("it is answered");
        if answer.is("error") {
            assert_eq!(answer.text("code"), "internal", "{answer:?}");
            assert_eq!(answer.num("id"), 7);
            client.ping(); // the session is open
            return (kept, name);
        }
        assert!(answer.flag("registered"), "{answer:?}");
        kept.push(name);
    }
    panic!("{NAMES} names found room on a full disk");
}

fn works(client: &mut FrameClient) {
    client.request(1, "olá");
    assert_eq!(client.skip_to("reply").text("body"), "OLÁ");
    client.publish(2, "olá");
    client.skip_to("published");
}

#[test]
fn registration_on_a_full_disk_is_internal_and_delays_nobody() {
    let (_alone, _watchdog) = (alone(), watchdog());
    if !can_mount() {
        return;
    }
    let outside = tempfile::tempdir().expect("a folder can be made");
    let data = outside.path().join("data");
    let (served, disk) = SmallDisk::serve(&data, "1m", &["--data", &data.display().to_string()]);
    let mut ana = served.unauthenticated();
    assert!(ana.log_in("ana").flag("registered"));
    disk.fill();

    let (kept, refused) = register_until_full(&served, "nova");
    println!("{} names found room, {refused} did not", kept.len());
    works(&mut ana);
    let mut again = served.unauthenticated();
    assert!(
        !again.log_in("ana").flag("registered"),
        "who is known logs in"
    );
    works(&mut again);
    again.fim();
    let (kept_too, refused_too) = register_until_full(&served, "outra");
    assert_eq!(kept_too, Vec::<String>::new(), "it is still full");

    std::fs::remove_file(disk.path("filler")).expect("it is ours");
    let names = listed(&served, &data);
    assert!(kept.iter().all(|name| names.contains(name)), "{names:?}");
    assert!(
        !names.contains(&refused) && !names.contains(&refused_too),
        "{names:?}"
    );
    let mut late = served.unauthenticated();
    assert!(
        late.log_in(&refused).flag("registered"),
        "now there is room"
    );
    let names = listed(&served, &data);
    assert!(names.contains(&refused), "{names:?}");
    works(&mut late);
    late.fim();
    ana.fim();
    drop((ana, again, late));
    served.stop();
}
