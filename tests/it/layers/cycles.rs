//! No two files of the crate import each other, straight or through others.
//!
//! A file imports another where its code names an item that the other defines, in a `use`
//! declaration or in a path. Re-exports are followed to the file with the definition. So:
//!
//! - `mod child;` is no import, and neither is `pub use child::Item;` as long as the parent
//!   does not use `Item` itself: a parent may list its children and hand out their items;
//! - a child that takes an item which its parent *defines* imports the parent. If the parent
//!   also uses the child's items, that is a cycle;
//! - an item that a child takes from its parent, and that the parent only re-exports, is an
//!   import of the file that defines it.
//!
//! Tests are left out. Calls of methods are not seen: an `impl` block in another file than its
//! type's is an import of the type's file only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::source::{Segments, Source};

/// Imports that close a cycle and are to be removed. An entry that closes none fails the test.
const KNOWN: &[(&str, &str)] = &[];

/// The imports of each file, by paths from `src`.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// The module tree of one crate.
struct Tree {
    files: BTreeMap<String, Module>,
    root: String,
}

struct Module {
    source: Source,
    parent: Option<String>,
    /// A name may stand for one file on each system.
    children: BTreeMap<String, Vec<String>>,
}

impl Tree {
    /// Reads the modules from `root` on; `read` returns the text of a file, if it is there.
    fn read(root: &str, read: &dyn Fn(&str) -> Option<String>) -> Tree {
        let mut files = BTreeMap::new();
        let mut open = vec![(root.to_owned(), None)];
        while let Some((path, parent)) = open.pop() {
            let text = read(&path).unwrap_or_else(|| panic!("{path} is declared and not there"));
            let source = Source::parse(&text);
            let mut children: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (name, file) in &source.modules {
                let candidates = files_of(&path, name, file.as_deref());
                let child = candidates.into_iter().find(|child| read(child).is_some());
                let child = child.unwrap_or_else(|| panic!("{path}: mod {name} has no file"));
                open.push((child.clone(), Some(path.clone())));
                children.entry(name.clone()).or_default().push(child);
            }
            let module = Module {
                source,
                parent,
                children,
            };
            files.insert(path, module);
        }
        Tree {
            files,
            root: root.to_owned(),
        }
    }

    fn imports(&self) -> Imports {
        let of = |path: &String, module: &Module| {
            let mut imported = BTreeSet::new();
            for (name, imports) in &module.source.imports {
                let is_used = module.source.paths.iter().any(|path| path[0] == *name);
                for import in imports.iter().filter(|import| is_used || !import.is_public) {
                    self.resolve(path, &import.path, 0, &mut imported);
                }
            }
            for segments in module.source.paths.iter().filter(|path| path.len() > 1) {
                self.resolve(path, segments, 0, &mut imported);
            }
            imported.remove(path);
            imported
        };
        let files = self.files.iter();
        files
            .map(|(path, module)| (path.clone(), of(path, module)))
            .collect()
    }

    /// Adds the files that define what `segments` name in the module of `file`.
    fn resolve(&self, file: &str, segments: &[String], depth: u32, found: &mut BTreeSet<String>) {
        let Some((first, rest)) = segments.split_first().filter(|_| depth < 16) else {
            return;
        };
        let module = &self.files[file];
        match first.as_str() {
            "crate" => return self.resolve(&self.root, rest, depth + 1, found),
            "self" => return self.resolve(file, rest, depth + 1, found),
            "super" => {
                if let Some(parent) = &module.parent {
                    self.resolve(parent, rest, depth + 1, found);
                }
                return;
            }
            _ => {}
        }
        if module.source.items.contains(first) {
            found.insert(file.to_owned());
        }
        for import in module.source.imports.get(first).into_iter().flatten() {
            // `use wire::Seq` from the crate's root, and `use a::b` where `a` is of another crate.
            let is_itself = import.path.first() == Some(first) && import.path.len() == 1;
            let path: Segments = import.path.iter().chain(rest).cloned().collect();
            if !is_itself && (depth > 0 || path != segments) {
                self.resolve(file, &path, depth + 1, found);
            }
        }
        for child in module.children.get(first).into_iter().flatten() {
            self.resolve(child, rest, depth + 1, found);
        }
    }
}

