//! A history happens: each step to the running service and to the model, and both have to agree.

mod compare;

use proptest::sample::Index;
use serde_json::{Value, json};

use self::compare::{agree, as_number, sid_of};
use super::model::{Access, Line, Model, Outcome, Refresh, Rules};
use super::step::{HANDS, Kind, Step};
use crate::support::table::{Item, Table, number, text};
use crate::support::tap::{Fault, Tap, Target};
use crate::support::{PASSWORD, Service};

/// Why a history fails.
pub(crate) type Failure = String;

/// Every write to a session.
pub(crate) const WRITES: Target = Target::of("UpdateItem", "SESSION#");

/// Every count of a repetition.
const COUNTS: Target = Target::of("UpdateItem", "replay_ip");

/// The service with the line to its table.
pub(crate) struct Stage {
    /// Ends the table with it.
    pub(crate) _engine: Service,
    pub(crate) service: Service,
    pub(crate) tap: Tap,
    pub(crate) table: Table,
    pub(crate) rules: Rules,
}

/// What somebody holds.
#[derive(Clone, Default)]
struct Hand {
    refresh: Option<usize>,
    access: Option<usize>,
    key: Option<String>,
}

/// One user, everybody who holds a token of theirs, and what has to be true.
pub(crate) struct World<'a> {
    stage: &'a Stage,
    model: Model,
    email: String,
    user: String,
    hands: [Hand; HANDS],
    /// The identifiers of the model's sessions.
    sids: Vec<String>,
    /// The request that rotated each session last, as the audit log names it; nothing if no answer told of it.
    rotated_by: Vec<Option<String>>,
    refresh: Vec<(Refresh, String)>,
    access: Vec<(Access, String)>,
    keys: Vec<String>,
}

impl Stage {
    /// What happens to the writes of the next request.
    pub(crate) fn spoil(&self, line: Line) {
        match line {
            Line::Fine => {}
            Line::TriedTwice => self.tap.spoil_next(1, WRITES, Fault::LoseAnswer),
            Line::Dead => self.tap.spoil(WRITES, Fault::Refuse("ThrottlingException")),
            Line::Mute => self.tap.spoil(WRITES, Fault::LoseAnswer),
            Line::CountTriedTwice => self.tap.spoil_next(1, COUNTS, Fault::LoseAnswer),
            Line::CountMute => self.tap.spoil(COUNTS, Fault::LoseAnswer),
        }
    }
}

impl<'a> World<'a> {
    /// A user who has just signed in, with the first hand.
    pub(crate) async fn begin(stage: &'a Stage, email: String) -> Result<Self, Failure> {
        let user = stage.service.signup(&email).await.user;
        stage.service.stack.audit().take();
        let now = stage.service.now();
        let model = Model { rules: stage.rules, now, disabled: false, sessions: Vec::new() };
        let mut world = Self {
            stage,
            model,
            email,
            user,
            hands: <[Hand; HANDS]>::default(),
            sids: Vec::new(),
            rotated_by: Vec::new(),
            refresh: Vec::new(),
            access: Vec::new(),
            keys: Vec::new(),
        };
        // The session of the signup is not part of the history.
        world.forget_signup().await;
        world.step(&Step::Login { hand: 0 }).await?;
        Ok(world)
    }

    async fn forget_signup(&self) {
        for item in self.items().await {
            self.stage.table.delete(&item).await;
        }
    }

    async fn items(&self) -> Vec<Item> {
        let items = self.stage.table.partition(&format!("USER#{}", self.user)).await;
        items.into_iter().filter(|item| text(item, "sk").starts_with("SESSION#")).collect()
    }

