//! The rows of the rotation table.

use std::collections::HashSet;
use std::sync::Arc;

use super::world::{World, error_code};
use crate::support::tokens;

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_rotated_and_the_old_access_token_lives_on() {
    let world = World::open().await;
    let first = world.person().await.tokens;
    let second = tokens(&world.refresh(&first.refresh).await.expect(200).body);
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(first.user, second.user);
    world.me(&second.access).await.expect(200);
    world.me(&first.access).await.expect(200);
    let third =
        tokens(&world.call("POST", "/auth/refresh").bearer(&second.refresh).send().await.expect(200).body);
    assert_ne!(second.refresh, third.refresh);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_within_the_grace_has_the_same_successor_byte_for_byte() {
    let world = World::open().await;
    let first = world.person().await.tokens;
    let second = tokens(&world.refresh(&first.refresh).await.expect(200).body);
    let replay = tokens(&world.refresh(&first.refresh).await.expect(200).body);
    assert_eq!(replay.refresh, second.refresh);
    assert_ne!(replay.access, second.access, "a fresh access token");
    world.me(&replay.access).await.expect(200);
    world.refresh(&second.refresh).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_replays_a_rotation_past_its_grace() {
    let world = World::open().await;
    let first = world.person().await.tokens;
    let second = tokens(&world.refresh_with_key(&first.refresh, "a-random-key").await.expect(200).body);
    World::past_the_grace().await;
    let replay = tokens(&world.refresh_with_key(&first.refresh, "a-random-key").await.expect(200).body);
    assert_eq!(replay.refresh, second.refresh);
    world.refresh_with_key(&second.refresh, "the-next-key").await.expect(200);
    assert_eq!(
        error_code(&world.refresh_with_key(&first.refresh, "a-random-key").await.expect(401)),
        "invalid_grant",
        "not once the successor has been used"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reuse_ends_the_session_for_everybody_at_once_and_no_other() {
    let world = World::open().await;
    let person = world.person().await;
    let (first, other) = (&person.tokens, world.login(&person).await);
    let second = tokens(&world.refresh(&first.refresh).await.expect(200).body);
    World::past_the_grace().await;
    world.me(&second.access).await.expect(200);
    assert_eq!(error_code(&world.refresh(&first.refresh).await.expect(401)), "invalid_grant");
    for access in [&first.access, &second.access] {
        assert_eq!(error_code(&world.me(access).await.expect(401)), "invalid_token");
    }
    assert_eq!(error_code(&world.refresh(&second.refresh).await.expect(401)), "invalid_grant");
    world.me(&other.access).await.expect(200);
    world.refresh(&other.refresh).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn refreshes_at_once_have_one_successor() {
    let world = Arc::new(World::open().await);
    let first = world.person().await.tokens;
    let refreshes: Vec<_> = (0..12)
        .map(|_| {
            let (world, token) = (Arc::clone(&world), first.refresh.clone());
            tokio::spawn(async move { tokens(&world.refresh(&token).await.expect(200).body).refresh })
        })
        .collect();
    let mut successors = HashSet::new();
    for refresh in refreshes {
        successors.insert(refresh.await.expect("no panic"));
    }
    assert_eq!(successors.len(), 1, "{successors:?}");
    world.refresh(successors.iter().next().expect("a successor")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_token_refreshes() {
    let world = World::open().await;
    let person = world.person().await.tokens;
    let (message, signature) = person.refresh.rsplit_once('.').expect("a JWT");
    let forged = format!("{message}.{}", signature.chars().rev().collect::<String>());
    for token in [person.access.as_str(), &forged, "a.b.c"] {
        assert_eq!(error_code(&world.refresh(token).await.expect(401)), "invalid_grant");
    }
    assert_eq!(error_code(&world.me(&person.refresh).await.expect(401)), "invalid_token");
    assert_eq!(error_code(&world.call("POST", "/auth/refresh").send().await.expect(400)), "invalid_request");
    world.refresh(&person.refresh).await.expect(200);
}
