//! Histories made by hand, in which something is wrong on purpose: the judge has to object, and to nothing else. In the plain one all is well.

use rowcast::cursor::Cursor;

use super::*;
use crate::{
    events::{Audience, REPLACEMENTS},
    moments::Timeline,
    rules::{Access, Fact, Hiding, Value, Wanted, redactions_of},
};

const ANN: Fact = Fact::Membership { user: "ann", organization: Some("o1"), role: "watcher" };
const BOB: Fact = Fact::Membership { user: "bob", organization: None, role: "watcher" };
const WATCH: Fact = Fact::Permission { role: "watcher", permission: "watch" };
const NEEDED: Fact = Fact::Requirement { event_type: "alpha" };
const CONTENT: Fact = Fact::Redaction { event_type: "alpha", field: 0 };

/// Ann watches o1, bob everything. The one event is committed from 100 to 110; streams begin at 50.
struct Story {
    facts: HashMap<Fact, Timeline<Value>>,
    history: History,
}

fn span(from: Moment, to: Moment) -> Span {
    Span { from, to }
}

impl Story {
    fn new() -> Self {
        let held = [ANN, BOB, WATCH].map(|fact| (fact, Value::Held(true)));
        let open = redactions_of("alpha").map(|fact| (fact, Value::Hides(None)));
        let facts = held.into_iter().chain(open).chain([(NEEDED, Value::Requires(None))]);
        let facts = facts.map(|(fact, value)| (fact, Timeline::new(value))).collect();
        Self { facts, history: History::default() }.written(1, Audience::Organization("o1"), span(100, 110))
    }

    fn written(mut self, number: u64, audience: Audience, commit: Span) -> Self {
        self.history.events.insert((number, "EMIT"), Event { event_type: "alpha", audience, commit });
        self.history.ids.insert(i64::try_from(number).unwrap(), (number, "EMIT"));
        self
    }

    fn so(mut self, fact: Fact, from: Moment, to: Moment, value: Value) -> Self {
        self.facts.get_mut(&fact).unwrap().change(span(from, to), value);
        self
    }

    fn told(mut self, session: Session) -> Self {
        self.history.sessions.push(session);
        self
    }

    /// What the judge objects to.
    fn offences(mut self) -> Vec<Offence> {
        self.history.access = Access::new(self.facts);
        judge(&self.history).offences.into_keys().collect()
    }
}

fn whole(number: u64) -> Item {
    shown(number, [Shown::Whole; 3])
}

fn shown(number: u64, shown: [Shown; 3]) -> Item {
    Item::Event("EMIT".into(), number, shown)
}

fn passed(id: i64) -> Item {
    Item::Cursor(Cursor::up_to(id))
}

fn wanted(user: &'static str) -> Wanted {
    Wanted { user, types: None, organization: None }
}

/// A session of this user that went on after id 0.
fn session(user: &'static str, asked: Moment, items: impl IntoIterator<Item = (Moment, Item)>) -> Session {
    let items = [(asked + 1, Item::Entered)].into_iter().chain(items).collect();
    Session { items, ..Session::new(wanted(user), 0, asked, Some(Cursor::default())) }
}

/// The one event, and then the cursor.
fn both(user: &'static str) -> Session {
    session(user, 50, [(120, whole(1)), (121, passed(1))])
}

fn only_passed(user: &'static str) -> Session {
    session(user, 50, [(121, passed(1))])
}

#[test]
fn what_is_right_is_right() {
    assert_eq!(Story::new().told(both("ann")).told(both("bob")).offences(), []);
    let no_member = Story::new().so(ANN, 60, 70, Value::Held(false));
    assert_eq!(no_member.told(only_passed("ann")).offences(), []);
}

#[test]
fn what_is_in_doubt_is_right_either_way() {
    // The revocation was under way when the event began to commit; or it came after that, and the event was on its way.
    for (from, to) in [(90, 105), (111, 115)] {
        let revoked = || Story::new().so(ANN, from, to, Value::Held(false));
        assert_eq!(revoked().told(both("ann")).offences(), []);
        assert_eq!(revoked().told(only_passed("ann")).offences(), []);
    }
}

