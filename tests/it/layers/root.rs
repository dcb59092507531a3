//! The entries of the repository's root.

use std::collections::BTreeSet;
use std::path::Path;

const ENTRIES: &[&str] = &[
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "benches",
    "deny.toml",
    "docs",
    "examples",
    "fuzz",
    "justfile",
    "packaging",
    "rustfmt.toml",
    "src",
    "target",
    "tests",
];

#[test]
fn root_folder_has_only_known_entries() {
    let root = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
    let names = root.expect("it is there").map(|entry| {
        let name = entry.expect("it can be read").file_name();
        name.to_string_lossy().into_owned()
    });
    let unknown: BTreeSet<String> = names
        .filter(|name| !name.starts_with('.') && !ENTRIES.contains(&name.as_str()))
        .collect();
    assert!(
        unknown.is_empty(),
        "unknown files, perhaps left by a tool: {unknown:?}"
    );
}
