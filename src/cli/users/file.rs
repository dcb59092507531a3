//! Parses the file of `arauto users import`, which `arauto users export` writes: one user or one
//! rule per line, with fields separated by tabs. The whole file is checked before anything is added.

use std::collections::HashSet;

use arauto::Role;
use arauto::UserName;
use arauto::internal::accounts::{AccountRule, Password, RuleScope, is_phc};
use arauto::internal::topic::{Effect, Rule, RuleKind, RulePattern};
use arauto::wire::Quote;

/// The contents of a file.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ImportFile {
    pub(super) users: Vec<ImportedUser>,
    pub(super) rules: Vec<ImportedRule>,
}

/// A user in the file.
#[derive(Debug, PartialEq)]
pub(super) struct ImportedUser {
    pub(super) name: UserName,
    pub(super) role: Role,
    pub(super) secret: Secret,
}

/// A rule in the file.
#[derive(Debug, PartialEq)]
pub(super) struct ImportedRule {
    /// The number of its line, from 1.
    pub(super) number: usize,
    pub(super) rule: AccountRule,
}

/// The third field of a user's line.
#[derive(Debug, PartialEq)]
pub(super) enum Secret {
    /// An argon2id hash in the PHC string format, made by another program.
    Hash(String),
    /// The password.
    Password(Password),
}

/// The prefix of a hash. No password may begin with it.
const HASH: &str = "$argon2id$";

/// The number of the wrong line, from 1, and the problem.
#[derive(Debug, thiserror::Error)]
#[error("line {number}: {problem}")]
pub(super) struct ImportError {
    number: usize,
    problem: String,
}

/// One line.
enum Line {
    User(ImportedUser),
    Rule(AccountRule),
}

/// Parses the text of a file. A line that begins with a tab has its fields behind the tab, so that
/// it is no comment where a user's name begins with `#`.
///
/// # Errors
/// A line is wrong, or names a user that an earlier line names.
pub(super) fn read(text: &str) -> Result<ImportFile, ImportError> {
    let (mut file, mut names) = (ImportFile::default(), HashSet::new());
    for (number, line) in (1..).zip(text.lines()) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |problem| ImportError { number, problem };
        match parse(line.strip_prefix('\t').unwrap_or(line)).map_err(wrong)? {
            Line::Rule(rule) => file.rules.push(ImportedRule { number, rule }),
            Line::User(user) if names.insert(user.name.clone()) => file.users.push(user),
            Line::User(user) => {
                return Err(wrong(format!("the user {} occurs twice", user.name)));
            }
        }
    }
    Ok(file)
}

fn parse(line: &str) -> Result<Line, String> {
    let (first, rest) = line.split_once('\t').unwrap_or((line, ""));
    let second = rest.split('\t').next().unwrap_or_default();
    // A user may be called `allow` or `deny`, but no kind of rule is also a role.
    match first.parse::<Effect>() {
        Ok(effect) if second.parse::<Role>().is_err() => parse_rule(effect, rest).map(Line::Rule),
        _ => parse_user(line).map(Line::User),
    }
}

fn parse_user(line: &str) -> Result<ImportedUser, String> {
    let mut fields = line.splitn(3, '\t');
    let mut field = |what: &str| {
        let missing =
            format!("the {what} is missing: a line is NAME, ROLE and PASSWORD, separated by tabs");
        fields.next().ok_or(missing)
    };
    let (name, role, password) = (field("name")?, field("role")?, field("password")?);
    Ok(ImportedUser {
        name: parse_name(name)?,
        role: role
            .parse()
            .map_err(|error: arauto::ParseError| error.to_string())?,
        secret: secret(password)?,
    })
}

