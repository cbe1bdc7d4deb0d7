//! What a login's argon2id costs against the crate's own best: CPU, in turns, in milliseconds.
//!
//! `make tokens` prints it, and what the C library takes for the same. Linux alone: it reads `/proc`.

use std::fs;
use std::hint::black_box;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use auth_core::password::Password;
use auth_core::password::hash::{Hasher, HashingConfig, PasswordHash};
use auth_core::random::Random;

type Failure = Box<dyn std::error::Error>;

const PASSWORD: &str = "plum-kettle-orbit";
const COST: HashingConfig = HashingConfig { memory_kib: 19_456, iterations: 2, parallelism: 1 };
const ROUNDS: usize = 41;

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let first = cpu()?;
    let hasher = Hasher::new(COST)?;
    let started = cpu()?;
    let hash = runtime.block_on(hasher.hash(Password::new(PASSWORD), &Random::system()))?;
    println!(
        "start of our hasher {:.1} ms, its first hash {:.1} ms",
        ms(started - first),
        ms(cpu()? - started)
    );

    let mut kept = vec![Block::default(); params()?.block_count()];
    let (mut fresh, mut reused, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        fresh.push(cost(|| raw(&mut vec![Block::default(); params()?.block_count()]))?);
        reused.push(cost(|| raw(&mut kept))?);
        ours.push(cost(|| login(&runtime, &hasher, &hash))?);
    }
    let best = median(&mut reused);
    println!("| argon2id, 19 MiB, t = 2 | CPU, ms | crate's best = 1 |\n|---|---:|---:|");
    for (name, mut costs) in [
        ("crate, a buffer for each hash", fresh),
        ("crate, buffer reused", reused),
        ("our login: check of a password", ours),
    ] {
        let middle = median(&mut costs);
        println!("| {name} | {:.2} | {:.2} |", ms(middle), ms(middle) / ms(best));
    }
    Ok(())
}

fn params() -> Result<Params, Failure> {
    Ok(Params::new(COST.memory_kib, COST.iterations, COST.parallelism, None)?)
}

fn raw(buffer: &mut [Block]) -> Result<(), Failure> {
    let mut output = [0; 32];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::default(), params()?);
    argon2.hash_password_into_with_memory(PASSWORD.as_bytes(), &[7; 16], &mut output, buffer)?;
    black_box(output);
    Ok(())
}

fn login(runtime: &tokio::runtime::Runtime, hasher: &Hasher, hash: &PasswordHash) -> Result<(), Failure> {
    black_box(runtime.block_on(hasher.verify(Password::new(PASSWORD), Some(hash.clone())))?);
    Ok(())
}

fn cost(work: impl FnOnce() -> Result<(), Failure>) -> Result<u64, Failure> {
    let before = cpu()?;
    work()?;
    Ok(cpu()? - before)
}

/// Nanoseconds of CPU of every thread (`/proc/PID/task/TID/schedstat`); none of them ends before the process does.
fn cpu() -> Result<u64, Failure> {
    // What a thread has used is written down when it stops running, or at the clock's next tick, milliseconds apart.
    std::thread::sleep(Duration::from_micros(50));
    let mut sum = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let times = fs::read_to_string(thread?.path().join("schedstat"))?;
        sum += times.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(sum)
}

fn median(costs: &mut [u64]) -> u64 {
    costs.sort_unstable();
    costs.get(costs.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of CPU are far below 2^52 ns")]
fn ms(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}