#[test]
fn a_leak_is_found_whatever_was_taken_away() {
    let needs = Value::Requires(Some("audit"));
    for (fact, value) in [(ANN, Value::Held(false)), (NEEDED, needs)] {
        assert_eq!(Story::new().so(fact, 60, 99, value).told(both("ann")).offences(), [Offence::Leaked], "{fact:?}");
    }
    let permission =
        Story::new().so(NEEDED, 10, 20, Value::Requires(Some("watch"))).so(WATCH, 60, 99, Value::Held(false));
    assert_eq!(permission.told(both("ann")).offences(), [Offence::Leaked]);
}

#[test]
fn who_never_was_a_member_is_a_leak_too() {
    let elsewhere = || Story::new().written(2, Audience::Organization("o2"), span(100, 110));
    let told = session("ann", 50, [(120, whole(1)), (121, whole(2)), (122, passed(2))]);
    assert_eq!(elsewhere().told(told).offences(), [Offence::Leaked]);
    for audience in [Audience::Nobody, Audience::User("cid", Some("o1")), Audience::User("cid", None)] {
        let story = Story::new().written(1, audience, span(100, 110));
        assert_eq!(story.told(both("ann")).offences(), [Offence::Leaked], "{audience:?}");
    }
    let platform = Story::new().so(NEEDED, 10, 20, Value::Requires(Some("watch")));
    let platform = platform.written(1, Audience::Platform, span(100, 110));
    assert_eq!(platform.told(both("bob")).told(both("ann")).offences(), [Offence::Leaked], "held in o1 only");
}

#[test]
fn more_than_was_asked_for_is_a_leak() {
    let narrow = |wanted: Wanted| Story::new().told(Session { wanted, ..both("bob") }).offences();
    assert_eq!(narrow(Wanted { organization: Some("o2"), ..wanted("bob") }), [Offence::Leaked]);
    assert_eq!(narrow(Wanted { types: Some(["beta"].into()), ..wanted("bob") }), [Offence::Unasked]);
}

#[test]
fn a_replay_by_the_grants_of_yesterday_is_found() {
    // The server has sent what was committed after the revocation, so it knew.
    let revoked = || {
        let later = Story::new().written(2, Audience::Organization("o1"), span(140, 150));
        later.so(ANN, 120, 130, Value::Held(false)).told(session(
            "bob",
            50,
            [(120, whole(1)), (160, whole(2)), (161, passed(2))],
        ))
    };
    let replay = |asked| session("ann", asked, [(180, whole(1)), (181, passed(1))]);
    assert_eq!(revoked().told(replay(170)).offences(), [Offence::Leaked, Offence::LetIn]);
    // Another server may not have known yet.
    assert_eq!(revoked().told(Session { server: 1, ..replay(170) }).offences(), []);
    assert_eq!(revoked().told(replay(125)).offences(), []);
}

#[test]
fn what_comes_after_newer_events_of_the_same_stream_goes_by_newer_rules() {
    let story = Story::new().written(2, Audience::Platform, span(140, 150)).so(ANN, 120, 130, Value::Held(false));
    let mut stale = session("ann", 50, [(160, whole(2)), (161, whole(1)), (162, passed(2))]);
    let facts = Fact::Membership { user: "ann", organization: Some("o2"), role: "member" };
    let mut story = story;
    story.facts.insert(facts, Timeline::new(Value::Held(true)));
    stale.items.retain(|(_, item)| !matches!(item, Item::Entered));
    assert_eq!(story.told(stale).offences(), [Offence::Leaked]);
}

#[test]
fn a_loss_is_found_live_after_a_grant_and_in_a_replay() {
    assert_eq!(Story::new().told(only_passed("ann")).offences(), [Offence::Lost]);
    let granted = Story::new().so(ANN, 60, 70, Value::Held(false)).so(ANN, 80, 99, Value::Held(true));
    assert_eq!(granted.told(only_passed("ann")).offences(), [Offence::Lost]);
    let replay = session("ann", 200, [(221, passed(1))]);
    assert_eq!(Story::new().told(both("ann")).told(replay).offences(), [Offence::Lost]);
    // It is lost when the cursor passes over it, whatever comes later.
    let late = session("ann", 50, [(120, passed(1)), (121, whole(1))]);
    assert_eq!(Story::new().told(late).offences(), [Offence::Swallowed, Offence::Lost]);
}

