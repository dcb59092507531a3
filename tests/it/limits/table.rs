//! docs/limits.md names each limit as the server does, with the default that it has.

use std::path::Path;

use crate::support::{arauto, finish, watchdog};

/// The key and the default of each row that has a flag.
fn rows(page: &str) -> Vec<(&str, &str)> {
    let cells = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (_what, key) = (cells.next()?, cells.next()?);
        let key = key.strip_prefix("`--")?.strip_suffix('`')?;
        Some((key, cells.next()?))
    });
    cells.collect()
}

#[test]
fn every_limit_of_the_page_is_a_flag_with_that_default() {
    let _watchdog = watchdog();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/limits.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let help = finish(&mut arauto(&["serve", "--help"]), "").fine();
    let help: String = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let rows = rows(&page);
    assert!(rows.len() >= 15, "{rows:?}");
    for (key, default) in rows {
        let (_, flag) = help
            .split_once(&format!("--{key} <"))
            .unwrap_or_else(|| panic!("no flag --{key}"));
        let flag = flag.split(" --").next().unwrap_or(flag); // and not its neighbour's
        let (_, said) = flag.split_once("[default: ").expect(flag);
        let (said, _) = said.split_once(']').expect(said);
        let said = said.split([',', ';']).next();
        assert_eq!(said, Some(default), "--{key}");
    }
}

#[test]
fn every_limit_is_a_key_of_the_config_file_too() {
    let _watchdog = watchdog();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/limits.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("arauto.toml");
    for (key, _) in rows(&page) {
        // A value that is none: the key must be known for it to be what is wrong.
        std::fs::write(&path, format!("{key} = []\n")).expect("writable");
        let mut command = arauto(&["serve", "--data", "none", "--config"]);
        let done = finish(command.arg(&path), "");
        done.failed(78, &["invalid type"]);
    }
}
