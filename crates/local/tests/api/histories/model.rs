//! What has to come of each step, said a second time: nothing here calls the service's own code.
//!
//! A session is its history: when it began, and each rotation with its time and key. What a token is worth follows from
//! where in that history it stands.

/// What went wrong between the function and the table while it changed a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Nothing.
    Fine,
    /// A write was carried out and its answer lost: the SDK tried again.
    TriedTwice,
    /// No write was carried out.
    Dead,
    /// Writes were carried out, and no answer came back.
    Mute,
    /// The count of a repetition was carried out and its answer lost: the SDK tried again.
    CountTriedTwice,
    /// The count of a repetition was carried out, and no answer came back.
    CountMute,
}

/// Settings, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) rotation: bool,
    pub(crate) grace: u64,
    pub(crate) window: u64,
    pub(crate) limit: usize,
    pub(crate) access: u64,
    pub(crate) idle: u64,
    pub(crate) absolute: u64,
    pub(crate) retention: u64,
}

/// A refresh token, by what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refresh {
    pub(crate) session: usize,
    pub(crate) generation: usize,
    pub(crate) issued: u64,
    pub(crate) ends: u64,
}

/// An access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) session: usize,
    pub(crate) issued: u64,
    pub(crate) ends: u64,
}

/// A rotation.
#[derive(Clone, Debug)]
struct Move {
    at: u64,
    key: Option<String>,
    /// How often it was repeated with its key after the grace.
    repeated: usize,
}

/// What a superseded refresh token is.
enum Superseded {
    /// A repetition, in the grace.
    InGrace,
    /// A repetition with the key, within its bounds.
    Keyed,
    /// A reuse, and why.
    Reuse(&'static str),
}

/// A session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) began: u64,
    moves: Vec<Move>,
    pub(crate) used: u64,
    /// The user agent of the last use.
    pub(crate) agent: String,
    /// The last repetition that was counted: when, and with which user agent.
    pub(crate) replayed: Option<(u64, String)>,
    pub(crate) ended: Option<(u64, &'static str)>,
    pub(crate) deleted: bool,
}

/// An audit line: the event, its reason, the session that it names.
pub(crate) type Audit = (&'static str, &'static str, Option<usize>);

/// What has to come of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) audit: Vec<Audit>,
    pub(crate) tokens: Option<(Refresh, Access)>,
}

/// The user, and every session that they have had.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) rules: Rules,
    pub(crate) now: u64,
    pub(crate) disabled: bool,
    pub(crate) sessions: Vec<Session>,
}

impl Session {
    pub(crate) fn generation(&self) -> usize {
        self.moves.len()
    }

    /// When the current generation began.
    pub(crate) fn moved(&self) -> u64 {
        self.moves.last().map_or(self.began, |moved| moved.at)
    }

    /// How many repetitions of the last rotation were counted.
    pub(crate) fn repeated(&self) -> usize {
        self.moves.last().map_or(0, |moved| moved.repeated)
    }

    /// Whether the rotation to the current generation had a key.
    pub(crate) fn keyed(&self) -> bool {
        self.moves.last().is_some_and(|moved| moved.key.is_some())
    }

    pub(crate) fn idle_end(&self, rules: &Rules) -> u64 {
        self.used + rules.idle
    }

    pub(crate) fn absolute_end(&self, rules: &Rules) -> u64 {
        self.began + rules.absolute
    }

    fn end(&self, rules: &Rules) -> u64 {
        self.idle_end(rules).min(self.absolute_end(rules))
    }

    /// Why it is over, as audit lines say it.
    fn over(&self, now: u64, rules: &Rules) -> Option<&'static str> {
        if self.deleted {
            Some("unknown_session")
        } else if self.ended.is_some() {
            Some("revoked")
        } else if now >= self.absolute_end(rules) {
            Some("absolute_end")
        } else if now >= self.idle_end(rules) {
            Some("idle_end")
        } else {
            None
        }
    }
}

impl Outcome {
    fn refused(status: u16, code: &'static str, audit: Vec<Audit>) -> Self {
        Self { status, code, audit, tokens: None }
    }

    fn done(status: u16, audit: Vec<Audit>) -> Self {
        Self { status, code: "", audit, tokens: None }
    }

    fn unavailable(audit: Vec<Audit>) -> Self {
        Self::refused(503, "temporarily_unavailable", audit)
    }
}

impl Model {
    /// A session has begun.
    fn begin(&mut self) -> usize {
        self.sessions.push(Session {
            began: self.now,
            moves: Vec::new(),
            used: self.now,
            agent: String::new(),
            replayed: None,
            ended: None,
            deleted: false,
        });
        self.sessions.len() - 1
    }

