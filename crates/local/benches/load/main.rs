//! Load on the whole API: the local stack as a process of its own, and clients that keep to their schedule whatever it does.
//!
//! `make load` prints how many requests each endpoint answered and how long that took, and ends with a failure if one was not
//! answered as it should be or if the process has grown. An open loop: a request is due at its time, however slow the one before
//! it was, and its latency counts from then. It is bounded: what would be more than [`MOST_UNDER_WAY`] requests at once is not
//! sent and counts as an error. Absolute times are the machine's; half of the work is the table's, which is in the same process.

mod client;
mod report;
mod stack;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::client::{Client, Tokens};
use crate::report::{Report, Sample};
use crate::stack::Stack;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Requests under way at the same time, at most.
const MOST_UNDER_WAY: usize = 256;

/// Users with a session that stays, and sessions that are refreshed.
const USERS: usize = 32;

/// Before the measurement: connections are opened, caches filled.
const WARM_UP: Duration = Duration::from_secs(10);

/// What clients do, and how often in a second, times `LOAD_RATE`.
const SCHEDULE: [(Operation, u32); 7] = [
    (Operation::Me, 20),
    (Operation::Refresh, 6),
    (Operation::Change, 1),
    (Operation::Sessions, 1),
    (Operation::Login, 1),
    (Operation::Logout, 1),
    (Operation::Signup, 1),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Me,
    Refresh,
    Change,
    Sessions,
    Login,
    Logout,
    Signup,
}

/// What the clients have.
struct Clients {
    client: Client,
    /// Whose access tokens are used, and never ended.
    staying: Vec<Tokens>,
    /// Whose refresh tokens are used; one that is under way is not in here.
    refreshing: Mutex<Vec<Tokens>>,
    /// Who has logged in to log out.
    leaving: Mutex<Vec<Tokens>>,
    newcomers: AtomicUsize,
    slots: Semaphore,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (seconds, rate) = (number("LOAD_SECONDS", 60)?, number("LOAD_RATE", 1)?);
    let stack = Stack::start()?;
    let clients = Arc::new(Clients::sign_up(&stack).await?);
    clients.run(WARM_UP, rate).await;
    let before = stack.resident_kib()?;
    let report = clients.run(Duration::from_secs(seconds.into()), rate).await;
    let after = stack.resident_kib()?;
    print!("{report}");
    println!("memory of the stack: {before} KiB before, {after} KiB after");
    report.verdict(before, after)
}

fn number(variable: &str, default: u32) -> Result<u32, Failure> {
    #[expect(clippy::disallowed_methods, reason = "the length of a run is not a setting of the service")]
    let text = std::env::var(variable).ok();
    Ok(text.map_or(Ok(default), |text| text.parse())?)
}

impl Clients {
    async fn sign_up(stack: &Stack) -> Result<Self, Failure> {
        let client = Client::new(stack.url());
        let (mut staying, mut refreshing) = (Vec::new(), Vec::new());
        for number in 0..USERS {
            staying.push(client.sign_up(&format!("staying-{number}@example.com")).await?);
            refreshing.push(client.sign_up(&format!("refreshing-{number}@example.com")).await?);
        }
        Ok(Self {
            client,
            staying,
            refreshing: Mutex::new(refreshing),
            leaving: Mutex::default(),
            newcomers: AtomicUsize::new(0),
            slots: Semaphore::new(MOST_UNDER_WAY),
        })
    }

    /// Keeps to the schedule for so long, so many times as fast.
    async fn run(self: &Arc<Self>, span: Duration, times: u32) -> Report {
        let start = Instant::now();
        let mut kinds = JoinSet::new();
        for (operation, rate) in SCHEDULE {
            let clients = Arc::clone(self);
            kinds.spawn(
                async move { (operation, clients.keep_to(operation, rate * times, start, span).await) },
            );
        }
        let mut report = Report::new(span);
        for (operation, samples) in kinds.join_all().await {
            report.add(operation, samples);
        }
        report
    }

    async fn keep_to(
        self: Arc<Self>,
        operation: Operation,
        rate: u32,
        start: Instant,
        span: Duration,
    ) -> Vec<Sample> {
        let mut requests = JoinSet::new();
        for number in 0_u32.. {
            let due = Duration::from_secs(number.into()) / rate;
            if due >= span {
                break;
            }
            let due = start + due;
            sleep_until(due).await;
            let clients = Arc::clone(&self);
            requests.spawn(async move {
                let outcome = clients.request(operation, number).await;
                Sample { taken: due.elapsed(), fault: outcome.err().map(|fault| fault.to_string()) }
            });
        }
        requests.join_all().await
    }

    async fn request(&self, operation: Operation, number: u32) -> Result<(), Failure> {
        let _slot = self.slots.try_acquire().map_err(|_| "too many requests under way")?;
        let number = number as usize;
        let user = self.staying.get(number % USERS).ok_or("nobody stays")?;
        match operation {
            Operation::Me => self.client.get("/auth/me", &user.access).await,
            Operation::Sessions => self.client.get("/auth/sessions", &user.access).await,
            Operation::Change => self.client.change_name(&user.access, &format!("Ada {number}")).await,
            Operation::Signup => {
                let address = format!("new-{}@example.com", self.newcomers.fetch_add(1, Ordering::Relaxed));
                self.client.sign_up(&address).await.map(drop)
            }
            Operation::Login => {
                let address = format!("staying-{}@example.com", number % USERS);
                put(&self.leaving, self.client.log_in(&address).await?);
                Ok(())
            }
            // The first is due before anybody has logged in.
            Operation::Logout => match take(&self.leaving) {
                Some(tokens) => self.client.log_out(&tokens.refresh).await,
                None => Ok(()),
            },
            Operation::Refresh => {
                let tokens = take(&self.refreshing).ok_or("every session is being refreshed")?;
                put(&self.refreshing, self.client.refresh(&tokens.refresh).await?);
                Ok(())
            }
        }
    }
}

fn put(pool: &Mutex<Vec<Tokens>>, tokens: Tokens) {
    pool.lock().unwrap_or_else(PoisonError::into_inner).push(tokens);
}

fn take(pool: &Mutex<Vec<Tokens>>) -> Option<Tokens> {
    let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
    // The one that has waited longest.
    (!pool.is_empty()).then(|| pool.remove(0))
}
