//! Scripts by which shells complete the command line.

use crate::support::{arauto, finish, watchdog};

#[test]
fn script_of_each_shell_has_commands_and_flags() {
    let _watchdog = watchdog();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = finish(&mut arauto(&["completions", shell]), "").expect_success();
        for word in ["escritor", "max-frame-before-login", "print-config"] {
            assert!(script.contains(word), "{word} is not in that of {shell}");
        }
    }
    finish(&mut arauto(&["completions", "csh"]), "").expect_failure(64, &["csh", "fish"]);
}

#[cfg(unix)]
#[test]
fn bash_completes_commands_flags_and_values() {
    use std::process::Command;

    let _watchdog = watchdog();
    let script = finish(&mut arauto(&["completions", "bash"]), "").expect_success();
    for (line, completed) in [
        (&["arauto", "esc"][..], "escritor"),
        (&["arauto", "serve", "--max-fr"], "--max-frame-before-login"),
        (&["arauto", "tls", "fing"], "fingerprint"),
        (&["arauto", "serve", "--log", "j"], "json"),
    ] {
        // As bash calls a completion: the command, the word, and the word before it.
        let ask = "line=(\"$@\"); eval \"$(cat)\"; COMP_WORDS=(\"${line[@]}\"); \
                   COMP_CWORD=$((${#line[@]} - 1)); \
                   _arauto arauto \"${line[-1]}\" \"${line[-2]}\"; \
                   printf '%s\\n' \"${COMPREPLY[@]}\"";
        let mut bash = Command::new("bash");
        let done = finish(bash.args(["-c", ask, "bash"]).args(line), &script);
        let words = done.expect_success();
        assert!(
            words.lines().any(|word| word == completed),
            "{line:?}: {words}"
        );
    }
}