    /// The tokens of a session as it is.
    fn tokens(&self, session: usize) -> (Refresh, Access) {
        let (state, rules) = (&self.sessions[session], &self.rules);
        let ends = if rules.rotation { state.end(rules) } else { state.absolute_end(rules) };
        (
            Refresh { session, generation: state.generation(), issued: state.moved(), ends },
            Access { session, issued: self.now, ends: state.end(rules).min(self.now + rules.access) },
        )
    }

    /// Ends a session. Says whether this has ended it.
    fn finish(&mut self, session: usize, why: &'static str) -> bool {
        let (now, state) = (self.now, &mut self.sessions[session]);
        let open = !state.deleted && state.ended.is_none();
        if open {
            state.ended = Some((now, why));
        }
        open
    }

    pub(crate) fn login(&mut self) -> Outcome {
        if self.disabled {
            return Outcome::refused(403, "forbidden", vec![("login", "user_disabled", None)]);
        }
        let session = self.begin();
        let tokens = Some(self.tokens(session));
        Outcome { tokens, ..Outcome::done(200, vec![("login", "", Some(session))]) }
    }

    pub(crate) fn refresh(&mut self, token: &Refresh, key: Option<&str>, agent: &str, line: Line) -> Outcome {
        let session = token.session;
        let refused = |why| vec![("refresh_token_refused", why, Some(session))];
        if self.now >= token.ends {
            return Outcome::refused(401, "invalid_grant", vec![("refresh_token_refused", "expired", None)]);
        }
        if self.disabled {
            if line != Line::Dead {
                self.finish(session, "user_disabled");
            }
            let audit = refused("user_disabled");
            return match line {
                Line::Fine | Line::TriedTwice | Line::CountTriedTwice | Line::CountMute => {
                    Outcome::refused(403, "forbidden", audit)
                }
                Line::Dead | Line::Mute => Outcome::unavailable(audit),
            };
        }
        let current = token.generation == self.sessions[session].generation();
        if self.sessions[session].over(self.now, &self.rules).is_none() && current {
            return self.rotate(session, key, agent, line);
        }
        if matches!(line, Line::Dead | Line::Mute) {
            return Outcome::unavailable(Vec::new());
        }
        if let Some(why) = self.sessions[session].over(self.now, &self.rules) {
            return Outcome::refused(401, "invalid_grant", refused(why));
        }
        match self.superseded(token, key) {
            Superseded::InGrace => {}
            Superseded::Keyed => {
                let now = self.now;
                let state = &mut self.sessions[session];
                state.replayed = Some((now, agent.to_owned()));
                state.moves.last_mut().expect("a rotation is repeated").repeated += 1;
                if line == Line::CountMute {
                    return Outcome::unavailable(Vec::new());
                }
            }
            Superseded::Reuse(why) => {
                self.finish(session, "reuse");
                return Outcome::refused(
                    401,
                    "invalid_grant",
                    vec![("refresh_token_reused", why, Some(session))],
                );
            }
        }
        let mut audit = vec![("refresh_token_replayed", "", Some(session))];
        if self.sessions[session].agent != agent {
            audit.push(("foreign_replay", "user_agent", Some(session)));
        }
        Outcome { tokens: Some(self.tokens(session)), ..Outcome::done(200, audit) }
    }

    fn rotate(&mut self, session: usize, key: Option<&str>, agent: &str, line: Line) -> Outcome {
        if line == Line::Dead {
            return Outcome::unavailable(Vec::new());
        }
        let (now, rotation) = (self.now, self.rules.rotation);
        let state = &mut self.sessions[session];
        state.used = now;
        agent.clone_into(&mut state.agent);
        if rotation {
            state.moves.push(Move { at: now, key: key.map(str::to_owned), repeated: 0 });
        }
        if line == Line::Mute {
            return Outcome::unavailable(Vec::new());
        }
        // The second try finds the session where the first one has moved it. Without rotation it moves it nowhere again.
        let twice = line == Line::TriedTwice && rotation;
        let event = if twice { "refresh_token_replayed" } else { "refresh_token_rotated" };
        let tokens = Some(self.tokens(session));
        Outcome { tokens, ..Outcome::done(200, vec![(event, "", Some(session))]) }
    }