/// Where the file of `mod name;` in the file `path` may be.
fn files_of(path: &str, name: &str, file: Option<&str>) -> Vec<String> {
    let (folder, own) = path.rsplit_once('/').unwrap_or(("", path));
    let prefix = |folder: &str| match folder {
        "" => String::new(),
        folder => format!("{folder}/"),
    };
    if let Some(file) = file {
        return vec![format!("{}{file}", prefix(folder))];
    }
    let folder = match own {
        "mod.rs" | "lib.rs" | "main.rs" => prefix(folder),
        own => format!("{}{}/", prefix(folder), own.trim_end_matches(".rs")),
    };
    vec![
        format!("{folder}{name}.rs"),
        format!("{folder}{name}/mod.rs"),
    ]
}

/// The groups of files that can reach each other.
fn cycles(imports: &Imports) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = imports
        .keys()
        .map(|file| (file, reachable(imports, file)))
        .collect();
    let mut cycles: Vec<BTreeSet<String>> = Vec::new();
    for (file, from_here) in &reached {
        let is_new = cycles.iter().all(|cycle| !cycle.contains(*file));
        if is_new && from_here.contains(file) {
            let both_ways = from_here
                .iter()
                .filter(|other| reached[*other].contains(file));
            cycles.push(both_ways.map(|other| (*other).clone()).collect());
        }
    }
    cycles
}

fn reachable<'a>(imports: &'a Imports, from: &str) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = imports[from].iter().collect();
    while let Some(file) = open.pop() {
        if reached.insert(file) {
            open.extend(&imports[file]);
        }
    }
    reached
}

/// Returns the problems, each in a sentence: cycles beside the `known` imports, and `known` imports
/// that close none.
fn problems(imports: &Imports, known: &[(&str, &str)]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut without = imports.clone();
    for (from, to) in known {
        let is_there = imports.get(*from).is_some_and(|files| files.contains(*to));
        if !is_there || !reachable(imports, to).iter().any(|file| file == from) {
            problems.push(format!(
                "{from} -> {to} closes no cycle: take it off the list"
            ));
        }
        if let Some(files) = without.get_mut(*from) {
            files.remove(*to);
        }
    }
    for cycle in cycles(&without) {
        let mut lines = Vec::new();
        for file in &cycle {
            for to in without[file].intersection(&cycle) {
                lines.push(format!("\n    {file} -> {to}"));
            }
        }
        problems.push(format!("files import each other:{}", lines.concat()));
    }
    problems
}

fn imports_of(files: &[(&str, &str)]) -> Imports {
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    let read = |path: &str| files.get(path).map(|text| (*text).to_owned());
    Tree::read("lib.rs", &read).imports()
}

fn cycles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let found = cycles(&imports_of(files));
    found
        .into_iter()
        .map(|cycle| cycle.into_iter().collect())
        .collect()
}

#[test]
fn files_of_the_crate_import_each_other_in_no_cycle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
    let mut imports = Tree::read("lib.rs", &read).imports();
    imports.extend(Tree::read("main.rs", &read).imports());
    assert!(imports.len() > 200, "these are the sources");
    assert!(
        imports["log/appender.rs"].contains("wire/ids.rs"),
        "through a re-export"
    );
    let problems = problems(&imports, KNOWN);
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn cycle_between_two_siblings_is_found() {
    let files = [
        ("lib.rs", "mod a;\nmod b;"),
        ("a.rs", "use crate::b::B;\npub struct A(B);"),
        ("b.rs", "pub struct B;\nfn f() -> super::a::A { todo!() }"),
    ];
    assert_eq!(cycles_of(&files), [["a.rs", "b.rs"]]);
}

