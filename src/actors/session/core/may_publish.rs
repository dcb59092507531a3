//! Whether a client may publish: the operator's rules, and the account's role.

use crate::topic::{Permissions, RuleKind, Topic, Verdict};
use crate::wire::{Quote, Role};

/// The role decides where no rule does.
const NEEDS_ROLE: &str = "publishing needs the role escritor";

/// Decides whether a client may publish a message with this topic. `permissions` are `None` if no
/// rule is about publishing.
///
/// A matching deny rule refuses, whatever the role is. If there are allow rules one must match, and
/// then the role need not be escritor. A client without an account may not publish.
///
/// # Errors
/// Returns why it may not, for people.
pub(super) fn may_publish(
    role: Option<Role>,
    permissions: Option<&Permissions>,
    topic: Option<&Topic<'_>>,
) -> Result<(), String> {
    let Some(role) = role else {
        return Err(NEEDS_ROLE.to_owned());
    };
    let judge = |permissions: &Permissions| permissions.judge(RuleKind::Publish, topic);
    match permissions.map_or(Verdict::Unruled, judge) {
        Verdict::Allowed => Ok(()),
        Verdict::Unruled if role.may_publish() => Ok(()),
        Verdict::Unruled => Err(NEEDS_ROLE.to_owned()),
        Verdict::Denied => Err(match topic {
            Some(topic) => {
                let topic = Quote::new(topic.as_str());
                format!("the operator's rules do not allow you to publish to {topic}")
            }
            None => "the operator's rules do not allow you to publish without a topic".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::topic::{Effect, Rule, RuleSet};

    fn rules(texts: &[(Effect, &str)]) -> Permissions {
        let mut own = RuleSet::default();
        for (effect, pattern) in texts {
            own.add(&Rule {
                kind: RuleKind::Publish,
                pattern: pattern.parse().expect("the text is a pattern"),
                effect: *effect,
            });
        }
        Permissions::new("ana", Arc::default(), Arc::new(own))
    }

    fn may(role: Role, permissions: Option<&Permissions>, topic: Option<&str>) -> bool {
        let topic = topic.map(|topic| Topic::new(topic).expect("the text is a topic"));
        may_publish(Some(role), permissions, topic.as_ref()).is_ok()
    }

    #[test]
    fn role_decides_where_no_rule_does() {
        let deny = rules(&[(Effect::Deny, "a/#")]);
        for permissions in [None, Some(&deny)] {
            for topic in [None, Some("b")] {
                assert!(may(Role::Escritor, permissions, topic));
                assert!(may(Role::Admin, permissions, topic));
                assert!(!may(Role::Leitor, permissions, topic));
            }
        }
    }

    #[test]
    fn deny_rule_refuses_every_role() {
        let deny = rules(&[(Effect::Deny, "a/#"), (Effect::Allow, "#")]);
        for role in [Role::Leitor, Role::Escritor, Role::Admin] {
            assert!(!may(role, Some(&deny), Some("a/b")));
            assert!(may(role, Some(&deny), Some("b")));
            assert!(may(role, Some(&deny), None));
        }
    }

    #[test]
    fn allow_rule_must_match_and_then_the_role_is_not_asked() {
        let allow = rules(&[(Effect::Allow, "a/%u")]);
        for role in [Role::Leitor, Role::Escritor, Role::Admin] {
            assert!(may(role, Some(&allow), Some("a/ana")));
            assert!(!may(role, Some(&allow), Some("a/rui")));
            assert!(!may(role, Some(&allow), None));
        }
    }

    #[test]
    fn client_without_an_account_may_not_publish() {
        let allow = rules(&[(Effect::Allow, "#")]);
        assert!(may_publish(None, Some(&allow), None).is_err());
        assert!(may_publish(None, None, None).is_err());
    }

    #[test]
    fn refusal_names_the_topic() {
        let deny = rules(&[(Effect::Deny, "#")]);
        let refused = |topic: Option<&Topic<'_>>| {
            may_publish(Some(Role::Admin), Some(&deny), topic).expect_err("everything is denied")
        };
        let topic = Topic::new("a/\u{202e}b").expect("the text is a topic");
        assert!(refused(Some(&topic)).ends_with("publish to \"a/\\u{202e}b\""));
        assert!(refused(None).ends_with("publish without a topic"));
    }
}
