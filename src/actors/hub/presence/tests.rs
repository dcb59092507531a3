use super::*;

fn user(name: &str) -> UserName {
    UserName::parse(name).expect("a name")
}

/// A presence whose announcements are shown at once, as without a journal.
struct Stage {
    presence: Presence,
    start: Instant,
    /// The announcements: the time in milliseconds, the user and the kind.
    announced: Vec<(u64, String, Change)>,
}

impl Stage {
    fn new(limits: PresenceLimits) -> Stage {
        let start = Instant::now();
        Stage {
            presence: Presence::new(limits, start),
            start,
            announced: Vec::new(),
        }
    }

    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn announce(&mut self, user: &UserName, change: Change, millis: u64) {
        self.presence.made(user, change, self.at(millis));
        self.presence.shown(user, change);
        let name = user.as_str().to_owned();
        self.announced.push((millis, name, change));
    }

    fn run_due(&mut self, millis: u64) {
        while let Some((user, change)) = self.presence.due(self.at(millis)) {
            self.announce(&user, change, millis);
        }
    }

    fn enter(&mut self, name: &str, millis: u64) {
        let user = user(name);
        if self.presence.enter(&user, self.at(millis)) == JoinAnnouncement::Needed {
            self.announce(&user, Change::Joined, millis);
        }
        self.presence.admit(&user);
    }

    fn leave(&mut self, name: &str, millis: u64) {
        let user = user(name);
        if self.presence.leave(&user, self.at(millis)) {
            self.announce(&user, Change::Left, millis);
        }
    }

    fn changes_of(&self, name: &str) -> Vec<Change> {
        let of = self.announced.iter().filter(|(_, user, _)| user == name);
        of.map(|(_, _, change)| *change).collect()
    }
}

const PLENTY: PresenceLimits = PresenceLimits { at_once: 1 << 20 };

#[test]
fn user_with_rare_changes_is_announced_immediately() {
    let mut stage = Stage::new(PLENTY);
    for visit in 0..5 {
        stage.enter("ana", visit * 3_000);
        stage.leave("ana", visit * 3_000 + 20);
    }
    let times: Vec<u64> = stage.announced.iter().map(|(at, _, _)| *at).collect();
    assert_eq!(
        times,
        [0, 20, 3000, 3020, 6000, 6020, 9000, 9020, 12000, 12020]
    );
}

#[test]
fn flapping_users_are_announced_once_a_second_in_turn() {
    let mut stage = Stage::new(PLENTY);
    for millis in (0..20_000).step_by(10) {
        stage.run_due(millis);
        if millis % 20 == 0 {
            stage.enter("ana", millis);
        } else {
            stage.leave("ana", millis);
        }
    }
    for millis in (20_000..30_000).step_by(10) {
        stage.run_due(millis);
    }
    let changes = stage.changes_of("ana");
    assert!((18..=24).contains(&changes.len()), "{changes:?}");
    for (number, change) in changes.iter().enumerate() {
        let expected = [Change::Joined, Change::Left][number % 2];
        assert_eq!(*change, expected, "number {number} of {changes:?}");
    }
    assert_eq!(changes.last(), Some(&Change::Left), "she has left");
    assert!(stage.presence.users.is_empty() && stage.presence.waiting.is_empty());
}

#[test]
fn user_back_before_its_left_is_announced_is_not_announced() {
    let mut stage = Stage::new(PLENTY);
    for millis in [0, 20] {
        stage.enter("ana", millis);
        stage.leave("ana", millis + 10);
    }
    stage.enter("ana", 40);
    assert_eq!(
        stage.presence.present(),
        [user("ana")],
        "whatever is announced"
    );
    stage.run_due(60_000);
    let joined = [Change::Joined, Change::Left, Change::Joined];
    assert_eq!(stage.changes_of("ana"), joined);
    assert_eq!(stage.presence.next_due(), None);
}

#[test]
fn present_users_are_exact_while_announcements_wait() {
    let mut stage = Stage::new(PresenceLimits { at_once: 1 });
    stage.enter("ana", 0);
    stage.enter("rui", 0);
    stage.enter("eva", 0);
    stage.leave("ana", 10);
    assert_eq!(stage.presence.present(), [user("eva"), user("rui")]);
    assert_eq!(stage.announced.len(), 1, "one each ten minutes");
    stage.leave("eva", 20);
    for minute in 1..60 {
        stage.run_due(minute * 60_000);
    }
    assert_eq!(stage.changes_of("ana"), [Change::Joined, Change::Left]);
    assert_eq!(stage.changes_of("rui"), [Change::Joined]);
    assert_eq!(
        stage.changes_of("eva"),
        [],
        "she was gone before it was her turn"
    );
    assert_eq!(stage.presence.present(), [user("rui")]);
    assert_eq!(stage.presence.users.len(), 1);
}

#[test]
fn all_users_together_are_announced_within_their_share() {
    let limits = PresenceLimits::share_of(1 << 20);
    let mut stage = Stage::new(limits);
    let millis = 600_000;
    for number in 0..millis / 10 {
        stage.run_due(number * 10);
        let name = format!("user{}", number % 5_000);
        stage.enter(&name, number * 10);
        stage.leave(&name, number * 10 + 1);
    }
    let cost = stage.announced.len() as u64 * COST;
    assert!(cost <= 2 * (1 << 20) / SHARE + 2 * COST, "{cost} bytes");
    assert!(stage.presence.users.len() <= 5_000);
}

#[test]
fn announcement_that_is_not_shown_is_repeated() {
    let mut stage = Stage::new(PLENTY);
    let ana = user("ana");
    stage.enter("ana", 0);
    assert!(stage.presence.leave(&ana, stage.at(10)));
    stage.presence.made(&ana, Change::Left, stage.at(10));
    stage.presence.undo(&ana, stage.at(20));
    let again = stage.presence.due(stage.at(20));
    assert_eq!(again, Some((ana.clone(), Change::Left)));
    stage.presence.made(&ana, Change::Left, stage.at(20));
    // She comes back while it is on its way, and neither can be shown.
    assert_eq!(
        stage.presence.enter(&ana, stage.at(30)),
        JoinAnnouncement::Needed
    );
    stage.presence.made(&ana, Change::Joined, stage.at(30));
    let second = stage.presence.enter(&ana, stage.at(30));
    assert_eq!(
        second,
        JoinAnnouncement::InFlight,
        "the others know of neither"
    );
    stage.presence.undo(&ana, stage.at(40));
    stage.presence.undo(&ana, stage.at(40));
    assert_eq!(stage.presence.due(stage.at(10_000)), None, "as before");
}
