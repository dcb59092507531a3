//! `arauto report FILE --svg OUT` and `--html OUT`.

use roxmltree::{Document, Node};

use super::{Told, of_many, path};

fn svg(told: &Told, options: &[&str]) -> String {
    let out = told.out("a.svg");
    let mut arguments = vec!["--svg", path(&out)];
    arguments.extend(options);
    assert_eq!(told.prints(&["report"], &arguments), "", "the file is all");
    std::fs::read_to_string(&out).expect("it was written")
}

fn texts(document: &Document<'_>) -> Vec<String> {
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name("text"));
    texts.map(text).collect()
}

fn text(node: Node<'_, '_>) -> String {
    let pieces = node.descendants().filter(Node::is_text);
    pieces.filter_map(|piece| piece.text()).collect()
}

/// Every number of an attribute, such as x or points.
fn numbers<'a>(document: &'a Document<'_>, name: &'a str) -> impl Iterator<Item = f64> + 'a {
    let values = document
        .descendants()
        .filter_map(move |node| node.attribute(name));
    let numbers = values.flat_map(|value| value.split([' ', ',', 'M', 'H', 'V', 'Z']));
    numbers.filter_map(|number| number.parse().ok())
}

/// Nothing that is drawn lies beside the paper.
fn assert_within(document: &Document<'_>) {
    let size = |name| {
        let size = document.root_element().attribute(name);
        size.expect("it has a size")
            .parse::<f64>()
            .expect("it is a number")
    };
    for (names, most) in [
        (["x", "cx", "points"], size("width")),
        (["y", "cy", "y2"], size("height")),
    ] {
        for name in names {
            let most = if name == "points" {
                most.max(size("height"))
            } else {
                most
            };
            let outside: Vec<f64> = numbers(document, name)
                .filter(|at| !(0.0..=most).contains(at))
                .collect();
            assert_eq!(outside, Vec::<f64>::new(), "{name} of {most}");
        }
    }
}

#[test]
fn timeline_has_a_lane_per_actor_and_a_column_per_phase() {
    let told = Told::with_a_stalled_reader();
    for width in ["960", "390"] {
        let svg = svg(&told, &["--width", width]);
        let document = Document::parse(&svg).expect("it is xml");
        assert_within(&document);
        let texts = texts(&document);
        let has = |start: &str| texts.iter().any(|text| text.starts_with(start));
        for line in &told.report.phases {
            assert!(has(line.phase.as_str()), "{}: {texts:?}", line.phase);
        }
        let session = |name: &str| format!("{} {name}", told.user(name).session);
        for name in [
            "auth",
            "hub",
            "acceptor ",
            &session("rui"),
            &session("stalled"),
        ] {
            assert!(has(name), "{name}: {texts:?}");
        }
        let stalled = told.user("stalled");
        assert!(has(&format!(
            "misses {}-{}",
            stalled.sent.next(),
            told.report.head
        )));
        let lanes = document.descendants().filter(|node| node.has_tag_name("g"));
        assert_eq!(
            lanes.count(),
            told.report.sessions.len() + told.report.actors.len()
        );
    }
}

#[test]
fn timeline_lane_has_a_mark_for_each_point() {
    let told = Told::with_a_stalled_reader();
    let svg = svg(&told, &[]);
    let document = Document::parse(&svg).expect("it is xml");
    let marks = |user: &str| {
        let name = format!("{} {user} at", told.user(user).session);
        let is_title = |node: &Node<'_, '_>| node.has_tag_name("title");
        let mut titles = document.descendants().filter(is_title);
        let title = titles.find(|title| text(*title).starts_with(&name));
        let lane = title
            .and_then(|title| title.parent())
            .expect("it has a lane");
        let shapes = lane.descendants().filter(|node| {
            let class = node.attribute("class").unwrap_or_default();
            ["ink", "line", "plum"].contains(&class)
        });
        shapes.count()
    };
    for user in ["rui", "stalled"] {
        let times = told.user(user).times_us;
        let points = [
            times.cut,
            times.last_reply,
            times.last_broadcast,
            times.closing,
            times.stopped,
        ];
        assert_eq!(marks(user), points.iter().flatten().count(), "{user}");
    }
}

#[test]
fn timeline_of_5000_sessions_has_bands() {
    let told = Told::with_a_stalled_reader();
    let told = Told::of(of_many(&told.report, 5000));
    for width in ["960", "390"] {
        let svg = svg(&told, &["--width", width]);
        let document = Document::parse(&svg).expect("it is xml");
        assert_within(&document);
        assert!(document.descendants().count() < 400, "it stays small");
        assert!(svg.len() < 100_000, "{}", svg.len());
        let texts = texts(&document);
        let has = |start: &str| texts.iter().any(|text| text.starts_with(start));
        // The three of the small stop again and again: unauthenticated, rui, stalled.
        assert!(has("3 334 complete") && has("1 666 missing"), "{texts:?}");
    }
}

#[test]
fn html_report_is_one_self_contained_file() {
    let told = Told::with_a_stalled_reader();
    let mut report = told.report;
    report.sessions[0].user = Some("<script>alert(1)</script>\u{ffff}".to_owned());
    let told = Told::of(report);
    let out = told.out("a.html");
    told.prints(&["report"], &["--html", path(&out)]);
    let page = std::fs::read_to_string(&out).expect("it was written");
    assert_eq!(page.matches("<svg").count(), 2);
    for title in [
        "phases",
        "actors",
        "sessions by outcome",
        "sessions that are not complete",
    ] {
        assert!(page.contains(&format!("<h2>{title}</h2>")), "{title}");
    }
    assert!(!page.contains("<script"), "names are text");
    let picture = svg(&told, &[]);
    Document::parse(&picture).expect("it is xml, whatever a name holds");
    for other in ["src=", "href=", "url(", "@import"] {
        assert!(!page.contains(other), "{other}");
    }
}