#[test]
fn a_stream_from_the_head_owes_what_comes_after_it() {
    let from_head = |items: Vec<(Moment, Item)>| Session { after: None, ..session("ann", 50, items) };
    assert_eq!(Story::new().told(from_head(vec![(52, passed(0)), (121, passed(1))])).offences(), [Offence::Lost]);
    assert_eq!(Story::new().told(from_head(vec![(121, passed(1))])).offences(), []);
}

#[test]
fn a_claim_of_what_is_not_committed_is_found() {
    assert_eq!(Story::new().told(session("ann", 50, [(90, whole(1))])).offences(), [Offence::ClaimedEarly]);
    assert_eq!(
        Story::new().told(session("ann", 50, [(90, passed(1)), (120, whole(1))])).offences(),
        [Offence::Swallowed, Offence::ClaimedEarly]
    );
}

#[test]
fn fields_are_found_that_are_shown_otherwise_than_they_must_be() {
    let hiding = |replacement| Value::Hides(Some(Hiding { unless: "audit", replacement }));
    let look = |content, fact: Option<Value>| {
        let event = shown(1, [content, Shown::Whole, Shown::Whole]);
        let told = session("ann", 50, [(120, event), (121, passed(1))]);
        let story = Story::new();
        let story = match fact {
            Some(value) => story.so(CONTENT, 60, 99, value),
            None => story,
        };
        story.told(told).offences()
    };
    let filtered = Shown::Replaced(REPLACEMENTS[0]);
    assert_eq!(look(Shown::Whole, None), []);
    assert_eq!(look(Shown::Removed, Some(hiding(None))), []);
    assert_eq!(look(filtered, Some(hiding(Some(REPLACEMENTS[0])))), []);
    let watching = Value::Hides(Some(Hiding { unless: "watch", replacement: None }));
    assert_eq!(look(Shown::Whole, Some(watching)), []);
    for (shown, fact) in [
        (Shown::Whole, Some(hiding(None))),
        (Shown::Removed, Some(hiding(Some(REPLACEMENTS[0])))),
        (filtered, Some(hiding(Some(REPLACEMENTS[1])))),
        (Shown::Removed, None),
        (Shown::Removed, Some(watching)),
    ] {
        assert_eq!(look(shown, fact), [Offence::WronglyShown], "{shown:?} {fact:?}");
    }
}

#[test]
fn what_was_never_committed_or_says_something_else_is_found() {
    let told = |item| session("ann", 50, [(119, item), (120, whole(1)), (121, passed(1))]);
    assert_eq!(Story::new().told(told(whole(2))).offences(), [Offence::Invented], "rolled back");
    assert_eq!(Story::new().told(told(Item::Garbled("{}".into()))).offences(), [Offence::Invented]);
    assert_eq!(
        Story::new().told(told(Item::Event("DELETE".into(), 1, [Shown::Whole; 3]))).offences(),
        [Offence::Invented]
    );
}

#[test]
fn what_is_not_in_the_outbox_or_only_there_is_found() {
    let mut lost = Story::new();
    lost.history.ids.clear();
    assert_eq!(lost.offences(), [Offence::NotCaptured]);
    let mut rolled_back = Story::new();
    rolled_back.history.events.clear();
    assert_eq!(rolled_back.offences(), [Offence::NotCaptured]);
}

#[test]
fn refusals_go_by_the_same_rules() {
    let refused = |wanted: Wanted| Session { wanted, items: vec![(60, Item::Refused)], ..session("ann", 50, []) };
    let revoked = |from, to| Story::new().so(ANN, from, to, Value::Held(false));
    assert_eq!(Story::new().told(refused(wanted("ann"))).offences(), [Offence::Refused]);
    assert_eq!(revoked(55, 70).told(refused(wanted("ann"))).offences(), []);
    assert_eq!(Story::new().told(refused(Wanted { organization: Some("o2"), ..wanted("ann") })).offences(), []);
    let needs = Story::new().so(NEEDED, 10, 20, Value::Requires(Some("audit")));
    assert_eq!(needs.told(refused(Wanted { types: Some(["alpha"].into()), ..wanted("ann") })).offences(), []);
    let sent_away = session("ann", 50, [(60, Item::Revoked)]);
    assert_eq!(Story::new().told(sent_away.clone()).offences(), [Offence::Refused]);
    assert_eq!(revoked(55, 58).told(sent_away).offences(), []);
}