    /// The token of the generation before is a repetition in the grace or with the rotation's key.
    fn superseded(&self, token: &Refresh, key: Option<&str>) -> Superseded {
        let state = &self.sessions[token.session];
        let Some(last) = state.moves.last().filter(|_| token.generation + 1 == state.moves.len()) else {
            return Superseded::Reuse("superseded");
        };
        let age = self.now - last.at;
        if self.rules.grace > 0 && age <= self.rules.grace {
            Superseded::InGrace
        } else if key.is_none() || key != last.key.as_deref() {
            Superseded::Reuse("superseded")
        } else if age > self.rules.window {
            Superseded::Reuse("retry_window")
        } else if last.repeated >= self.rules.limit {
            Superseded::Reuse("retry_limit")
        } else {
            Superseded::Keyed
        }
    }

    /// The authorizer's part of a protected request.
    fn admit(&self, token: &Access) -> Option<Outcome> {
        let refuse = |why, session| {
            Some(Outcome::refused(401, "invalid_token", vec![("access_token_refused", why, session)]))
        };
        if self.now >= token.ends {
            return refuse("expired", None);
        }
        match self.sessions[token.session].over(self.now, &self.rules) {
            Some("unknown_session") => refuse("unknown_session", Some(token.session)),
            Some(_) => refuse("session_ended", Some(token.session)),
            None => None,
        }
    }

    pub(crate) fn show(&self, token: &Access) -> Outcome {
        self.admit(token).unwrap_or_else(|| {
            if self.disabled {
                Outcome::refused(403, "forbidden", Vec::new())
            } else {
                Outcome::done(200, Vec::new())
            }
        })
    }

    /// A valid access token ends its session.
    pub(crate) fn logout_by_access(&mut self, token: &Access, line: Line) -> Outcome {
        if self.now >= token.ends {
            return Outcome::done(204, Vec::new());
        }
        self.log_out(token.session, line)
    }

    /// A refresh token is judged as at a refresh: it ends a live session, if it is valid, and may be a reuse.
    pub(crate) fn logout(&mut self, token: &Refresh, key: Option<&str>, line: Line) -> Outcome {
        let state = &self.sessions[token.session];
        if self.now >= token.ends || state.over(self.now, &self.rules).is_some() {
            return Outcome::done(204, Vec::new());
        }
        if token.generation == state.generation() {
            return self.log_out(token.session, line);
        }
        let why = match self.superseded(token, key) {
            Superseded::InGrace | Superseded::Keyed => return self.log_out(token.session, line),
            Superseded::Reuse("superseded") => "superseded_at_logout",
            Superseded::Reuse("retry_window") => "retry_window_at_logout",
            Superseded::Reuse(_) => "retry_limit_at_logout",
        };
        let audit = vec![("refresh_token_reused", why, Some(token.session))];
        if line != Line::Dead {
            self.finish(token.session, "reuse");
        }
        if matches!(line, Line::Dead | Line::Mute) {
            Outcome::unavailable(audit)
        } else {
            Outcome::done(204, audit)
        }
    }

    fn log_out(&mut self, session: usize, line: Line) -> Outcome {
        let ended = line != Line::Dead && self.finish(session, "logout");
        match line {
            Line::Dead | Line::Mute => Outcome::unavailable(Vec::new()),
            _ if ended => Outcome::done(204, vec![("logout", "", Some(session))]),
            _ => Outcome::done(204, Vec::new()),
        }
    }

    pub(crate) fn end(&mut self, token: &Access, other: usize) -> Outcome {
        self.admit(token).unwrap_or_else(|| {
            let ended = self.finish(other, "ended_by_user");
            let line = ("session_ended", "", Some(other));
            Outcome::done(204, if ended { vec![line] } else { Vec::new() })
        })
    }

    /// With the number of live sessions that it has ended.
    pub(crate) fn revoke_all(&mut self, token: &Access) -> (Outcome, usize) {
        if let Some(refusal) = self.admit(token) {
            return (refusal, 0);
        }
        let live = |state: &&Session| state.over(self.now, &self.rules).is_none();
        let count = self.sessions.iter().filter(live).count();
        for session in 0..self.sessions.len() {
            self.finish(session, "revoke_all");
        }
        (Outcome::done(200, vec![("sessions_revoked", "", Some(token.session))]), count)
    }

    /// When the table may forget a session.
    pub(crate) fn kept_until(&self, session: &Session) -> u64 {
        session.idle_end(&self.rules) + self.rules.retention
    }

    pub(crate) fn sweep(&mut self) {
        for at in 0..self.sessions.len() {
            let gone = self.kept_until(&self.sessions[at]) <= self.now;
            self.sessions[at].deleted |= gone;
        }
    }
}