#[test]
fn cycle_through_a_third_file_is_found() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\nmod c;"),
        ("a.rs", "use crate::b::B;\npub struct A(B);"),
        ("b.rs", "use crate::{c::C as D};\npub struct B(D);"),
        ("c.rs", "use crate::a;\npub struct C;\nfn f(a: a::A) {}"),
    ];
    assert_eq!(cycles_of(&files), [["a.rs", "b.rs", "c.rs"]]);
}

#[test]
fn cycle_of_a_parent_and_its_child_is_found() {
    let files = [
        ("lib.rs", "mod parent;"),
        (
            "parent/mod.rs",
            "mod child;\npub use child::Child;\npub struct Parent(Child);",
        ),
        ("parent/child.rs", "use super::Parent;\npub struct Child;"),
    ];
    assert_eq!(cycles_of(&files), [["parent/child.rs", "parent/mod.rs"]]);
}

#[test]
fn parent_that_only_re_exports_closes_no_cycle() {
    let files = [
        (
            "lib.rs",
            "mod parent;\n#[cfg(unix)]\nuse parent::Parent as _;",
        ),
        (
            "parent/mod.rs",
            "mod child;\nmod other;\npub use child::Child;\npub struct Parent;",
        ),
        (
            "parent/child.rs",
            "use super::{Parent, other::Other};\npub struct Child;",
        ),
        ("parent/other.rs", "use super::Parent;\npub struct Other;"),
    ];
    assert_eq!(cycles_of(&files), Vec::<Vec<String>>::new());
    let imports = imports_of(&files);
    assert!(imports["parent/child.rs"].contains("parent/other.rs"));
    assert!(imports["parent/mod.rs"].is_empty());
}

#[test]
fn re_export_is_followed_to_the_definition() {
    let files = [
        ("lib.rs", "mod a;\nmod b;"),
        ("a/mod.rs", "mod inner;\npub use inner::Item;"),
        ("a/inner.rs", "use crate::b::B;\npub struct Item(B);"),
        ("b.rs", "use crate::a::Item;\npub struct B;"),
    ];
    assert_eq!(cycles_of(&files), [["a/inner.rs", "b.rs"]]);
}

#[test]
fn tests_comments_and_texts_import_nothing() {
    let files = [
        ("lib.rs", "mod a;\nmod b;"),
        ("a.rs", "use crate::b::B;\npub struct A(B);"),
        (
            "b.rs",
            "//! See crate::a::A.\npub struct B;\nconst TEXT: &str = \"crate::a::A\";\n\
             const RAW: &str = r#\"crate::a::A\"#;\n/* crate::a::A */\n#[cfg(test)]\n\
             mod tests { use crate::a::A; }\n#[cfg(all(test, unix))]\nuse crate::a::A;",
        ),
    ];
    assert_eq!(cycles_of(&files), Vec::<Vec<String>>::new());
}

#[test]
fn known_cycle_passes_until_it_is_removed() {
    let files = [
        ("lib.rs", "mod a;\nmod b;"),
        ("a.rs", "use crate::b::B;\npub struct A(B);"),
        ("b.rs", "use crate::a::A;\npub struct B;"),
    ];
    let imports = imports_of(&files);
    assert_eq!(problems(&imports, &[]).len(), 1);
    assert_eq!(
        problems(&imports, &[("b.rs", "a.rs")]),
        Vec::<String>::new()
    );
    let removed = imports_of(&[files[0], files[1], ("b.rs", "pub struct B;")]);
    assert_eq!(problems(&removed, &[("b.rs", "a.rs")]).len(), 1);
    assert_eq!(
        problems(&imports, &[("b.rs", "a.rs"), ("a.rs", "c.rs")]).len(),
        1
    );
}
