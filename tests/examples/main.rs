//! Every file in examples/ runs here as a person runs it, against a real server.
#![cfg(unix)]

mod clients;
mod embed;
mod mycopy;
mod support;
mod text;

use std::fs;
use std::path::Path;

use mycopy::{mode, names};

#[test]
fn every_example_is_run_by_a_test_and_named_in_the_readme() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let readme = fs::read_to_string(folder.join("README.md")).expect("it has a README");
    let tests = concat!(
        include_str!("clients.rs"),
        include_str!("text.rs"),
        include_str!("embed.rs"),
        include_str!("mycopy.rs"),
    );
    for name in names(&folder).iter().filter(|name| *name != "README.md") {
        let call = format!("example(\"{name}\").await");
        assert!(tests.contains(&call), "no test runs examples/{name}");
        assert!(
            readme.contains(name),
            "examples/README.md does not name {name}"
        );
        let file = folder.join(name);
        let text = fs::read_to_string(&file).expect("an example is a text");
        assert_eq!(
            text.starts_with("#!/"),
            mode(&file) & 0o111 != 0,
            "the mode of {name}"
        );
    }
}
