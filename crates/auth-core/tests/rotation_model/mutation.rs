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
    RetryWindowIgnored,
    /// In the condition as well, which would otherwise hold for the decision.
    RetryLimitIgnored,
    OwnRetryNotRecognised,
    EarlierRetriesCounted,
    // The count of a replay: its condition, and whether there is one.
    ReplayNotCounted,
    CountIgnoresGeneration,
    CountIgnoresRevocation,
    CountIgnoresLimit,
    CountBeginsAgain,
    // What is done about it.
    ReplayMintsAnotherToken,
    ReuseNotRevoked,
    UserNotRead,
    DisabledNotRevoked,
}
