//! One manual page, in the language of man(7).

use std::fmt::Write;
use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::sections::{Section, sections};

/// Returns the name of a command's page, such as `arauto-tls-init`.
pub(super) fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

/// Returns the page of a command that was built, in ASCII: groff reads no other text by itself.
pub(super) fn page(command: &Command, parent: Option<&Command>) -> String {
    let mut page = Vec::new();
    render(command, parent, &mut page).expect("a Vec takes everything");
    let mut text = String::with_capacity(page.len());
    for c in String::from_utf8_lossy(&page).chars() {
        match c.is_ascii() {
            true => text.push(c),
            false => write!(text, "\\[u{:04X}]", u32::from(c)).expect("a String takes it"),
        }
    }
    text
}

/// Returns the command with the usage of its help, which has no long list of options, as its
/// synopsis.
fn with_short_synopsis(command: &Command) -> Command {
    let mut command = command.clone();
    let usage = command.render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    command.override_usage(usage)
}

fn render(command: &Command, parent: Option<&Command>, page: &mut Vec<u8>) -> io::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let man = Man::new(with_short_synopsis(command))
        .title(name(command).to_uppercase())
        .date("\"\"") // empty, so that builds agree; roff would leave an empty argument out
        .source(format!("arauto {version}"))
        .manual("arauto manual");
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    if command.get_arguments().any(|one| !one.is_hide_set()) {
        man.render_options_section(page)?;
    }
    if subcommands(command).next().is_some() {
        man.render_subcommands_section(page)?;
    }
    for section in sections(name(command)) {
        write_section(section, page)?;
    }
    see_also(command, parent).to_writer(page)
}

fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|one| !one.is_hide_set())
}

fn write_section(section: &Section, page: &mut Vec<u8>) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [section.heading]);
    roff.text([roman(section.text)]);
    for (term, text) in section.rows {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*text)]);
    }
    roff.to_writer(page)
}

/// Returns the section that names the pages of the command above, and of those below.
fn see_also(command: &Command, parent: Option<&Command>) -> Roff {
    let related = parent.into_iter().chain(subcommands(command));
    let related: Vec<_> = related.map(name).collect();
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    for (number, name) in related.iter().enumerate() {
        let end = match number + 1 == related.len() {
            true => "(1)",
            false => "(1),",
        };
        roff.text([bold(*name), roman(end)]);
    }
    roff
}
