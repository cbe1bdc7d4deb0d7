//! Many honest clients and a few thieves at once, on a line where things go wrong all the time.
//!
//! An honest client has tabs that refresh at the same time, loses answers and repeats requests, with its `Idempotency-Key` at
//! any time and without one in the grace. A thief copies a token and presents it when its successor has been used.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_core::audit::Event;
use auth_core::random::Random;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};

use crate::support::http::Reply;
use crate::support::tap::{Fault, Tap, Target};
use crate::support::{PASSWORD, Service, tapped, tokens};

/// The default of `REFRESH_GRACE`, in seconds of the service's clock.
const GRACE: u64 = 10;

/// Clients who sign up at the same time: a password costs more than everything else that a client does.
const PARALLEL_SIGNUPS: usize = 8;

/// The clock of the service goes faster than the machine's.
const SECOND: Duration = Duration::from_millis(250);

const FAULTS: [Fault; 9] = [
    Fault::LoseRequest,
    Fault::LoseAnswer,
    Fault::Status(500),
    Fault::Status(503),
    Fault::Refuse("ThrottlingException"),
    Fault::Refuse("TransactionConflictException"),
    Fault::Truncate,
    Fault::Garble("<html>"),
    Fault::Late,
];

const TARGETS: [Target; 5] = [
    Target::of("UpdateItem", "SESSION#"),
    Target::of("UpdateItem", "revoked_reason"),
    Target::of("GetItem", "PROFILE"),
    Target::of("GetItem", "SESSION#"),
    Target::of("PutItem", "SESSION#"),
];

/// What everybody does, and what went wrong that may not.
struct Scene {
    service: Service,
    tap: Tap,
    over: AtomicBool,
    signups: Semaphore,
    clients: AtomicUsize,
    rotated: AtomicUsize,
    replayed: AtomicUsize,
    reused: AtomicUsize,
    requests: AtomicUsize,
    unavailable: AtomicUsize,
    thefts: AtomicUsize,
    /// Retries that came after the grace without a key: whoever is so late may be signed out.
    too_late: AtomicUsize,
    broken: Mutex<Vec<String>>,
}

/// One dice for each task.
struct Dice(Random);

impl Dice {
    fn below(&self, sides: usize) -> usize {
        usize::from(u16::from_be_bytes(self.0.bytes().expect("randomness"))) % sides
    }
}

/// A client of one session at a time.
struct Client {
    scene: Arc<Scene>,
    dice: Dice,
    email: String,
    current: String,
    /// Which token came after which.
    successors: HashMap<String, String>,
    keys: usize,
}

/// How a refresh is done.
#[derive(Clone, Copy, Debug, Default)]
struct Manner<'a> {
    key: Option<&'a str>,
    /// Answers that do not reach the client.
    lost: usize,
    /// Seconds to wait after a lost answer.
    pause: u64,
}