#[test]
fn what_there_is_no_reason_for_is_found() {
    let reset = session("ann", 50, [(60, Item::Unexpected("reset".into()))]);
    assert_eq!(Story::new().told(reset).offences(), [Offence::Unexpected]);
}

/// A second event, of another type, and streams on which that type is asked for.
mod changes {
    use super::*;

    /// Event 1 is alpha and comes from 100 to 110; event 2 is beta, from 200 to 210.
    fn story() -> Story {
        let mut story = Story::new().written(2, Audience::Organization("o1"), span(200, 210));
        story.history.events.get_mut(&(2, "EMIT")).unwrap().event_type = "beta";
        let open = redactions_of("beta").map(|fact| (fact, Timeline::new(Value::Hides(None))));
        story
            .facts
            .extend(open.chain([(Fact::Requirement { event_type: "beta" }, Timeline::new(Value::Requires(None)))]));
        story
    }

    fn changed(asked: Moment, ask: Ask, sent: &[&str]) -> Item {
        Item::Changed(Change { asked, ask, answer: Some(sent.iter().map(|&name| name.into()).collect()) })
    }

    fn now(asked: Moment, name: &'static str) -> Item {
        changed(asked, Ask::Subscribe { types: [name].into(), since: None }, &["alpha", "beta"])
    }

    fn since(asked: Moment, name: &'static str, id: i64) -> Item {
        let ask = Ask::Subscribe { types: [name].into(), since: Some(Cursor::up_to(id)) };
        changed(asked, ask, &["alpha", "beta"])
    }

    fn without(asked: Moment, name: &'static str, sent: &[&str]) -> Item {
        changed(asked, Ask::Unsubscribe { types: [name].into() }, sent)
    }

