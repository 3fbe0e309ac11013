//! Views in a world in miniature: users with all kinds of rights and wishes, which change at any moment, even while somebody reads, and an app that writes, and has rows forgotten. Whatever
//! streams share, each is handed what it would have been handed if it had read alone.

use std::cell::Cell;

use jiff::Timestamp;
use proptest::prelude::*;
use tokio::sync::watch;

use super::*;
use crate::{
    connections::{Since, Terms},
    event::Audience,
    policy::Redaction,
    schedules::{Choices, Verdict, finds, holds, schedules_of},
    session::outlook::Outlook,
};

const SCHEDULES: u32 = 3_000;

const USERS: [&str; 5] = ["ann", "bob", "cid", "dan", "eve"];
const TYPES: [&str; 3] = ["open", "filtered", "watched"];

/// A rule that is taken out, to see that the model notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// A change of grants does not come through.
    GrantsAreNotFollowed,
    /// Nor does one of what a stream is to send.
    TermsAreNotFollowed,
    /// What there is to see for one user is shown to all who hold the same.
    PersonalIsShared,
}

#[derive(Clone, Debug)]
enum Move {
    Append(usize),
    Grant(usize),
    Policy(usize),
    Want(usize),
    Erase(usize),
    Read(usize),
    /// Somebody reads, and somebody's grants change meanwhile, before something is written.
    ReadMeanwhile(usize),
}

const MOVES: Choices<Move> = &[
    (8, Move::Append),
    (2, Move::Grant),
    (1, Move::Policy),
    (1, Move::Want),
    (1, Move::Erase),
    (10, Move::Read),
    (2, Move::ReadMeanwhile),
];

struct User {
    name: &'static str,
    grants: watch::Sender<Arc<Versioned<Grants>>>,
    terms: watch::Sender<Terms>,
    outlook: Outlook,
    position: Position,
}

struct World {
    broken: Broken,
    log: Arc<Log>,
    views: Views,
    policy: Arc<Versioned<Policy>>,
    users: Vec<User>,
    last_id: Cell<i64>,
}

/// One of a few sets of grants: the same ones are held by several users.
fn grants(n: usize) -> Grants {
    let rows: &[(Option<&str>, Option<&str>)] = match n % 6 {
        0 => &[(Some("o1"), None)],
        1 => &[(Some("o1"), Some("watch"))],
        2 => &[(Some("o1"), None), (Some("o2"), Some("admin"))],
        3 => &[(None, Some("watch"))],
        4 => &[(Some("o2"), None)],
        _ => &[],
    };
    let mut grants = Grants::default();
    for (organization, permission) in rows {
        grants.add(organization.map(Into::into), permission.map(Into::into));
    }
    grants
}

fn policy(n: usize) -> Arc<Versioned<Policy>> {
    let redaction = |key: &str| Redaction {
        path: vec![key.to_owned()],
        unless_permission: "admin".into(),
        replacement: Some("\"[FILTERED]\"".into()),
    };
    let needed = if n.is_multiple_of(2) { Some("watch".into()) } else { None };
    let types = [(TYPES[0].into(), None), (TYPES[1].into(), None), (TYPES[2].into(), needed)];
    let redactions = [(TYPES[1].into(), redaction(if n.is_multiple_of(3) { "secret" } else { "open" }))];
    Arc::new(Versioned { version: n as u64, value: Policy::new(types, redactions) })
}

fn wanted(n: usize, seen: &Arc<Cursor>) -> Wanted {
    match n % 4 {
        0 | 1 => Wanted::default(),
        2 => Wanted { organization: Some("o1".into()), ..Wanted::of_types([TYPES[1].into(), TYPES[2].into()]) },
        _ => Wanted {
            types: Some([(TYPES[0].into(), Since::Ever), (TYPES[1].into(), Since::After(Arc::clone(seen)))].into()),
            organization: None,
        },
    }
}

