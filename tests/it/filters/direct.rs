//! Messages for one user.

use super::{listening, post, published, refused};
use crate::support::{Fixture, publish, text};

#[test]
fn direct_message_reaches_every_session_of_its_user_and_nobody_else() {
    let fixture = Fixture::new();
    let mut rui = fixture.client("rui");
    let (mut filtered, _) = listening(&fixture, "rui", &["z"]);
    let mut ana = fixture.client("ana");
    let mut other = fixture.client("eva");
    let direct = publish(1, text("psst")).with("to", text("rui"));
    let seq = published(&mut ana, &direct);
    let behind = published(&mut ana, &post(2, "z", "for all"));
    for session in [&mut rui, &mut filtered] {
        let message = session.skip_to("message");
        let found = (message.num("seq"), message.text("to"), message.text("from"));
        assert_eq!(found, (seq, "rui", "ana"));
        assert_eq!(session.skip_to("message").num("seq"), behind);
    }
    assert_eq!(
        other.skip_to("message").num("seq"),
        behind,
        "the seq of what was not for it is skipped"
    );
    drop((rui, filtered, ana, other));
    fixture.finish();
}

#[test]
fn direct_message_to_nobody_is_refused() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    for name in ["nobody", "", "a\u{7}"] {
        let direct = publish(1, text("psst")).with("to", text(name));
        refused(&mut ana, &direct, "unknown-user");
    }
    drop(ana);
    fixture.finish();
}
