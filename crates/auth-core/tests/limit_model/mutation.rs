//! Faults in the protocol that the search must notice.

/// A condition that is left out, or an effect that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    TotalNotCompared,
    ExpiredSlotsNotCompared,
    ExpiredHitsStayInTheTotal,
    ExpiryASecondEarly,
    NameNotStored,
    GivenBackTwice,
    EveryHitGivenBack,
}
