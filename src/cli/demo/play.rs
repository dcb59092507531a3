//! What happens in the demo, scene by scene.

use arauto::{Client, Event, Events, Incoming, ResumePoint, Seq, StopReason};
use tokio::task::JoinHandle;

use super::{Stage, heading, hear, say};
use crate::cli::exit::{Failure, sysexits};
use crate::cli::report::summary;
use crate::cli::show::line;

/// Messages that are more than the demo's log, the socket and a client's queue hold.
const FLOOD: usize = 4000;
const FLOOD_BYTES: usize = 1500;

pub(super) async fn play(stage: &Stage) -> Result<u8, Failure> {
    say("arauto demo: one server, and clients that connect to it as any program would");
    say(&format!("  server   {}", stage.endpoint));
    let (ana, mut ana_hears) = register(stage).await?;
    wrong_password(stage).await;
    upper_case(&ana).await?;
    let (rui, mut rui_hears) = login_notice(stage, &mut ana_hears).await?;
    broadcast(&ana, &mut ana_hears, &mut rui_hears).await?;
    let (lento, lento_hears) = stage.enter("lento", "devagar").await?;
    hear(&mut ana_hears).await?;
    hear(&mut rui_hears).await?;
    let ana_reads = read_on(ana_hears);
    let left_at = leave(rui, rui_hears).await?;
    let lento_reads = slow_reader(&ana, lento_hears).await?;
    let (rui, rui_reads) = resume(stage, &ana, left_at).await?;
    let code = fim(stage).await;
    // They read to the end, and so the server has delivered to the end.
    let readers: Vec<(Client, JoinHandle<()>)> =
        vec![(ana, ana_reads), (rui, rui_reads), (lento, lento_reads)];
    for (_, reads) in readers {
        let _ = reads.await; // a reader's panic has been printed
    }
    Ok(code)
}

async fn register(stage: &Stage) -> Result<(Client, Events), Failure> {
    heading("ana logs in for the first time, and that registers her");
    let (client, events) = stage.enter("ana", "segredo").await?;
    let who = client.who_am_i();
    say(&format!(
        "  ana      registered: {}, role: {}",
        who.registered, who.role
    ));
    Ok((client, events))
}

async fn wrong_password(stage: &Stage) {
    heading("somebody else claims to be ana");
    let refused = stage.enter("ana", "adivinha").await;
    if let Err(error) = refused {
        say(&format!("  server   {error}"));
    }
}

async fn upper_case(ana: &Client) -> Result<(), Failure> {
    heading("ana asks, and the endpoint's handler answers in upper case");
    let reply = ana.request("straße").await?;
    say(&format!(
        "  ana      straße -> {}",
        reply.as_text().unwrap_or("?")
    ));
    Ok(())
}

async fn login_notice(stage: &Stage, ana_hears: &mut Events) -> Result<(Client, Events), Failure> {
    heading("rui logs in, and everybody who is there is told");
    let entered = stage.enter("rui", "outro").await?;
    let notice = hear(ana_hears).await?;
    say(&format!("  ana      hears {}", line(&notice)));
    Ok(entered)
}

async fn broadcast(
    ana: &Client,
    ana_hears: &mut Events,
    rui_hears: &mut Events,
) -> Result<(), Failure> {
    heading("ana publishes, and everybody hears it under the same number");
    let seq = ana.publish("bom dia").await?;
    say(&format!("  ana      published {seq}"));
    for (who, events) in [("ana", ana_hears), ("rui", rui_hears)] {
        let event = hear(events).await?;
        say(&format!("  {who}      hears {}", line(&event)));
    }
    Ok(())
}

/// Rui goes; the last seq that he has read is where he comes back to.
async fn leave(rui: Client, mut rui_hears: Events) -> Result<Seq, Failure> {
    let end = rui.fim().await?;
    while rui_hears.next().await.is_some() {}
    Ok(end.last_seq)
}

async fn slow_reader(ana: &Client, mut lento_hears: Events) -> Result<JoinHandle<()>, Failure> {
    heading(&format!(
        "rui leaves; ana publishes {FLOOD} messages while lento reads nothing"
    ));
    let text = "x".repeat(FLOOD_BYTES);
    let mut answers = Vec::with_capacity(FLOOD);
    for _ in 0..FLOOD {
        answers.push(ana.begin_publish(text.as_str()).await?);
    }
    for answer in answers {
        answer.await?;
    }
    say("  ana      all published: lento held nobody up");
    let (mut heard, mut gap) = (0_u32, None);
    while gap.is_none() {
        match hear(&mut lento_hears).await? {
            Event::Gap(found) => gap = Some(found),
            _ => heard += 1,
        }
    }
    if let Some(gap) = gap {
        let (from, to) = (gap.from, gap.to);
        let count = to.0 - from.0 + 1;
        say(&format!(
            "  lento    reads {heard} that were waiting, then is told exactly"
        ));
        say(&format!(
            "           what it missed: {from} to {to}, {count} broadcasts"
        ));
    }
    Ok(read_on(lento_hears))
}

async fn resume(
    stage: &Stage,
    ana: &Client,
    left_at: Seq,
) -> Result<(Client, JoinHandle<()>), Failure> {
    heading("rui is away while ana says three things, comes back, and misses none");
    let rui = stage.enter("rui", "outro").await?.0;
    let left_at = left_at.max(rui.fim().await?.last_seq);
    let mut last = left_at;
    for text in ["um", "dois", "três"] {
        last = ana.publish(text).await?;
    }
    let from = ResumePoint {
        after: left_at,
        ..ana.who_am_i().resume_point()
    };
    let visitor = Client::connect(&stage.endpoint).await?;
    let (rui, mut events) = visitor.resume("rui", "outro", &from).await?;
    say(&format!("  rui      resumes after {left_at}"));
    loop {
        let event = hear(&mut events).await?;
        let own = matches!(&event, Event::Message { .. });
        if own {
            say(&format!("  rui      hears {}", line(&event)));
        }
        if event.seq() >= last {
            break;
        }
    }
    Ok((rui, read_on(events)))
}

/// Reads whatever comes, acknowledges it, until the end.
fn read_on(mut events: Events) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut unsaid = None;
        while let Some(incoming) = events.next().await {
            let event = match incoming {
                Incoming::Event(event) => Some(event.seq()),
                _ => None,
            };
            unsaid = event.or(unsaid);
            // One word for many: only when no other broadcast waits.
            if (event.is_none() || events.is_empty())
                && let Some(seq) = unsaid.take()
            {
                let _ = events.client().ack(seq).await; // or it is over
            }
        }
    })
}

async fn fim(stage: &Stage) -> u8 {
    heading("fim: everything that was accepted is answered and delivered, then all close");
    stage.server.stop(StopReason::Fim).await;
    let report = stage.server.stopped().await;
    heading("the report");
    for row in summary(&report).lines() {
        say(format!(" {row}").trim_end());
    }
    let code = report.exit;
    if code != 0 {
        return code.max(sysexits::SOFTWARE);
    }
    0
}
