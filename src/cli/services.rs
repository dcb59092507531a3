//! `arauto services`: prints the services that clients offer.

use std::time::Duration;

use arauto::Client;
use arauto::wire::ServiceLine;

use super::escape::one_line;
use super::exit::Failure;
use super::list::ListArgs;
use super::table::{lines, plain_table};

pub(super) async fn run(args: ListArgs) -> Result<u8, Failure> {
    let ask = async |client: &Client| Ok(client.services().await?);
    args.print(ask, |services| table(services)).await
}

fn table(services: &[ServiceLine<'_>]) -> String {
    let mut table = plain_table([
        "service", "offers", "limit", "in-work", "waiting", "answered", "failed", "p50", "p99",
    ]);
    for line in services {
        let offers = line.offers.iter();
        let offers = offers.map(|offer| format!("{}:{}", one_line(&offer.user), offer.session));
        let offers = offers.collect::<Vec<_>>().join(",");
        let limits = line.offers.iter().map(|offer| offer.limit);
        let limit = limits.sum::<Option<u64>>().filter(|_| !offers.is_empty());
        let in_work = line.offers.iter().map(|offer| offer.in_work);
        table.add_row([
            one_line(&line.service).into_owned(),
            or_dash(Some(offers).filter(|offers| !offers.is_empty())),
            or_dash(limit),
            in_work.sum::<u64>().to_string(),
            line.waiting.to_string(),
            line.answered.to_string(),
            line.failed.to_string(),
            or_dash(line.p50_us.map(time)),
            or_dash(line.p99_us.map(time)),
        ]);
    }
    format!("{}\n", lines(&table))
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn time(micros: u64) -> String {
    format!("{:?}", Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use arauto::SessionId;
    use arauto::wire::OfferLine;

    use super::*;

    fn offer(session: u64, user: &'static str, limit: Option<u64>) -> OfferLine<'static> {
        OfferLine {
            session: SessionId(session),
            user: user.into(),
            limit,
            in_work: session,
        }
    }

    fn row(offers: Vec<OfferLine<'static>>, p50_us: Option<u64>) -> Vec<String> {
        let table = table(&[ServiceLine {
            service: "upper".into(),
            offers,
            waiting: 1,
            answered: 20,
            failed: 3,
            p50_us,
            p99_us: p50_us.map(|p50| p50 * 10),
        }]);
        let row = table.lines().nth(1).expect("it has one service");
        row.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn service_is_a_row_of_words() {
        let two = vec![offer(7, "rui", Some(2)), offer(9, "eva", Some(4))];
        let expected = [
            "upper",
            "rui:7,eva:9",
            "6",
            "16",
            "1",
            "20",
            "3",
            "1.5ms",
            "15ms",
        ];
        assert_eq!(row(two, Some(1500)), expected);
        let unlimited = vec![offer(7, "rui", Some(2)), offer(9, "eva", None)];
        assert_eq!(row(unlimited, None)[2], "-");
        let none = ["upper", "-", "-", "0", "1", "20", "3", "-", "-"];
        assert_eq!(row(Vec::new(), None), none);
    }
}
