//! docs/protocol.md and the library agree on what to do about each failure.

use std::collections::HashMap;
use std::path::Path;

use arauto::{Break, ClientError, ConnectFault, ErrorCode, RetryClass};

/// The first and the last cell of each row under "Trying again".
fn rows() -> HashMap<String, String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let (_, section) = page
        .split_once("\n## Trying again\n")
        .expect("it is a section");
    let (section, _) = section.split_once("\n## ").expect("others follow");
    let rows = section.lines().filter_map(|line| {
        let cells: Vec<_> = line
            .strip_prefix("| ")?
            .strip_suffix(" |")?
            .split(" | ")
            .collect();
        let (first, last) = (cells.first()?, cells.last()?);
        let name = first
            .strip_prefix('`')
            .and_then(|name| name.strip_suffix('`'));
        Some((name.unwrap_or(first).to_owned(), (*last).to_owned()))
    });
    rows.collect()
}

#[test]
fn retry_table_lists_every_code_and_cause() {
    let rows = rows();
    let class = |name: &str| rows.get(name).map(String::as_str);
    for code in ErrorCode::ALL {
        let expected = RetryClass::of_code(*code).as_str();
        assert_eq!(class(code.as_str()), Some(expected), "{code}");
    }
    for fault in ConnectFault::ALL {
        let expected = RetryClass::of_fault(*fault).as_str();
        assert_eq!(class(fault.as_str()), Some(expected), "{fault}");
    }
    assert_eq!(
        class("revoked"),
        Some(RetryClass::of_end(&"revoked".into()).as_str())
    );
    let unknown = RetryClass::of_code(ErrorCode::Unknown);
    assert_eq!(class("any other"), Some(unknown.as_str()));
    let lost = ClientError::Lost(Break::Silent).retry_class();
    let row = "the session ended without `closing`";
    assert_eq!(class(row), Some(lost.as_str()));
}

#[test]
fn python_examples_use_the_retry_classes_of_the_library() {
    for example in ["leitor.py", "escritor.py"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples")
            .join(example);
        let source = std::fs::read_to_string(path).expect("the example is there");
        let set = |name: &str| {
            let (_, rest) = source.split_once(&format!("\n{name} = {{")).expect(name);
            let (set, _) = rest.split_once('}').expect(name);
            let mut codes: Vec<_> = set
                .split('"')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect();
            codes.sort();
            codes
        };
        for (name, class) in [
            ("RETRY", RetryClass::Retry),
            ("LOG_IN_AGAIN", RetryClass::RetryAfterLogin),
        ] {
            let of_class = |code: &&ErrorCode| RetryClass::of_code(**code) == class;
            let codes = ErrorCode::ALL.iter().filter(of_class);
            let mut codes: Vec<_> = codes.map(|code| code.as_str().to_owned()).collect();
            codes.sort();
            assert_eq!(set(name), codes, "{example} {name}");
        }
    }
}