fn event(id: i64, n: usize) -> Event {
    let audience = [Audience::Organization, Audience::Organization, Audience::Platform, Audience::User][n % 4];
    let organization = if audience == Audience::Platform { None } else { Some(["o1", "o2"][n % 2]) };
    Event {
        audience,
        event_type: TYPES[n % 3].into(),
        user_id: Some(USERS[n % 5].into()),
        source: Some("public.rows".into()),
        source_key: Some((n % 2).to_string().into()),
        data: format!(r#"{{"open":{id},"secret":{id}}}"#).into(),
        ..Event::sample(id, organization)
    }
}

impl World {
    fn new(broken: Broken) -> Self {
        let log = Arc::new(Log::new(1 << 20, 0));
        let users = USERS.into_iter().enumerate().map(|(n, name)| {
            let grants = watch::Sender::new(Arc::new(Versioned { version: 1, value: grants(n / 2) }));
            let terms = watch::Sender::new(Terms { wanted: Wanted::default(), expires_at: Timestamp::MAX });
            let outlook = Outlook::new(grants.subscribe(), terms.subscribe());
            User { name, grants, terms, outlook, position: 0 }
        });
        Self { broken, log, views: Views::default(), policy: policy(0), users: users.collect(), last_id: Cell::new(0) }
    }

    fn append(&self, n: usize) {
        append(&self.log, &self.last_id, n);
    }

    fn apply(&mut self, step: &Move) -> Verdict {
        match *step {
            Move::Append(n) => self.append(n),
            Move::Grant(n) => {
                let user = &self.users[n % USERS.len()];
                let version = user.grants.borrow().version + 1;
                user.grants.send_replace(Arc::new(Versioned { version, value: grants(n) }));
            }
            Move::Policy(n) => self.policy = policy(n),
            Move::Want(n) => {
                let seen = self.log.head().0;
                self.users[n % USERS.len()].terms.send_modify(|terms| terms.wanted = wanted(n, &seen));
            }
            Move::Erase(n) => self.log.erase("public.rows", &(n % 2).to_string()),
            Move::Read(n) => self.read(n % USERS.len(), None)?,
            Move::ReadMeanwhile(n) => self.read(n % USERS.len(), Some(n))?,
        }
        Ok(())
    }

    /// Lets a user read, as [`Reader`](crate::session::reader::Reader) does. With `meanwhile`, the user's grants change after it has read, and then something is written.
    fn read(&mut self, n: usize, meanwhile: Option<usize>) -> Verdict {
        let Self { broken, log, views, policy, users, last_id } = self;
        let user = &mut users[n];
        if *broken == Broken::GrantsAreNotFollowed || *broken == Broken::TermsAreNotFollowed {
            // As if it had heard of it.
            user.outlook.take_for_current(*broken == Broken::GrantsAreNotFollowed);
        }
        let asked = Cell::new(0);
        let policy_of_now = || {
            asked.set(asked.get() + 1);
            if let (2, Some(n)) = (asked.get(), meanwhile) {
                let version = user.grants.borrow().version + 1;
                user.grants.send_replace(Arc::new(Versioned { version, value: grants(n / 2) }));
                append(log, last_id, n);
            }
            Arc::clone(policy)
        };
        let stretch = user.outlook.stretch(user.position, views, log, policy_of_now).expect("nothing has left the log");
        let alone = reading_alone(log, user, policy);
        let handed = match &stretch.content {
            Content::Nothing => None,
            Content::Shared(chunk) => Some(chunk.bytes.clone()),
            Content::Personal => {
                let name = if *broken == Broken::PersonalIsShared { USERS[0] } else { user.name };
                let view = user.outlook.view(views, log, Arc::clone(policy));
                let Read::Entries { entries, cursor, .. } = log.read(user.position, &view.interest, CHUNK_BYTES) else {
                    panic!("nothing has left the log")
                };
                let frames: Vec<_> = view.visible(entries, name).iter().map(Visible::frame).collect();
                (!frames.is_empty()).then(|| Chunk::of(&frames, None, cursor).bytes)
            }
        };
        prop_assert!(handed == alone, "{} was handed {handed:?} instead of {alone:?}", user.name);
        user.position = stretch.to;
        Ok(())
    }
}

fn append(log: &Log, last_id: &Cell<i64>, n: usize) {
    let id = last_id.get() + 1;
    last_id.set(id);
    log.append(vec![event(id, n)], Cursor::up_to(id));
}

/// What comes next for a user by the rules of now, told without anything that is shared.
fn reading_alone(log: &Log, user: &User, policy: &Versioned<Policy>) -> Option<bytes::Bytes> {
    let grants = Arc::clone(&user.grants.borrow());
    let wanted = user.terms.borrow().wanted.clone();
    let Read::Entries { entries, cursor, .. } = log.read(user.position, &wanted.interest(&grants.value), usize::MAX)
    else {
        panic!("nothing has left the log")
    };
    let is_sent = |event: &Event| {
        wanted.wants(&event.event_type, event.id, 0)
            && (wanted.organization.is_none()
                || event.organization_id.is_none()
                || wanted.organization == event.organization_id)
            && policy.value.may_see(event, user.name, &grants.value)
    };
    let frames: Vec<_> = entries
        .iter()
        .filter(|entry| is_sent(&entry.event))
        .map(|entry| {
            Entry::new(entry.event.clone()).frame(policy, policy.value.redaction_mask(&entry.event, &grants.value))
        })
        .collect();
    (!frames.is_empty()).then(|| Chunk::of(&frames, None, cursor).bytes)
}

fn run(broken: Broken, moves: &[Move]) -> Verdict {
    let mut world = World::new(broken);
    moves.iter().try_for_each(|step| world.apply(step))
}

fn schedules() -> impl Strategy<Value = Vec<Move>> {
    schedules_of(MOVES, 1..100)
}

#[test]
fn each_is_handed_what_reading_alone_would_have_brought() {
    holds(SCHEDULES, &schedules(), |moves| run(Broken::Nothing, &moves));
}

#[test]
fn grants_that_are_not_followed_are_found_out() {
    finds(SCHEDULES, &schedules(), "was handed", |moves| run(Broken::GrantsAreNotFollowed, &moves));
}

#[test]
fn terms_that_are_not_followed_are_found_out() {
    finds(SCHEDULES, &schedules(), "was handed", |moves| run(Broken::TermsAreNotFollowed, &moves));
}

#[test]
fn showing_all_what_is_for_one_is_found_out() {
    finds(SCHEDULES, &schedules(), "was handed", |moves| run(Broken::PersonalIsShared, &moves));
}

fn one_view(users: usize) -> (Arc<Log>, Views, Vec<Arc<View>>) {
    let (log, views) = (Arc::new(Log::new(16 << 20, 0)), Views::default());
    let policy = policy(0);
    let grants = || Arc::new(Versioned { version: 1, value: grants(0) });
    let of_each = (0..users).map(|_| views.view(&log, Arc::clone(&policy), grants(), Wanted::default())).collect();
    (log, views, of_each)
}

#[test]
fn who_sees_the_same_shares_what_was_put_together_once() {
    let (log, views, users) = one_view(3);
    append(&log, &Cell::new(0), 0);
    let stretches = users.iter().map(|view| views.stretch(view, 0).unwrap()).collect::<Vec<_>>();
    assert!(stretches.iter().all(|stretch| Arc::ptr_eq(stretch, &stretches[0])));
    append(&log, &Cell::new(1), 0);
    assert!(!Arc::ptr_eq(&views.stretch(&users[0], 0).unwrap(), &stretches[0]), "there is more by now");
}

#[test]
fn what_is_kept_is_bounded() {
    let (log, views, users) = one_view(2);
    let large = |id| Event { data: format!("\"{}\"", "x".repeat(CHUNK_BYTES)).into(), ..event(id, 0) };
    for id in 1..100 {
        log.append(vec![large(id)], Cursor::up_to(id));
        for position in 0..log.end() {
            views.stretch(&users[0], position).unwrap();
        }
    }
    let shelf = views.shelf.lock().unwrap();
    let bytes: usize = shelf.stretches.iter().map(|stretch| stretch.size()).sum();
    assert_eq!(bytes, shelf.bytes);
    assert!(bytes <= KEPT_BYTES && bytes > KEPT_BYTES - 2 * CHUNK_BYTES, "{bytes}");
    assert!(users[0].kept.lock().unwrap().len() <= KEPT_OF_VIEW);
}

#[test]
fn views_that_nobody_has_are_forgotten() {
    let (log, views, _users) = one_view(2);
    let policy = policy(0);
    for n in 0..10 * FEWEST_TO_SWEEP {
        let mut grants = Grants::default();
        grants.add(Some(format!("o{n}").into()), None);
        let grants = Arc::new(Versioned { version: 1, value: grants });
        drop(views.view(&log, Arc::clone(&policy), grants, Wanted::default()));
    }
    assert!(views.current.lock().unwrap().views.len() <= FEWEST_TO_SWEEP);
}
