//! A server inside another program.

use super::support::{example, lines, printed, run, within};

#[tokio::test]
async fn embedded_server_answers_with_its_handler() {
    let test = async {
        let embed = example("embed.rs").await.expect("it needs no tools");
        let output = printed(run(embed, "").await);
        let expected = [
            "get café: unknown",
            "set café: done",
            "wait café: 3.50",
            "1 * ana joined",
            "2 * rui joined",
            "3 consola: the bakery closes",
            "4 * ana left",
            "exit 0, head 4",
        ];
        assert_eq!(lines(&output), expected);
    };
    within(test).await;
}
