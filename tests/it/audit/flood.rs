//! Floods of refusals.

use serde_json::Value;

use super::Audited;
use crate::support::watchdog;

/// Sessions, and the frames of each that are refused.
const SESSIONS: usize = 12;
const FRAMES: u64 = 25;

#[test]
fn flood_of_refusals_becomes_ten_records_and_a_count() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    for _ in 0..SESSIONS {
        let mut client = audited.served.unauthenticated();
        for id in 0..FRAMES {
            client.publish(id, "bom dia");
            client.expect_error("not-logged-in");
        }
        client.fim();
    }
    let records = audited.stop();
    let refusals: Vec<_> = records
        .iter()
        .filter(|record| record["event"] == "refused")
        .collect();
    let counts: Vec<&Value> = refusals
        .iter()
        .map(|record| &record["count"])
        .filter(|count| count.is_u64())
        .collect();
    let single = refusals.len() - counts.len();
    let counted: u64 = counts.iter().filter_map(|count| count.as_u64()).sum();
    assert_eq!(
        single as u64 + counted,
        SESSIONS as u64 * FRAMES,
        "{records:#?}"
    );
    // A minute may end in between on a busy machine.
    assert!(
        single <= 30,
        "{single} records of {} refusals",
        refusals.len()
    );
    let count = refusals.last().expect("there are some");
    assert_eq!(
        (&count["code"], &count["reason"]),
        (&"not-logged-in".into(), &"log in first".into())
    );
    assert!(
        count["since"].is_string() && count["session"].is_null(),
        "{count}"
    );
}
