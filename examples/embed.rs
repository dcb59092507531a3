//! A server inside another program: a table of prices that clients read and set.
//!
//! ```sh
//! cargo run --example embed
//! ```
//!
//! The program starts the server, connects to it as two clients, stops the server and exits.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use arauto::{Answer, Body, Client, Event, Handler, HandlerError, Request, Server};
use tokio::sync::watch;

/// Answers `get NAME`, `set NAME PRICE`, and `wait NAME`, which replies once the price is set.
#[derive(Default)]
struct Prices(watch::Sender<BTreeMap<String, String>>);

/// The longest time that `wait` takes. Until its reply the session gets no other answer, and a
/// stop of the server waits for it.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

impl Handler for Prices {
    fn handle(&self, request: Request<'_>) -> Answer {
        let Some(text) = request.body.as_text() else {
            return Answer::refuse(HandlerError::NotText);
        };
        match text.split(' ').collect::<Vec<_>>()[..] {
            ["get", name] => match self.0.borrow().get(name) {
                Some(price) => Answer::now(price.clone()),
                None => Answer::now("unknown"),
            },
            ["set", name, price] => {
                let (name, price) = (name.to_owned(), price.to_owned());
                self.0
                    .send_modify(|prices| drop(prices.insert(name, price)));
                Answer::now("done")
            }
            ["wait", name] => {
                let (mut prices, name) = (self.0.subscribe(), name.to_owned());
                Answer::later(async move {
                    let set = prices.wait_for(|prices| prices.contains_key(&name));
                    match tokio::time::timeout(LONGEST_WAIT, set).await {
                        Ok(Ok(prices)) => Ok(Body::from(prices[&name].clone())),
                        _ => Ok(Body::text("unknown")),
                    }
                })
            }
            _ => Answer::now("ask: get NAME, set NAME PRICE, wait NAME"),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    // A local endpoint with a unique name.
    let endpoint = if cfg!(windows) {
        format!("pipe:prices-{}", std::process::id())
    } else {
        format!("unix:{}", folder.path().join("prices.sock").display())
    };
    // The server runs on its own thread; this handle controls it.
    let server = Server::builder()
        .listen(endpoint.parse()?)
        .handler(Prices::default())
        .start()?;
    let mut feed = server.subscribe();

    let endpoint = &server.endpoints()[0];
    let (ana, _) = Client::connect(endpoint)
        .await?
        .login("ana", "segredo")
        .await?;
    let (rui, _) = Client::connect(endpoint)
        .await?
        .login("rui", "secreto")
        .await?;
    println!("get café: {}", text(&ana.request("get café").await?));
    let waiting = ana.begin_request("wait café").await?;
    println!("set café: {}", text(&rui.request("set café 3.50").await?));
    println!("wait café: {}", text(&waiting.await?));

    server.publish("the bakery closes").await?;
    ana.fim().await?;

    // Sessions that are still open, as rui's, get everything published before the stop.
    server.stop().await;
    let report = server.stopped().await;
    while let Some(event) = feed.next().await {
        match event {
            Event::Message {
                seq, from, body, ..
            } => println!("{seq} {from}: {}", text(&body)),
            Event::Joined { seq, user, .. } => println!("{seq} * {user} joined"),
            Event::Left { seq, user, .. } => println!("{seq} * {user} left"),
            other => println!("{} * {other:?}", other.seq()),
        }
    }
    println!("exit {}, head {}", report.exit, report.head);
    Ok(())
}

fn text<'a>(body: &'a Body<'_>) -> &'a str {
    body.as_text().unwrap_or("(bytes)")
}
