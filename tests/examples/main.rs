//! Runs every file in examples/ as a user does, against a real server.

#[cfg(unix)] // unix sockets
mod classroom;
mod clients;
mod embed;
mod hello;
#[cfg_attr(windows, path = "listener/windows.rs")]
#[cfg_attr(unix, path = "listener/unix.rs")]
mod listener;
mod mycopy;
#[cfg(unix)] // the Python clients use sockets only
mod python;
mod scripted;
#[cfg(unix)] // needs SIGINT
mod services;
mod support;
#[cfg(unix)] // a shell's
mod text;

use std::fs;
use std::path::Path;

use mycopy::names;

#[test]
fn examples_each_have_a_test_and_a_readme_entry() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let readme = fs::read_to_string(folder.join("README.md")).expect("it has a README");
    let tests = concat!(
        include_str!("classroom.rs"),
        include_str!("clients.rs"),
        include_str!("python.rs"),
        include_str!("services.rs"),
        include_str!("text.rs"),
        include_str!("embed.rs"),
        include_str!("hello.rs"),
        include_str!("mycopy/mod.rs"),
    );
    for name in names(&folder).iter().filter(|name| *name != "README.md") {
        // Where an example is a folder, that is the file which cargo begins with.
        let name = &match folder.join(name).is_dir() {
            true => format!("{name}/main.rs"),
            false => name.clone(),
        };
        let call = format!("example(\"{name}\").await");
        assert!(tests.contains(&call), "no test runs examples/{name}");
        assert!(
            readme.contains(name),
            "examples/README.md does not name {name}"
        );
        let file = folder.join(name);
        let text = fs::read_to_string(&file).expect("an example is a text");
        // A copy of this folder on another system has no modes.
        #[cfg(unix)]
        assert_eq!(
            text.starts_with("#!/"),
            mycopy::mode(&file) & 0o111 != 0,
            "the mode of {name}"
        );
        assert!(text.ends_with('\n'), "{name} is whole");
    }
}