/// What is asked for.
#[derive(Clone, Copy)]
enum Request<'a> {
    Refresh { token: &'a str, key: Option<&'a str> },
    Signup { email: &'a str },
    Login { email: &'a str },
}

impl Scene {
    fn count(counter: &AtomicUsize) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts what has been recorded since the last time.
    fn count_audited(&self) {
        for entry in self.service.stack.audit().take() {
            match entry.event {
                Event::RefreshTokenRotated => Self::count(&self.rotated),
                Event::RefreshTokenReplayed => Self::count(&self.replayed),
                Event::RefreshTokenReused => Self::count(&self.reused),
                _ => {}
            }
        }
    }

    fn breaks(&self, what: String) {
        self.broken.lock().expect("no poison").push(what);
    }

    /// Sends until the answer is something else than "later".
    async fn insist(&self, request: Request<'_>) -> Reply {
        loop {
            Self::count(&self.requests);
            let reply = match request {
                Request::Refresh { token, key: Some(key) } => self.service.refresh_with_key(token, key).await,
                Request::Refresh { token, key: None } => self.service.refresh(token).await,
                Request::Signup { email } => self.service.try_signup(email).await,
                Request::Login { email } => self.service.try_login(email, PASSWORD).await,
            };
            if reply.status != 503 {
                return reply;
            }
            Self::count(&self.unavailable);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The successor of a token, or `None` if the session is over.
    async fn refresh(&self, token: &str, manner: Manner<'_>) -> Option<String> {
        let begun = self.service.now();
        let mut lost = manner.lost;
        loop {
            let reply = self.insist(Request::Refresh { token, key: manner.key }).await;
            let late = manner.key.is_none() && self.service.now() - begun > GRACE;
            match reply.status {
                200 if lost > 0 => {
                    lost -= 1;
                    tokio::time::sleep(SECOND * u32::try_from(manner.pause).expect("a short pause")).await;
                }
                200 => return Some(tokens(&reply.body).refresh),
                401 if late => {
                    Self::count(&self.too_late);
                    return None;
                }
                401 => {
                    self.breaks(format!("an honest client is signed out: {manner:?}"));
                    return None;
                }
                status => {
                    self.breaks(format!("a refresh is answered {status}: {}", reply.body));
                    return None;
                }
            }
        }
    }
}

impl Client {
    async fn start(scene: Arc<Scene>, number: u64) -> Self {
        let email = format!("client{number}@example.com");
        let dice = Dice(Random::seeded(number));
        let (current, successors) = (String::new(), HashMap::new());
        let mut client = Self { scene: Arc::clone(&scene), dice, email, current, successors, keys: 0 };
        let _turn = scene.signups.acquire().await.expect("it is never closed");
        let reply = scene.insist(Request::Signup { email: &client.email }).await;
        Scene::count(&scene.clients);
        match reply.status {
            201 => client.current = tokens(&reply.body).refresh,
            // The answer to the first try was lost.
            409 => client.sign_in().await,
            status => scene.breaks(format!("a signup is answered {status}: {}", reply.body)),
        }
        client
    }

    async fn run(mut self, thief: bool) {
        if thief {
            self.is_robbed().await;
        }
        while !self.scene.over.load(Ordering::Relaxed) {
            match self.dice.below(20) {
                0..4 => self.tabs().await,
                4 => self.step(Some(GRACE + 2)).await,
                5..8 if thief => self.is_robbed().await,
                _ => self.step(None).await,
            }
            let pause = u64::try_from(self.dice.below(300)).expect("a small number");
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// One refresh, now and then with lost answers; after a pause that is longer than the grace, with its key.
    async fn step(&mut self, pause: Option<u64>) {
        self.keys += 1;
        let key = format!("key-{}", self.keys);
        let keyed = pause.is_some() || self.dice.below(2) == 0;
        let lost = if pause.is_some() { 1 } else { self.dice.below(3) };
        let manner = Manner { key: keyed.then_some(key.as_str()), lost, pause: pause.unwrap_or_default() };
        let next = self.scene.refresh(&self.current, manner).await;
        self.follow(vec![next]).await;
    }

    /// Several tabs refresh the same token at the same time.
    async fn tabs(&mut self) {
        let mut tabs = JoinSet::new();
        for _ in 0..2 + self.dice.below(4) {
            let (scene, token, lost) = (Arc::clone(&self.scene), self.current.clone(), self.dice.below(2));
            tabs.spawn(async move { scene.refresh(&token, Manner { lost, ..Manner::default() }).await });
        }
        self.follow(tabs.join_all().await).await;
    }

    /// Goes on with the one successor, or signs in again.
    async fn follow(&mut self, answers: Vec<Option<String>>) {
        let mut next = None;
        for answer in answers {
            let Some(answer) = answer else { return self.sign_in().await };
            let known = self.successors.entry(self.current.clone()).or_insert_with(|| answer.clone());
            if *known != answer {
                self.scene.breaks(format!("{} has two different successors", self.email));
            }
            next = Some(answer);
        }
        self.current = next.expect("an answer");
    }

    async fn sign_in(&mut self) {
        let reply = self.scene.insist(Request::Login { email: &self.email }).await;
        if reply.status == 200 {
            self.current = tokens(&reply.body).refresh;
        } else {
            self.scene.breaks(format!("a login is answered {}: {}", reply.status, reply.body));
        }
    }

    /// The thief has the token; the client uses its successor; the thief comes back: nobody is left in the session.
    async fn is_robbed(&mut self) {
        let stolen = self.current.clone();
        for _ in 0..2 {
            let Some(next) = self.scene.refresh(&self.current, Manner::default()).await else {
                return self.sign_in().await;
            };
            self.current = next;
        }
        Scene::count(&self.scene.thefts);
        for (who, token) in [("a thief", &stolen), ("a client whose token was copied", &self.current)] {
            let reply = self.scene.insist(Request::Refresh { token, key: None }).await;
            if reply.status != 401 {
                self.scene.breaks(format!("{who} is answered {}", reply.status));
            }
        }
        self.sign_in().await;
    }
}

/// Spoils something every few moments, and lets time go by, until it is over.
async fn weather(scene: Arc<Scene>) {
    let dice = Dice(Random::seeded(u64::MAX));
    let mut moment = tokio::time::interval(SECOND / 5);
    for moments in 1_u64.. {
        moment.tick().await;
        if scene.over.load(Ordering::Relaxed) {
            break;
        }
        if moments.is_multiple_of(5) {
            scene.service.pass(1);
            scene.count_audited();
        }
        let (target, fault) = (TARGETS[dice.below(TARGETS.len())], FAULTS[dice.below(FAULTS.len())]);
        scene.tap.spoil_next(1 + dice.below(4), target, fault);
    }
    scene.tap.heal();
}

async fn soak(clients: u64, seconds: u64) {
    let unlimited = [
        ("LOGIN_LIMIT_PER_ADDRESS", "0"),
        ("LOGIN_LIMIT_PER_IP", "0"),
        ("SIGNUP_LIMIT_PER_IP", "0"),
        ("SESSION_MAX_LIFETIME", "90d"),
    ];
    let (_engine, service, tap) = tapped(&unlimited).await;
    let scene = Arc::new(Scene {
        service,
        tap,
        over: AtomicBool::new(false),
        signups: Semaphore::new(PARALLEL_SIGNUPS),
        clients: AtomicUsize::new(0),
        rotated: AtomicUsize::new(0),
        replayed: AtomicUsize::new(0),
        reused: AtomicUsize::new(0),
        requests: AtomicUsize::new(0),
        unavailable: AtomicUsize::new(0),
        thefts: AtomicUsize::new(0),
        too_late: AtomicUsize::new(0),
        broken: Mutex::default(),
    });
    let mut tasks = JoinSet::new();
    for number in 0..clients {
        let scene = Arc::clone(&scene);
        tasks.spawn(async move { Client::start(scene, number).await.run(number.is_multiple_of(5)).await });
    }
    tasks.spawn(weather(Arc::clone(&scene)));
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    scene.over.store(true, Ordering::Relaxed);
    // Whoever waits for something does not any more: a machine that is busy elsewhere does not make the run longer.
    tasks.abort_all();
    while let Some(task) = tasks.join_next().await {
        assert!(task.as_ref().is_err_and(JoinError::is_cancelled) || task.is_ok(), "no panic: {task:?}");
    }
    scene.tap.heal();
    scene.count_audited();
    report(&scene, seconds);
}

fn report(scene: &Scene, seconds: u64) {
    let number = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let (rotated, replayed) = (number(&scene.rotated), number(&scene.replayed));
    let (reused, thefts) = (number(&scene.reused), number(&scene.thefts));
    println!("{} clients for {seconds} s", number(&scene.clients));
    println!("requests   {:>8}  of them 503: {}", number(&scene.requests), number(&scene.unavailable));
    println!("rotations  {rotated:>8}  replays: {replayed}");
    println!(
        "thefts     {thefts:>8}  reuses seen: {reused}, too late for the grace: {}",
        number(&scene.too_late)
    );
    println!("faults     {:>8}", scene.tap.spoilt());
    let broken = scene.broken.lock().expect("no poison");
    assert!(broken.is_empty(), "{} broken promises:\n{}", broken.len(), broken.join("\n"));
    assert!(rotated > 0 && replayed > 0 && thefts > 0 && scene.tap.spoilt() > 0, "too little has happened");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_seconds_of_bad_weather_break_no_promise() {
    soak(40, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes SOAK_SECONDS: `make soak`"]
async fn a_long_time_of_bad_weather_breaks_no_promise() {
    #[expect(clippy::disallowed_methods, reason = "the length of the run is not a setting of the service")]
    let seconds = std::env::var("SOAK_SECONDS").ok().map_or(120, |text| text.parse().expect("a number"));
    soak(300, seconds).await;
}