    /// Does one step and compares everything.
    pub(crate) async fn step(&mut self, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Refresh { hand, line, lost } => self.present(*hand, *line, *lost).await?,
            Step::Copy { from, to } => self.hands[*to] = self.hands[*from].clone(),
            Step::Steal { hand, token, key } => self.steal(*hand, *token, *key),
            Step::Use { hand } => self.show(*hand).await?,
            Step::Login { hand } => self.login(*hand).await?,
            Step::Logout { hand, by, line } => self.logout(*hand, *by, *line).await?,
            Step::End { hand, other } => self.end(*hand, *other).await?,
            Step::RevokeAll { hand } => self.revoke_all(*hand).await?,
            Step::Disable(disabled) => self.disable(*disabled).await,
            Step::Pass(seconds) => self.pass(*seconds),
            Step::Sweep => self.sweep().await,
        }
        self.compare_table().await
    }

    async fn present(&mut self, hand: usize, line: Line, lost: bool) -> Result<(), Failure> {
        let Hand { refresh: Some(token), key, .. } = self.hands[hand].clone() else { return Ok(()) };
        let (token, jwt) = self.refresh[token].clone();
        let moves = self.model.sessions[token.session].generation();
        let agent = format!("hand/{hand}");
        let expected = self.model.refresh(&token, key.as_deref(), &agent, line);
        self.stage.spoil(line);
        let call = self.stage.service.call("POST", "/auth/refresh").header("user-agent", &agent);
        let call = if let Some(key) = &key { call.header("idempotency-key", key) } else { call };
        let reply = call.json(&json!({ "refreshToken": jwt })).send().await;
        self.stage.tap.heal();
        let entries = self.stage.service.stack.audit().take();
        if self.model.sessions[token.session].generation() > moves {
            self.rotated_by[token.session] = entries.first().map(|entry| entry.request_id.clone());
        }
        self.compare(&expected, &reply, &entries)?;
        let keeper = if lost { None } else { Some(hand) };
        self.receive(keeper, &expected, &reply.body)
    }

    /// Notes the tokens of an answer; `hand` keeps them, if it has come to anybody.
    fn receive(&mut self, hand: Option<usize>, expected: &Outcome, body: &Value) -> Result<(), Failure> {
        let Some((refresh, access)) = expected.tokens else { return Ok(()) };
        let jwt = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let (refresh_jwt, access_jwt) = (jwt("refreshToken"), jwt("accessToken"));
        self.compare_claims(&refresh, &refresh_jwt, &access, &access_jwt)?;
        if self.access.iter().any(|(_, known)| *known == access_jwt) {
            return Err("an access token is handed out twice".into());
        }
        self.access.push((access, access_jwt));
        let same = |(token, _): &(Refresh, _)| {
            (token.session, token.generation) == (refresh.session, refresh.generation)
        };
        let known = self.refresh.iter().position(same);
        if let Some(known) = known.filter(|known| self.refresh[*known].1 != refresh_jwt) {
            return Err(format!("{:?} has two tokens", self.refresh[known].0));
        }
        let at = known.unwrap_or_else(|| {
            self.refresh.push((refresh, refresh_jwt));
            self.refresh.len() - 1
        });
        let Some(hand) = hand else { return Ok(()) };
        let news = self.hands[hand].refresh != Some(at);
        self.hands[hand].refresh = Some(at);
        self.hands[hand].access = Some(self.access.len() - 1);
        if news && hand < HANDS / 2 {
            self.keys.push(format!("key-{}", self.keys.len()));
            self.hands[hand].key = self.keys.last().cloned();
        } else if news {
            self.hands[hand].key = None;
        }
        Ok(())
    }

    fn steal(&mut self, hand: usize, token: Index, key: Option<Index>) {
        let key = key.filter(|_| !self.keys.is_empty()).map(|key| key.get(&self.keys).clone());
        self.hands[hand].refresh = Some(token.index(self.refresh.len()));
        self.hands[hand].key = key;
    }

    async fn show(&mut self, hand: usize) -> Result<(), Failure> {
        let Some((token, jwt)) = self.access_of(hand) else { return Ok(()) };
        let reply = self.stage.service.me(&jwt).await;
        let expected = self.model.show(&token);
        self.compare(&expected, &reply, &self.stage.service.stack.audit().take())
    }

    fn access_of(&self, hand: usize) -> Option<(Access, String)> {
        self.hands[hand].access.map(|at| self.access[at].clone())
    }

    async fn login(&mut self, hand: usize) -> Result<(), Failure> {
        let expected = self.model.login();
        let reply = self.stage.service.try_login(&self.email, PASSWORD).await;
        let sids = self.items().await.into_iter().map(|item| sid_of(&item).to_owned());
        let new: Vec<_> = sids.filter(|sid| !self.sids.contains(sid)).collect();
        agree("sessions begun by a login", usize::from(expected.tokens.is_some()), new.len())?;
        self.rotated_by.extend(new.iter().map(|_| Some(String::new())));
        self.sids.extend(new);
        self.compare(&expected, &reply, &self.stage.service.stack.audit().take())?;
        self.receive(Some(hand), &expected, &reply.body)
    }

    async fn logout(&mut self, hand: usize, by: Kind, line: Line) -> Result<(), Failure> {
        let call = self.stage.service.call("POST", "/auth/logout");
        let (expected, call) = match (by, self.hands[hand].refresh, self.access_of(hand)) {
            (Kind::Refresh, Some(token), _) => {
                let (token, jwt) = self.refresh[token].clone();
                let key = self.hands[hand].key.clone();
                let call = if let Some(key) = &key { call.header("idempotency-key", key) } else { call };
                (self.model.logout(&token, key.as_deref(), line), call.bearer(&jwt))
            }
            (Kind::Access, _, Some((token, jwt))) => {
                (self.model.logout_by_access(&token, line), call.bearer(&jwt))
            }
            _ => return Ok(()),
        };
        self.stage.spoil(line);
        let reply = call.send().await;
        self.stage.tap.heal();
        self.compare(&expected, &reply, &self.stage.service.stack.audit().take())
    }

    async fn end(&mut self, hand: usize, other: usize) -> Result<(), Failure> {
        let (Some((token, jwt)), Some(other)) = (self.access_of(hand), self.hands[other].refresh) else {
            return Ok(());
        };
        let other = self.refresh[other].0.session;
        let expected = self.model.end(&token, other);
        let path = format!("/auth/sessions/{}", self.sids[other]);
        let reply = self.stage.service.call("DELETE", &path).bearer(&jwt).send().await;
        self.compare(&expected, &reply, &self.stage.service.stack.audit().take())
    }

    async fn revoke_all(&mut self, hand: usize) -> Result<(), Failure> {
        let Some((token, jwt)) = self.access_of(hand) else { return Ok(()) };
        let (expected, count) = self.model.revoke_all(&token);
        let reply = self.stage.service.call("POST", "/auth/revoke-all").bearer(&jwt).send().await;
        self.compare(&expected, &reply, &self.stage.service.stack.audit().take())?;
        if reply.status == 200 {
            agree("sessions ended", Some(as_number(count)), reply.body["revokedSessions"].as_u64())?;
        }
        Ok(())
    }

    async fn disable(&mut self, disabled: bool) {
        let partition = self.stage.table.partition(&format!("USER#{}", self.user)).await;
        let profile = partition.iter().find(|item| text(item, "sk") == "PROFILE").expect("the user");
        self.stage.table.set(profile, "status", if disabled { "disabled" } else { "active" }).await;
        self.model.disabled = disabled;
    }

    fn pass(&mut self, seconds: u64) {
        self.stage.service.pass(seconds);
        self.model.now += seconds;
    }

    async fn sweep(&mut self) {
        let now = self.stage.service.now();
        for item in self.items().await.iter().filter(|item| number(item, "expires_at") <= now) {
            self.stage.table.delete(item).await;
        }
        self.model.sweep();
    }
}
