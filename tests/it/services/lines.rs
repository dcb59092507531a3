//! Services in the text dialect.

use crate::support::{Fixture, TextClient};

fn member(fixture: &Fixture, user: &str) -> TextClient {
    let mut client = fixture.lines();
    client.expect("+ arauto 1");
    client.exchange(&format!("/login {user} x"), &format!("+ {user} registered"));
    client
}

#[test]
fn calls_are_made_and_answered_by_lines() {
    let fixture = Fixture::listening("?dialect=text", |_| {});
    let mut rui = member(&fixture, "rui");
    let mut ana = member(&fixture, "ana");
    rui.expect("* joined 2 ana");
    rui.exchange("/offer two\\u{20}words", "+ offered");
    ana.send_text("/ask two\\u{20}words bom dia");
    ana.send_text("/ping");
    ana.expect("+ pong");
    rui.expect("* call 1 two\\u{20}words ana bom dia");
    rui.send_text("/answer 1 boa\\ntarde");
    ana.expect("= boa\\ntarde");
    ana.send_text("/ask two\\u{20}words again");
    rui.expect("* call 2 two\\u{20}words ana again");
    rui.send_text("/fail 2 no-paper the printer is empty");
    ana.expect("- failed no-paper: the printer is empty");
    ana.exchange(
        "/ask nothing bom dia",
        "- unavailable no session offers this service",
    );
    rui.exchange("/withdraw two\\u{20}words", "+ withdrawn two\\u{20}words");
    drop((ana, rui));
    fixture.finish();
}
