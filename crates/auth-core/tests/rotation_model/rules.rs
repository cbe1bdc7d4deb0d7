//! What must hold, judged from a record of its own: nothing here looks at the stored session to know what has happened.

use crate::world::{ABSOLUTE, Bound, GENERATIONS, IDLE, Keys, Request, Tick, Version, Why, World};

/// A promise of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rule {
    /// A token is rotated once: whoever presents it again gets the same successor or none.
    OneSuccessor,
    /// The honest client is not signed out by what it, the network or the service does twice.
    HonestStaysSignedIn,
    /// A token that is presented after its successor was used, after the grace without the rotation's key, or with it but later or
    /// more often than the bounds allow, has ended the session for everybody before it is answered.
    ReuseEndsTheSession,
    /// After the session was ended or the user disabled, no refresh that is sent later succeeds, and nothing brings the session
    /// back.
    EndedStaysEnded,
    /// A refusal ends a session for a reuse or a disabled user, for nothing else.
    RefusalChangesNothing,
    /// No refresh succeeds on a clock that is past the idle or the absolute end, and the absolute end never moves.
    NothingPastTheEnd,
}

impl Rule {
    pub(crate) const ALL: [Self; 6] = [
        Self::OneSuccessor,
        Self::HonestStaysSignedIn,
        Self::ReuseEndsTheSession,
        Self::EndedStaysEnded,
        Self::RefusalChangesNothing,
        Self::NothingPastTheEnd,
    ];
}

/// What has really happened to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Past {
    /// The newest generation there has been.
    newest: u8,
    /// The rotation to it: when, with which key, by which request.
    rotation: Option<(Tick, Option<u8>, u8)>,
    /// The requests that were answered for the rotation's key after the grace, one bit each.
    repeated: u8,
    /// The end of each generation's token.
    tokens: [Option<Tick>; GENERATIONS],
    idle_end: Tick,
    /// Somebody has ended the session.
    pub(crate) ended: bool,
}

/// How a token stands to what has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Current,
    /// Superseded, and covered by the grace or the rotation's own request.
    Repeated,
    /// Superseded, and covered by the rotation's key within its bounds.
    Retried,
    /// Superseded, with the rotation's key beyond its bounds.
    Exhausted,
    /// Superseded, and covered by nothing.
    Late,
    /// Its successor has been used.
    Stale,
}

impl Past {
    pub(crate) fn at_login(token_end: Tick) -> Self {
        let mut tokens = [None; GENERATIONS];
        tokens[0] = Some(token_end);
        Self { newest: 0, rotation: None, repeated: 0, tokens, idle_end: IDLE, ended: false }
    }

    /// When the token of `generation` ends.
    pub(crate) fn token_end(&self, generation: u8) -> Tick {
        self.tokens[usize::from(generation)].expect("only tokens that were handed out are presented")
    }

    pub(crate) fn standing(&self, request: &Request, at: Tick, bound: &Bound) -> Standing {
        if request.generation == self.newest {
            return Standing::Current;
        }
        if request.generation + 1 < self.newest {
            return Standing::Stale;
        }
        let Some((rotated_at, key, by)) = self.rotation else { return Standing::Late };
        let within = |span: Tick| at <= rotated_at.saturating_add(span);
        if (bound.grace > 0 && within(bound.grace)) || by == request.id {
            return Standing::Repeated;
        }
        if key.is_none() || key != request.key {
            return Standing::Late;
        }
        if request.version == Version::BeforeTheCount {
            return Standing::Retried;
        }
        let own = 1 << request.id;
        let others = (self.repeated & !own).count_ones();
        // Once it was answered, the same request again is no other repetition.
        if self.repeated & own != 0 || (within(bound.window) && others < bound.limit) {
            Standing::Retried
        } else {
            Standing::Exhausted
        }
    }

    /// A write was applied: it made `generation`, whose token ends at `token_end`.
    pub(crate) fn written(
        &mut self,
        request: &Request,
        at: Tick,
        generation: u8,
        token_end: Tick,
    ) -> Option<Rule> {
        let broken = if self.ended {
            Some(Rule::EndedStaysEnded)
        } else if request.generation != self.newest {
            Some(Rule::OneSuccessor)
        } else if at >= self.idle_end || at >= ABSOLUTE || token_end > ABSOLUTE {
            Some(Rule::NothingPastTheEnd)
        } else {
            None
        };
        self.idle_end = at + IDLE;
        if generation != self.newest {
            self.newest = generation;
            self.rotation = Some((at, request.key, request.id));
            self.repeated = 0;
        }
        broken.or_else(|| self.handed_out(generation, token_end))
    }

    /// The token of `generation` is handed out.
    fn handed_out(&mut self, generation: u8, token_end: Tick) -> Option<Rule> {
        let token = &mut self.tokens[usize::from(generation)];
        let other = token.is_some_and(|end| end != token_end);
        *token = Some(token_end);
        other.then_some(Rule::OneSuccessor)
    }

    /// A refused write is answered with the session's end.
    pub(crate) fn called_ended(&self, at: Tick) -> Option<Rule> {
        let over = self.ended || at >= self.idle_end || at >= ABSOLUTE;
        (!over).then_some(Rule::HonestStaysSignedIn)
    }

    /// A refused write is answered with the token of `generation`.
    pub(crate) fn replayed(
        &mut self,
        request: &Request,
        standing: Standing,
        at: Tick,
        generation: u8,
        token_end: Tick,
    ) -> Option<Rule> {
        if self.ended {
            Some(Rule::EndedStaysEnded)
        } else if founded(standing) {
            Some(Rule::ReuseEndsTheSession)
        } else if at >= self.idle_end || at >= ABSOLUTE {
            Some(Rule::NothingPastTheEnd)
        } else if generation != request.generation + 1 {
            Some(Rule::OneSuccessor)
        } else {
            if standing == Standing::Retried && request.version == Version::Current {
                self.repeated |= 1 << request.id;
            }
            self.handed_out(generation, token_end)
        }
    }
}

/// Whether a token that stands so is reused.
fn founded(standing: Standing) -> bool {
    matches!(standing, Standing::Exhausted | Standing::Late | Standing::Stale)
}

/// A refused write is taken for a reuse.
pub(crate) fn suspected(bound: &Bound, request: &Request, standing: Standing) -> Option<Rule> {
    // Without a key the promise ends with the grace, with one at the bounds of retries.
    let own_fault = match bound.keys {
        Keys::None => standing == Standing::Late,
        Keys::OfTheTab | Keys::OfTheToken => standing == Standing::Exhausted,
    };
    if bound.thief_requests == 0 && request.honest && !own_fault {
        Some(Rule::HonestStaysSignedIn)
    } else {
        (!founded(standing)).then_some(Rule::RefusalChangesNothing)
    }
}

/// A refusal is on its way to the client.
pub(crate) fn refused(bound: &Bound, world: &World, request: &Request, why: Why) -> Option<Rule> {
    let live = world.item.is_some_and(|item| !item.revoked);
    match why {
        Why::Reuse if live => Some(Rule::ReuseEndsTheSession),
        Why::Disabled if live => Some(Rule::EndedStaysEnded),
        // No backup is restored here: a token cannot be newer than the state. An item that was deleted is past every end.
        Why::Unknown if bound.thief_requests == 0 && request.honest && world.item.is_some() => {
            Some(Rule::HonestStaysSignedIn)
        }
        _ => None,
    }
}
