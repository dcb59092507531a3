//! Acks at a stop: those that are read before the session's end are stored.

use arauto::{Config, Retention};

use super::{heard, open, publish, stored};
use crate::support::Fixture;

#[test]
fn acks_behind_the_cut_and_behind_closing_are_stored() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let start = || {
        Fixture::with(|config: &mut Config| {
            config.storage.data = Some(folder.path().join("data"));
            config.storage.journal = Some(Retention::default());
        })
    };
    let fixture = start();
    let mut ana = fixture.client("ana");
    let mut early = fixture.unauthenticated();
    open(&mut early, "rui", "early");
    let mut late = fixture.unauthenticated();
    open(&mut late, "rui", "late");
    let last = publish(&mut ana, 50);
    heard(&mut early, last);
    fixture.begin_stop();
    early.skip_to("stopping");
    early.ack(last);
    early.skip_to("closing");
    let closing = late.skip_to("closing");
    let read = closing.num("last_seq");
    assert!(read >= last);
    late.ack(read);
    drop((ana, early, late));
    fixture.assert_clean();
    let database = folder.path().join("data/arauto.db");
    assert_eq!(stored(&database, "rui", "early"), Some(last));
    assert_eq!(stored(&database, "rui", "late"), Some(read));
    let fixture = start();
    let mut late = fixture.unauthenticated();
    assert_eq!(open(&mut late, "rui", "late").num("seq"), read);
    drop(late);
    fixture.finish();
}
