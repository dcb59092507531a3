//! A server inside another program: a table of prices that clients ask and set.
//!
//! ```sh
//! cargo run --example embed
//! ```
//!
//! It starts the server, is its own first client, stops the server and ends.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use arauto::{Answer, Body, Client, Config, Event, Handler, HandlerError, Request};
use arauto::{Server, StopReason};
use tokio::sync::watch;

/// Answers `get NAME`, `set NAME PRICE`, and `wait NAME`, whose reply comes when
/// somebody has set it.
#[derive(Default)]
struct Prices(watch::Sender<BTreeMap<String, String>>);

/// A wait must end: until it is answered, its session is served nothing else, and a
/// server that stops waits for it too.
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
    // A local endpoint that nobody else has.
    let endpoint = if cfg!(windows) {
        format!("pipe:prices-{}", std::process::id())
    } else {
        format!("unix:{}", folder.path().join("prices.sock").display())
    };
    let mut config = Config::default();
    config.listen = vec![endpoint.parse()?];
    config.handler = std::sync::Arc::new(Prices::default());
    // On a thread of its own; from here on it is used through this handle.
    let server = Server::start(config)?;
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

    // Whoever is still there, as rui is, hears all that was published before the end.
    server.stop(StopReason::Fim).await;
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
