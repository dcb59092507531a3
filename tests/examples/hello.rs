//! The program of the README.

use super::support::{example, lines, printed, run, within};

#[tokio::test]
async fn program_of_the_readme_prints_what_its_comments_say() {
    let test = async {
        // The pipe's socket is in this folder, so that no other server has the name.
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut hello = example("hello.rs").await.expect("it needs no tools");
        hello.env("XDG_RUNTIME_DIR", folder.path());
        let output = printed(run(hello, "").await);
        let lines = lines(&output);
        assert_eq!(lines[..2], ["STRASSE", "published as 2"], "{output}");
        assert!(lines[2].contains("bom dia"), "{output}");
        assert_eq!(lines[3..], ["exit 0"], "{output}");
    };
    within(test).await;
}