/// Parses the fields of a rule's line behind `allow` or `deny`.
fn parse_rule(effect: Effect, fields: &str) -> Result<AccountRule, String> {
    let mut fields = fields.split('\t');
    let mut field = |what: &str| {
        let missing = format!(
            "the {what} is missing: a rule is {effect}, KIND, PATTERN and, for one account, NAME, \
             separated by tabs"
        );
        fields
            .next()
            .filter(|field| !field.is_empty())
            .ok_or(missing)
    };
    let (kind, pattern) = (field("kind")?, field("pattern")?);
    let kind = kind
        .parse::<RuleKind>()
        .map_err(|error| error.to_string())?;
    let pattern = parse_pattern(pattern)?;
    let scope = match (fields.next(), fields.next()) {
        (None, _) => RuleScope::All,
        (Some(name), None) => RuleScope::Account(parse_name(name)?),
        (Some(_), Some(_)) => return Err("a rule has at most four fields".to_owned()),
    };
    let rule = Rule {
        kind,
        pattern,
        effect,
    };
    Ok(AccountRule { scope, rule })
}

/// Parses a rule's pattern. The error says what is wrong with it, and where.
pub(super) fn parse_pattern(text: &str) -> Result<RulePattern, String> {
    let pattern = text.parse::<RulePattern>();
    pattern.map_err(|error| format!("the pattern {}: {error}", Quote::new(text)))
}

fn parse_name(name: &str) -> Result<UserName, String> {
    UserName::parse(name).map_err(|error| format!("{name:?}: {error}"))
}

fn secret(text: &str) -> Result<Secret, String> {
    if is_phc(text) {
        return Ok(Secret::Hash(text.to_owned()));
    }
    // Accepted as a password, it would be one that the user does not know and others may.
    if text.starts_with(HASH) {
        return Err(format!(
            "the password begins with {HASH} but is not an argon2id hash that arauto can check"
        ));
    }
    let password = Password::parse(text).map_err(|error| error.to_string())?;
    Ok(Secret::Password(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<String> {
        let file = read(text).expect("the file is right");
        let rules = file.rules.into_iter();
        rules
            .map(|ImportedRule { number, rule }| {
                let Rule {
                    kind,
                    pattern,
                    effect,
                } = rule.rule;
                format!("{number} {effect} {} {kind} {pattern}", rule.scope)
            })
            .collect()
    }

    #[test]
    fn rule_line_is_for_all_accounts_or_for_the_one_it_names() {
        let text = "allow\tpublish\ta/%u/#\n\n# x\ndeny\tsubscribe\t#\tana\n\tdeny\tcall\ta b\t#\n";
        let expected = [
            "1 allow --all publish a/%u/#",
            "4 deny ana subscribe #",
            "5 deny # call a b",
        ];
        assert_eq!(rules(text), expected);
    }

    #[test]
    fn user_called_like_an_effect_or_a_comment_is_a_user() {
        let file = read("allow\tadmin\tx\ndeny\tleitor\ty\n\t#z\tescritor\tx\n");
        let names = file.expect("the file is right").users.into_iter();
        let names: Vec<String> = names.map(|user| user.name.to_string()).collect();
        assert_eq!(names, ["allow", "deny", "#z"]);
    }

    #[test]
    fn error_in_a_rule_line_names_the_line_and_the_place() {
        let cases = [
            ("allow\n", "line 1: the kind is missing"),
            ("allow\tpublish\n", "line 1: the pattern is missing"),
            ("\nallow\tpublich\ta\n", "line 2: invalid kind \"publich\""),
            (
                "deny\tcall\ta/#/b\n",
                "line 1: the pattern \"a/#/b\": level 2 is \"#\", and further levels follow (at byte 2)",
            ),
            (
                "deny\tcall\ta/x%u\n",
                "level 2 has \"%u\" beside other characters (at byte 3)",
            ),
            ("deny\tcall\ta\ta b\n", "line 1: \"a b\""),
            (
                "deny\tcall\ta\tana\tx\n",
                "line 1: a rule has at most four fields",
            ),
        ];
        for (text, problem) in cases {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
