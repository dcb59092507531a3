//! `arauto users allow`, `deny`, `forget` and `rules`: what accounts may do.

use arauto::internal::accounts::{AccountRule, Db, RuleChangeError, RuleScope};
use arauto::internal::topic::{Effect, Rule, RuleKind};
use serde_json::json;

use super::file::parse_pattern;
use super::lookup::{check_known, parse_name, report_invalid};
use crate::cli::escape::one_line;
use crate::cli::exit::{Failure, complain, sysexits};
use crate::cli::output::Output;
use crate::cli::table::{lines, plain_table};

/// The rule of a command.
#[derive(clap::Args)]
pub(super) struct RuleArgs {
    /// The rule is for all accounts, and for sessions of the raw dialect.
    #[arg(long)]
    all: bool,

    /// The user's name; left out with --all.
    name: String,

    /// The kind of use: publish, subscribe, call or offer.
    kind: String,

    /// An MQTT topic filter: `+` matches one level, `#` as the last level matches its parent and
    /// everything below, and `%u` as a whole level is the user's name. Only `#` matches a message
    /// without a topic.
    pattern: Option<String>,
}

impl RuleArgs {
    /// Returns the texts of scope, kind and pattern. The scope of all accounts is an empty text.
    fn texts(&self) -> Result<[&str; 3], Failure> {
        match (self.all, &self.pattern) {
            (false, Some(pattern)) => Ok([&self.name, &self.kind, pattern]),
            // Without a name the two others move up.
            (true, None) => Ok(["", &self.name, &self.kind]),
            (true, Some(_)) => Err(usage("give a NAME or --all, not both")),
            (false, None) => Err(usage(
                "give NAME, KIND and PATTERN, or --all, KIND and PATTERN",
            )),
        }
    }

    fn rule(&self, effect: Effect) -> Result<AccountRule, Failure> {
        let [name, kind, pattern] = self.texts()?;
        let scope = if self.all {
            RuleScope::All
        } else {
            RuleScope::Account(parse_name(name)?)
        };
        let kind = kind.parse::<RuleKind>();
        let kind = kind.map_err(|error| usage(&error.to_string()))?;
        let pattern = parse_pattern(pattern).map_err(|error| usage(&error))?;
        let rule = Rule {
            kind,
            pattern,
            effect,
        };
        Ok(AccountRule { scope, rule })
    }
}

impl From<RuleChangeError> for Failure {
    fn from(error: RuleChangeError) -> Self {
        match error {
            RuleChangeError::Store(error) => error.into(),
            refused => Failure::new(sysexits::DATAERR, refused.to_string()),
        }
    }
}

fn usage(message: &str) -> Failure {
    Failure::new(sysexits::USAGE, message)
}

/// Adds a rule.
pub(super) fn add(db: &mut Db, args: &RuleArgs, effect: Effect) -> Result<(), Failure> {
    let added = args.rule(effect)?;
    db.add_rules(std::slice::from_ref(&added))?;
    let AccountRule { scope, rule } = &added;
    let denied = AccountRule {
        scope: scope.clone(),
        rule: Rule {
            effect: Effect::Deny,
            ..rule.clone()
        },
    };
    if effect == Effect::Allow && db.rules()?.valid.contains(&denied) {
        complain(&format!(
            "there is a deny rule with the same pattern, and it wins; `arauto users forget {scope} \
             {} {}` removes both",
            rule.kind, rule.pattern
        ));
    }
    Ok(())
}

/// Removes the allow and the deny rule with a pattern.
pub(super) fn forget(db: &mut Db, args: &RuleArgs) -> Result<(), Failure> {
    let [name, kind, pattern] = args.texts()?;
    // A row may be invalid, so the texts are first taken as they are.
    if db.forget_rules(name, kind, pattern)? > 0 {
        return Ok(());
    }
    let AccountRule { scope, rule } = args.rule(Effect::Deny)?;
    let (kind, pattern) = (rule.kind, &rule.pattern);
    if db.forget_rules(scope.as_str(), kind.as_str(), pattern.as_str())? > 0 {
        return Ok(());
    }
    if let RuleScope::Account(user) = &scope {
        check_known(user, db.contains(user)?)?;
    }
    let message =
        format!("there is no rule {scope} {kind} {pattern}; `arauto users rules` prints all rules");
    Err(Failure::new(sysexits::DATAERR, message))
}

/// Prints all rules, or those that apply to one user.
pub(super) fn list(db: &mut Db, name: Option<&str>, as_json: bool) -> Result<u8, Failure> {
    let user = name.map(parse_name).transpose()?;
    if let Some(user) = &user {
        check_known(user, db.contains(user)?)?;
    }
    let rows = db.rules()?;
    let applies = |scope: Option<&RuleScope>| match (&user, scope) {
        (Some(user), Some(RuleScope::Account(of))) => user == of,
        (Some(_), None) => false,
        (None, _) | (Some(_), Some(RuleScope::All)) => true,
    };
    let rules = rows.valid.iter().filter(|row| applies(Some(&row.scope)));
    let mut out = Output::stdout();
    if as_json {
        for AccountRule { scope, rule } in rules {
            let user = match scope {
                RuleScope::All => None,
                RuleScope::Account(user) => Some(user.as_str()),
            };
            out.json(&json!({
                "user": user,
                "effect": rule.effect.as_str(),
                "kind": rule.kind.as_str(),
                "pattern": rule.pattern.as_str(),
            }))?;
        }
    } else {
        let mut table = plain_table(["user", "effect", "kind", "pattern"]);
        for AccountRule { scope, rule } in rules {
            table.add_row([
                one_line(&scope.to_string()).into_owned(),
                rule.effect.to_string(),
                rule.kind.to_string(),
                one_line(rule.pattern.as_str()).into_owned(),
            ]);
        }
        out.text(&format!("{}\n", lines(&table)))?;
    }
    let code = out.finish()?;
    let invalid = rows.invalid.into_iter();
    let invalid: Vec<_> = invalid.filter(|row| applies(row.scope.as_ref())).collect();
    report_invalid(&invalid)?;
    Ok(code)
}
