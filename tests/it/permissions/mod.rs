//! Rules by `arauto users` apply to a running server: at the next login, and to live sessions
//! within 5 s. A rule that cannot be read denies every use that it may be about.

mod commands;
mod live;
mod transfer;

use serde_json::{Value, json};

use crate::support::{CommandResult, FrameClient, Served, finish, publish, text};

/// A server with accounts `rui`, an escritor, and `eva`, a leitor.
fn served() -> Served {
    let served = Served::new(&[]);
    users(&served, &["add", "rui"]).expect_success();
    users(&served, &["add", "eva", "--role", "leitor"]).expect_success();
    served
}

fn users(served: &Served, arguments: &[&str]) -> CommandResult {
    finish(&mut served.users(arguments), "")
}

fn logged_in(served: &Served, user: &str) -> FrameClient {
    let mut client = served.unauthenticated();
    client.log_in(user);
    client
}

/// The answer to a publish: `None` if it was published, else the error's message.
fn refusal(client: &mut FrameClient, id: u64) -> Option<String> {
    client.send(&publish(id, text("bom dia")));
    loop {
        match client.recv().expect("an answer") {
            answer if answer.is("published") => return None,
            answer if answer.is("error") => {
                assert_eq!((answer.text("code"), answer.num("id")), ("forbidden", id));
                return Some(answer.text("message").to_owned());
            }
            _ => {}
        }
    }
}

fn may_publish(client: &mut FrameClient) -> bool {
    refusal(client, 1).is_none()
}

/// The rules that `users rules --json` prints.
fn rules(served: &Served, arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["rules", "--json"], arguments].concat();
    let printed = users(served, &arguments).expect_success();
    let lines = printed.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("it is json"))
        .collect()
}

fn rule(user: Option<&str>, effect: &str, kind: &str, pattern: &str) -> Value {
    json!({"user": user, "effect": effect, "kind": kind, "pattern": pattern})
}
