//! docs/report.schema.json describes a report exactly.

use serde_json::{Value, json};

use super::{of_many, stop_with_a_stalled_reader};
use crate::support::Fixture;

fn schema() -> Value {
    let text = include_str!("../../../docs/report.schema.json");
    serde_json::from_str(text).expect("the schema is json")
}

/// The schema with every field that it does not name forbidden.
fn strict(schema: &Value) -> Value {
    let Value::Object(object) = schema else {
        return schema.clone();
    };
    let inner = object.iter();
    let mut object: serde_json::Map<String, Value> = inner
        .map(|(name, value)| (name.clone(), strict(value)))
        .collect();
    if object.get("type") == Some(&json!("object")) {
        object.insert("additionalProperties".to_owned(), json!(false));
    }
    Value::Object(object)
}

#[track_caller]
fn accepts(schema: &Value, report: &Value) {
    let validator = jsonschema::validator_for(schema).expect("it is a schema");
    let errors: Vec<_> = validator
        .iter_errors(report)
        .map(|e| e.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
}

fn refuses(schema: &Value, report: &Value) -> bool {
    let validator = jsonschema::validator_for(schema).expect("it is a schema");
    !validator.is_valid(report)
}

#[test]
fn report_has_exactly_the_fields_of_the_schema() {
    let fixture = Fixture::new();
    let mut ana = fixture.client("ana");
    fixture.begin_stop();
    ana.expect("stopping");
    ana.expect_closing("shutdown");
    let mut with_all = of_many(&stop_with_a_stalled_reader(), 3);
    with_all.trouble.push(arauto::Trouble::LogUnsealed);
    with_all.sessions[0]
        .gaps
        .push((arauto::Seq(1), arauto::Seq(2)));
    let record = &mut with_all.sessions[0];
    record.gaps_unlisted_to = Some(arauto::Seq(1));
    record.missing_undecided_to = Some(arauto::Seq(2));
    record.not_for_it = 1;
    record.filter = Some(arauto::SessionFilter {
        patterns: Some(vec!["a/#".to_owned()]),
        unlisted: 1,
        since: arauto::Seq(1),
        presence: false,
    });
    record.rules = Some(arauto::SubscribeRules {
        deny: vec!["b".to_owned()],
        allow: vec!["a/%u".to_owned()],
        unlisted: 1,
        since: arauto::Seq(1),
    });
    record.withheld.push(arauto::Seq(2));
    record.withheld_unlisted_to = Some(arauto::Seq(1));
    let routes = with_all.routes.get_or_insert_default();
    routes.listed.push(arauto::RoutedBroadcast {
        seq: arauto::Seq(3),
        topic: Some("b".to_owned()),
        to: Some("ana".to_owned()),
        presence: true,
    });
    let party = arauto::CallParty {
        session: arauto::SessionId(1),
        user: "ana".to_owned(),
    };
    with_all.sessions[0].calls = Some(arauto::SessionCalls::default());
    with_all.calls = Some(arauto::RecentCalls {
        last: 1,
        unlisted: 0,
        listed: vec![arauto::RecordedCall {
            call: 1,
            service: "up".to_owned(),
            caller: party.clone(),
            responder: Some(party),
            sent: true,
            made_us: -1,
            took_us: Some(arauto::Micros(1)),
            end: Some(arauto::CallEnd::ResponderEnded),
        }],
    });
    for report in [fixture.assert_clean(), with_all] {
        let report = serde_json::to_value(report).expect("a report is json");
        accepts(&strict(&schema()), &report);
    }
}

#[test]
fn design_example_is_a_valid_report() {
    let example = json!({
        "version": 1, "reason": "fim", "exit": 3, "stream": "5f0c", "head": 812,
        "phases": [{"phase": "seal", "budget_ms": 500, "took_ms": 3, "in_time": true}],
        "sessions": [{
            "session": 7, "user": "ana", "endpoint": "unix:/run/a.sock", "reason": "shutdown",
            "accepted": 10, "answered": 10, "refused": 0, "cut": 812, "sent": 640,
            "missing": [[641, 812]], "evidence": "written"
        }],
        "a field of a later version": [1, 2, 3],
    });
    accepts(&schema(), &example);
    let report: arauto::Report = serde_json::from_value(example).expect("it is read");
    assert_eq!(report.sessions[0].missed(), 172);
}

#[test]
fn schema_refuses_invalid_reports() {
    let report = serde_json::to_value(stop_with_a_stalled_reader()).expect("a report is json");
    let wrong: [(&str, Value); 6] = [
        ("/version", json!(2)),
        ("/exit", json!(1)),
        ("/phases/0/phase", json!("lunch")),
        ("/sessions/0/evidence", json!("delivered")),
        ("/sessions/0/missing", json!([[1]])),
        ("/sessions/0/times_us/stopped", json!("soon")),
    ];
    for (place, value) in wrong {
        let mut broken = report.clone();
        let field = broken.pointer_mut(place);
        *field.unwrap_or_else(|| panic!("{place} is there")) = value;
        assert!(refuses(&schema(), &broken), "{place}");
    }
}
