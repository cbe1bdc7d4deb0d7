//! Faults to be put into the protocol: a search that does not notice one has not looked.

/// One condition, write or branch that is missing or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    // The condition of the update.
    GenerationNotCompared,
    RevocationNotCompared,
    IdleEndNotCompared,
    AbsoluteEndNotCompared,
    // What the update writes.
    RequestNotStored,
    KeyNotStored,
    OldKeyNotRemoved,
    IdleEndNotMoved,
    AbsoluteEndMoved,
    // The decision.
    ReuseTakenForReplay,
    ReplaySuspected,
    GraceWithoutEnd,
    GraceIgnored,
    KeyIgnored,
    NoKeyEqualsNoKey,
    RequestIgnored,
    OlderTokenReplayedInGrace,
    RevocationIgnored,
    EndsIgnored,
    // What is done about it.
    ReplayMintsAnotherToken,
    ReuseNotRevoked,
    UserNotRead,
    DisabledNotRevoked,
}
