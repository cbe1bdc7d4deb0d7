//! What ends all sessions: first the serial moves, then the sessions are listed, then each is revoked, the record before the index.

use crate::mutation::Mutation;
use crate::world::{Kind, Phase, Record, Stage, World};

/// The next step of an ending.
pub(crate) fn step(world: &mut World, at: usize, mutation: Option<Mutation>) {
    let ending = world.endings[at];
    let lists_first = match ending.kind {
        Kind::Change => mutation == Some(Mutation::PasswordAfterListing),
        Kind::RevokeAll => mutation == Some(Mutation::SerialAfterListing),
        _ => false,
    };
    let stage = match ending.stage {
        Stage::Sent => {
            let begun = world.logins.iter().enumerate().filter(|(_, login)| login.phase != Phase::Sent);
            world.endings[at].before = begun.map(|(login, _)| 1 << login).sum();
            if lists_first {
                list(world, ending.kind)
            } else {
                write(world, ending.kind);
                Stage::Moved
            }
        }
        Stage::Moved => list(world, ending.kind),
        Stage::Listed { left: 0, .. } => {
            if lists_first {
                write(world, ending.kind);
            }
            answer(world, at);
            Stage::Answered
        }
        Stage::Listed { left, half: None } => {
            let next = first(left);
            // A session without a record may still be written: it is left in the index.
            let session = &mut world.sessions[usize::from(next)];
            if mutation == Some(Mutation::IndexBeforeRecordAtTheEnd) {
                session.indexed = false;
                Stage::Listed { left, half: Some(next) }
            } else if session.record == Record::None {
                Stage::Listed { left: left & !(1 << next), half: None }
            } else {
                session.record = Record::Revoked;
                Stage::Listed { left, half: Some(next) }
            }
        }
        Stage::Listed { left, half: Some(next) } => {
            let session = &mut world.sessions[usize::from(next)];
            if mutation == Some(Mutation::IndexBeforeRecordAtTheEnd) {
                if session.record == Record::Live {
                    session.record = Record::Revoked;
                }
            } else if ending.kind != Kind::OldChange {
                session.indexed = false;
            }
            Stage::Listed { left: left & !(1 << next), half: None }
        }
        stage @ (Stage::Answered | Stage::Dead) => stage,
    };
    world.endings[at].stage = stage;
}

fn write(world: &mut World, kind: Kind) {
    world.overtake();
    match kind {
        Kind::Change => {
            if let Some(credential) = &mut world.credential {
                credential.serial += 1;
                credential.changed_at += 1;
            }
        }
        Kind::OldChange => {
            if let Some(credential) = &mut world.credential {
                credential.changed_at += 1;
            }
        }
        Kind::RevokeAll => {
            if let Some(user) = &mut world.user {
                user.sessions_serial += 1;
            }
        }
        Kind::Disable | Kind::Delete => {
            if let Some(user) = &mut world.user {
                user.disabled = true;
                user.sessions_serial += 1;
            }
            if kind == Kind::Delete {
                world.credential = None;
            }
        }
    }
}

/// The old function reads the records, every other one the index. A login that is listed is overtaken, even if it verified the new
/// password.
fn list(world: &mut World, kind: Kind) -> Stage {
    world.overtake();
    let left = world.which(|session| match kind {
        Kind::OldChange => session.record == Record::Live,
        _ => session.indexed,
    });
    Stage::Listed { left, half: None }
}

/// A deletion waits until no request is under way that has begun before it, and then deletes the rest.
fn answer(world: &mut World, at: usize) {
    let ending = world.endings[at];
    if ending.kind == Kind::Delete {
        world.sessions.fill_with(Default::default);
        world.user = None;
        world.records_deleted = true;
        world.overtake();
    }
    for (login, state) in world.logins.iter_mut().enumerate() {
        state.doomed |= ending.before & (1 << login) != 0;
    }
}

fn first(sessions: u8) -> u8 {
    u8::try_from(sessions.trailing_zeros()).expect("sessions are few")
}
