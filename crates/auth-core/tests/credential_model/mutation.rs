//! Faults to be put into the protocol: a search that does not notice one has not looked.

/// One comparison, reading or order that is missing or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    // The second reading.
    NotReadAgain,
    CredentialAloneReadAgain,
    UserAloneReadAgain,
    ReadAgainBeforeTheWrite,
    AnsweredBeforeTheIndex,
    OvertakenAnswered,
    // What is compared.
    PasswordSerialNotCompared,
    ChangedAtNotCompared,
    SessionsSerialNotCompared,
    StatusNotCompared,
    HashCompared,
    // The order of an ending.
    SerialAfterListing,
    PasswordAfterListing,
    IndexBeforeRecordAtTheEnd,
    // The session limit.
    UnknownForgotten,
    OwnSessionRevoked,
}
