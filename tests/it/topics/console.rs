//! `/post` and `/tell` on the server's console.

use std::io::Write;

use crate::support::{Frame, Served, watchdog};

#[test]
fn console_posts_to_a_topic_and_tells_one_user() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none", "--console"]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let mut rui = served.unauthenticated();
    rui.log_in("rui");
    ana.expect("joined");
    let mut console = served.child.stdin.take().expect("it is a pipe");
    let lines = "/post a/b olá mundo\n/tell rui só tu\n/post a+ x\n/tell nobody x\n//post fim\n";
    console.write_all(lines.as_bytes()).expect("it reads");
    let keys = |message: &Frame| {
        (
            message.text("from").to_owned(),
            message.text("body").to_owned(),
        )
    };
    let said = |body: &str| ("consola".to_owned(), body.to_owned());
    let post = ana.expect("message");
    assert_eq!(
        (keys(&post), post.text("topic")),
        (said("olá mundo"), "a/b")
    );
    assert_eq!(keys(&ana.expect("message")), said("/post fim"));
    rui.expect("message");
    let direct = rui.expect("message");
    assert_eq!((keys(&direct), direct.text("to")), (said("só tu"), "rui"));
    assert_eq!(keys(&rui.expect("message")), said("/post fim"));
    console.write_all(b"fim\n").expect("it reads");
    ana.expect("stopping");
    ana.expect_closing("shutdown");
    rui.expect("stopping");
    rui.expect_closing("shutdown");
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    let log = served.log();
    assert!(
        log.contains("level 1") && log.contains("no account"),
        "{log}"
    );
}
