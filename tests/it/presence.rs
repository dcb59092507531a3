//! Who is there, and who is told of it.

use crate::support::Fixture;

#[test]
fn a_user_joins_with_the_first_session_and_leaves_with_the_last() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let mut one = fixture.client("rui");
    let mut two = fixture.client("rui");
    two.fim();
    one.fim();
    ana.publish(1, "end");
    let names: Vec<(String, String)> = ana
        .until("message")
        .iter()
        .filter(|frame| !frame.is("message") && !frame.is("published"))
        .map(|frame| (frame.name.clone(), frame.text("user").to_owned()))
        .collect();
    let rui = |name: &str| (name.to_owned(), "rui".to_owned());
    assert_eq!(names, [rui("joined"), rui("left")]);
    fixture.finish();
}

#[test]
fn who_names_each_user_once_in_order() {
    let fixture = Fixture::new();
    let clients: Vec<_> = ["rui", "ana", "eva", "ana"]
        .map(|user| fixture.client(user))
        .into();
    let mut asking = fixture.client("zoe");
    asking.ask("who", 5);
    let present = asking.skip_to("present");
    assert_eq!(present.num("id"), 5);
    assert_eq!(present.texts("users"), ["ana", "eva", "rui", "zoe"]);
    drop(clients);
    fixture.finish();
}

#[test]
fn a_broken_connection_is_a_left_like_any_other() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    drop(fixture.client("rui"));
    assert_eq!(ana.expect("joined").text("user"), "rui");
    assert_eq!(ana.expect("left").text("user"), "rui");
    fixture.finish();
}

#[test]
fn a_user_who_comes_back_joins_again() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    for _ in 0..3 {
        let mut rui = fixture.client("rui");
        rui.fim();
        ana.expect("joined");
        ana.expect("left");
    }
    fixture.finish();
}

#[test]
fn nobody_who_only_connects_is_present() {
    let fixture = Fixture::new();
    let _visitor = fixture.visitor();
    let mut ana = fixture.client("ana");
    ana.ask("who", 1);
    assert_eq!(ana.skip_to("present").texts("users"), ["ana"]);
    fixture.finish();
}

#[test]
fn a_stop_announces_nobody_as_left() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    let mut rui = fixture.client("rui");
    ana.expect("joined");
    fixture.begin_stop();
    for client in [&mut ana, &mut rui] {
        client.expect("stopping");
        client.expect("closing");
    }
    for client in [&mut ana, &mut rui] {
        client.expect_end();
    }
    fixture.assert_clean();
}