    /// A stream of these types, which begins after id 0.
    fn of(types: &[&'static str], items: impl IntoIterator<Item = (Moment, Item)>) -> Session {
        let types = Some(types.iter().copied().collect());
        Session { wanted: Wanted { types, ..wanted("ann") }, ..session("ann", 50, items) }
    }

    fn offences(session: Session) -> Vec<Offence> {
        story().told(session).offences()
    }

    #[test]
    fn what_commits_after_the_answer_has_to_come_and_nothing_older() {
        let told = |asked, answered, event: Option<u64>| {
            let change = [(answered, now(asked, "beta"))];
            let came = event.map(|number| (220, whole(number)));
            let before = [(120, whole(1)), (121, passed(1))];
            let items: Vec<_> = before.into_iter().chain(change).chain(came).chain([(221, passed(2))]).collect();
            of(&["alpha"], items)
        };
        assert_eq!(offences(told(150, 160, Some(2))), []);
        assert_eq!(offences(told(150, 160, None)), [Offence::Lost]);
        assert_eq!(offences(told(211, 215, Some(2))), [Offence::Unasked], "it had committed before");
        assert_eq!(offences(told(211, 215, None)), []);
        // Whatever commits meanwhile is right either way.
        assert_eq!(offences(told(190, 205, Some(2))), []);
        assert_eq!(offences(told(190, 205, None)), []);
    }

    #[test]
    fn nothing_comes_that_commits_after_the_end_of_a_type_was_answered() {
        let told = |asked, answered| {
            let before = [(120, whole(1)), (121, passed(1)), (answered, without(asked, "beta", &["alpha"]))];
            of(&["alpha", "beta"], before.into_iter().chain([(220, whole(2)), (221, passed(2))]))
        };
        assert_eq!(offences(told(150, 160)), [Offence::Unasked]);
        assert_eq!(offences(told(190, 205)), [], "it may have been on its way");
        let silent = [(120, whole(1)), (121, passed(1)), (160, without(150, "beta", &["alpha"])), (221, passed(2))];
        assert_eq!(offences(of(&["alpha", "beta"], silent)), []);
    }

    #[test]
    fn of_everything_the_rest_stays() {
        let told = |sent: &[&str]| {
            let items = [(120, whole(1)), (121, passed(1)), (160, without(150, "alpha", sent))];
            session("ann", 50, items.into_iter().chain([(220, whole(2)), (221, passed(2))]))
        };
        assert_eq!(offences(told(&["beta", "gamma"])), []);
        assert_eq!(offences(told(&["beta", "alpha", "gamma"])), [Offence::Unexpected], "it is still sent");
        assert_eq!(offences(told(&["gamma"])), [Offence::Unasked, Offence::Lost], "beta was not to end");
    }

    /// Beta since the beginning, on a stream of alpha that has had everything. A third event comes when all is done.
    fn going_back(items: impl IntoIterator<Item = (Moment, Item)>) -> Vec<Offence> {
        let story = story().written(3, Audience::Organization("o1"), span(300, 310));
        let before = [(120, whole(1)), (221, passed(2)), (260, since(250, "beta", 0))];
        story.told(of(&["alpha"], before.into_iter().chain(items))).offences()
    }

    #[test]
    fn a_stream_that_goes_back_tells_so_and_brings_what_is_lacking() {
        let right = [(261, passed(0)), (262, whole(2)), (263, passed(2)), (320, whole(3)), (321, passed(3))];
        assert_eq!(going_back(right), []);
        let under_way = [(261, passed(2)), (262, passed(0)), (263, whole(2)), (264, passed(2))];
        assert_eq!(going_back(under_way), [], "what was under way comes first");
        let nothing = [(261, passed(0)), (263, passed(2)), (320, whole(3)), (321, passed(3)), (322, passed(3))];
        assert_eq!(going_back(nothing), [Offence::Lost]);
        let never = [(320, whole(3)), (321, passed(3)), (322, passed(3))];
        assert_eq!(going_back(never), [Offence::Lost], "it does not go back");
        let silently = [(262, whole(2)), (263, passed(2)), (320, whole(3)), (321, passed(3))];
        assert_eq!(going_back(silently), [Offence::Swallowed], "the client takes it for what it has had");
        let again = [(261, passed(0)), (262, whole(1)), (262, whole(2)), (263, passed(2))];
        assert_eq!(going_back(again), [Offence::Repeated]);
    }

    #[test]
    fn a_stream_goes_back_only_where_that_was_asked_for() {
        let items = [(120, whole(1)), (121, passed(1)), (130, passed(0)), (131, passed(1))];
        assert_eq!(offences(of(&["alpha"], items)), [Offence::WentBack]);
        let since_what_it_has = [(120, whole(1)), (221, passed(2)), (260, since(250, "beta", 2)), (270, whole(2))];
        assert_eq!(offences(of(&["alpha"], since_what_it_has)), [Offence::Unasked, Offence::Swallowed]);
    }

    #[test]
    fn what_is_anothers_is_not_there() {
        let told = |status| of(&["alpha"], [(60, Item::Meddled(status))]);
        assert_eq!(offences(told(404)), []);
        for status in [200, 403, 503] {
            assert_eq!(offences(told(status)), [Offence::Meddled]);
        }
    }

    #[test]
    fn who_may_see_nothing_of_a_type_is_not_given_it() {
        let needs = || story().so(Fact::Requirement { event_type: "beta" }, 10, 20, Value::Requires(Some("audit")));
        let ask = || Ask::Subscribe { types: ["beta"].into(), since: None };
        let refused = || (70, Item::Changed(Change { asked: 60, ask: ask(), answer: None }));
        assert_eq!(needs().told(of(&["alpha"], [refused()])).offences(), []);
        assert_eq!(story().told(of(&["alpha"], [refused()])).offences(), [Offence::Refused]);
        assert_eq!(
            needs().told(of(&["alpha"], [(120, whole(1)), (121, passed(1)), (140, now(130, "beta"))])).offences(),
            [Offence::LetIn]
        );
    }
}
