//! The shell script, against a text endpoint.

use super::support::{Served, complaint, example, printed, run_with, url, within};

#[tokio::test]
async fn shell_script_speaks_the_text_dialect() {
    let test = async {
        let Some(script) = example("text.sh").await else {
            return;
        };
        let server = Served::start().await;
        let output = printed(run_with(script, &[&server.text(), "tia"]).await);
        let (told, unasked): (Vec<_>, Vec<_>) =
            output.lines().partition(|line| !line.starts_with('*'));
        let expected = [
            "+ arauto 1",
            "+ tia registered",
            "= BOM DIA",
            "+ present tia",
            "+ published 2",
            ". fim",
        ];
        assert_eq!(told, expected);
        // It may come before or after the answer to /publish.
        assert_eq!(unasked, ["* message 2 tia saudações de um shell script"]);
    };
    within(test).await;
}

#[tokio::test]
async fn shell_script_reports_an_error_by_its_exit_code() {
    let test = async {
        let (Some(mut wrong), Some(nowhere)) = (example("text.sh").await, example("text.sh").await)
        else {
            return;
        };
        let server = Served::start().await;
        let _witness = server.witness().await;
        wrong.env("ARAUTO_PASSWORD", "another");
        let output = run_with(wrong, &[&server.text(), "witness"]).await;
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        complaint(output, 1);
        assert!(told.contains("\n- bad-credentials "), "{told}");
        let endpoint = url(server.folder.path(), "nobody");
        let complaint = complaint(run_with(nowhere, &[&endpoint, "tia"]).await, 1);
        assert!(complaint.contains("text.sh: no socket at"), "{complaint}");
    };
    within(test).await;
}
