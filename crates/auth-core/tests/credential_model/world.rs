//! What is stored, and the operations under way.

/// What happens in one search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub(crate) logins: usize,
    pub(crate) changes: usize,
    pub(crate) revoke_alls: usize,
    /// Whether the hash is replaced by one of another cost.
    pub(crate) rehash: bool,
    /// What else ends all sessions.
    pub(crate) others: &'static [Kind],
    /// `SESSION_LIMIT`.
    pub(crate) limit: Option<usize>,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) credential: Option<StoredCredential>,
    pub(crate) user: Option<StoredUser>,
    /// The session of each login.
    pub(crate) sessions: Vec<StoredSession>,
    pub(crate) logins: Vec<Login>,
    pub(crate) endings: Vec<Ending>,
    /// The records of a deleted user are gone.
    pub(crate) records_deleted: bool,
    pub(crate) rehashed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StoredCredential {
    pub(crate) serial: u8,
    pub(crate) changed_at: u8,
    pub(crate) rehashed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StoredUser {
    pub(crate) disabled: bool,
    pub(crate) sessions_serial: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct StoredSession {
    pub(crate) record: Record,
    pub(crate) indexed: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Record {
    #[default]
    None,
    Live,
    Revoked,
}

/// What a login has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reading {
    pub(crate) credential: Option<StoredCredential>,
    pub(crate) user: Option<StoredUser>,
}

/// How far the two writes of a login have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Writes {
    pub(crate) record: bool,
    pub(crate) index: bool,
    /// A second try of a write that is still on its way.
    pub(crate) late: bool,
}

/// A login, and what is known of it from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Login {
    pub(crate) phase: Phase,
    pub(crate) writes: Writes,
    /// Something that it relies on was written since its first reading.
    pub(crate) overtaken: bool,
    /// An ending that began after its first reading was answered.
    pub(crate) doomed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// The password is not verified yet.
    Sent,
    /// The credential and the user were read, and the password is verified.
    Verified(Reading),
    /// The second reading says that the session is to be revoked.
    Revoking,
    /// The second reading allows the answer; which sessions the index held at that time, one bit each.
    Allowed { listed: u8 },
    /// 200 with tokens.
    Answered,
    /// 401 or 403.
    Refused,
    /// The function died.
    Dead,
}

/// What ends all sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ending {
    pub(crate) kind: Kind,
    pub(crate) stage: Stage,
    /// The logins that had begun when it did, one bit each.
    pub(crate) before: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Change,
    OldChange,
    RevokeAll,
    Disable,
    Delete,
}

/// How far an ending has come; sessions are one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    Sent,
    /// The serial has moved, or the status is written.
    Moved,
    /// These are to be revoked. `unindexed`: the record or the index item of this one is written, the other is not.
    Listed {
        left: u8,
        half: Option<u8>,
    },
    Answered,
    Dead,
}

impl World {
    pub(crate) fn begin(bound: &Bound) -> Self {
        let login = Login {
            phase: Phase::Sent,
            writes: Writes { record: false, index: false, late: true },
            overtaken: false,
            doomed: false,
        };
        let mut kinds = vec![Kind::Change; bound.changes];
        kinds.extend(vec![Kind::RevokeAll; bound.revoke_alls]);
        kinds.extend(bound.others);
        let ending = |kind| Ending { kind, stage: Stage::Sent, before: 0 };
        Self {
            credential: Some(StoredCredential { serial: 0, changed_at: 0, rehashed: false }),
            user: Some(StoredUser { disabled: false, sessions_serial: 0 }),
            sessions: vec![StoredSession::default(); bound.logins],
            logins: vec![login; bound.logins],
            endings: kinds.into_iter().map(ending).collect(),
            records_deleted: false,
            rehashed: false,
        }
    }

    pub(crate) const fn reading(&self) -> Reading {
        Reading { credential: self.credential, user: self.user }
    }

    /// The sessions that `is` holds for, one bit each.
    pub(crate) fn which(&self, is: impl Fn(&StoredSession) -> bool) -> u8 {
        self.sessions.iter().enumerate().filter(|(_, session)| is(session)).map(|(at, _)| 1 << at).sum()
    }

    /// Something that logins rely on was written.
    pub(crate) fn overtake(&mut self) {
        for login in &mut self.logins {
            login.overtaken |= login.phase != Phase::Sent;
        }
    }
}
