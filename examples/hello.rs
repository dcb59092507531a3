//! A server and its client in one program, as the README shows it.
//!
//! ```sh
//! cargo run --example hello
//! ```

use arauto::{Client, Config, Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = Config::default();
    config.listen = vec!["pipe:hello".parse()?];
    let server = Server::start(config)?; // runs on a thread of its own
    let client = Client::connect(&"pipe:hello".parse()?).await?;
    let (ana, mut events) = client.login("ana", "segredo").await?; // registers ana
    let reply = ana.request("straße").await?;
    println!("{}", reply.as_text().unwrap_or_default()); // STRASSE
    println!("published as {}", ana.publish("bom dia").await?); // 2: ana's login was 1
    println!("{:?}", events.next().await);
    server.stop().await;
    println!("exit {}", server.stopped().await.exit); // 0: everything has arrived
    Ok(())
}
