//! The manual pages.

use std::fs;
use std::path::Path;

use crate::support::{arauto, finish, watchdog};

/// Returns the text of a page without man(7)'s escapes, and without their definitions.
fn plain(page: &str) -> String {
    let lines = page.lines();
    let lines = lines.filter(|line| !line.starts_with(".ie ") && !line.starts_with(".el "));
    let mut text: String = lines.flat_map(|line| [line, "\n"]).collect();
    for (escape, plain) in [
        ("\\fB", ""),
        ("\\fI", ""),
        ("\\fR", ""),
        ("\\-", "-"),
        ("\\*(Aq", "'"),
    ] {
        text = text.replace(escape, plain);
    }
    text
}

#[test]
fn page_of_the_program_names_commands_codes_and_variables() {
    let _watchdog = watchdog();
    let page = plain(&finish(&mut arauto(&["man"]), "").expect_success());
    for text in [
        ".TH ARAUTO 1 \"\" \"arauto ",
        ".SH SYNOPSIS",
        "arauto-serve(1)",
        ".SH \"EXIT STATUS\"",
        ".SH ENVIRONMENT",
        "ARAUTO_PASSWORD",
        ".SH FILES",
        ".SH \"SEE ALSO\"",
    ] {
        assert!(page.contains(text), "{text:?} is not in {page}");
    }
}

#[test]
fn pages_have_the_exit_codes_of_the_docs() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    finish(arauto(&["man"]).arg(folder.path()), "").expect_success();
    for (docs, page) in [
        ("docs/commands.md", "arauto.1"),
        ("docs/running.md", "arauto-serve.1"),
    ] {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join(docs);
        let docs = fs::read_to_string(docs).expect("the page is there");
        let page = fs::read_to_string(folder.path().join(page)).expect("it is written");
        let page = plain(&page);
        let (_, status) = page
            .split_once(".SH \"EXIT STATUS\"\n")
            .expect("it is there");
        let status = status.split(".SH ").next().unwrap_or_default();
        let paged: Vec<_> = status
            .split(".TP\n")
            .skip(1)
            .filter_map(|row| row.trim_end().split_once('\n'))
            .map(|(code, text)| (code.to_owned(), text.to_owned()))
            .collect();
        let rows = docs.lines().filter_map(|line| {
            let cells = line.strip_prefix("| ")?.strip_suffix(" |")?;
            let (code, text) = cells.split_once(" | ")?;
            // The page has another table, which tells what a service manager does.
            if text.contains(" | ") {
                return None;
            }
            code.parse::<u8>().ok()?;
            Some((code.to_owned(), text.replace('`', "")))
        });
        assert_eq!(paged, rows.collect::<Vec<_>>());
    }
}

#[test]
fn page_of_each_command_is_written_into_the_folder() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut man = arauto(&["man"]);
    for _ in 0..2 {
        // The second time over the pages of the first.
        finish(man.arg(folder.path()), "").expect_success();
        man = arauto(&["man"]);
    }
    for page in [
        "arauto",
        "arauto-serve",
        "arauto-tls-init",
        "arauto-users-add",
    ] {
        let path = folder.path().join(format!("{page}.1"));
        let text = fs::read_to_string(&path).expect(page);
        assert!(plain(&text).contains(&format!(".TH {} 1", page.to_uppercase())));
        assert!(text.contains("SEE ALSO"), "{text}");
        assert!(text.is_ascii(), "{text}");
    }
    let serve = fs::read_to_string(folder.path().join("arauto-serve.1")).expect("it is there");
    for text in ["--print-config", "ARAUTO_LOG_FORM", "--max-frame"] {
        assert!(plain(&serve).contains(text), "{text}");
    }
}

#[test]
fn pages_for_a_folder_that_is_missing_exit_73() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let missing = folder.path().join("missing");
    let done = finish(arauto(&["man"]).arg(&missing), "");
    done.expect_failure(73, &["the page", "missing"]);
    let file = folder.path().join("file");
    fs::write(&file, "").expect("the folder is ours");
    finish(arauto(&["man"]).arg(&file), "").expect_failure(73, &["the page"]);
}
