//! `operator`: reads the command line, acts on the table, says what has become of it.

use std::io::Write as _;
use std::process::ExitCode;

use auth_core::audit::{AuditLog, ServiceName};
use auth_core::client::Client;
use auth_core::clock::Clock;
use auth_core::function::environment;
use auth_core::random::Random;
use auth_core::user::UserId;
use operator::cli::{self, Act, Command};
use operator::report::Report;
use operator::table::Location;
use operator::{Failure, IN_FLIGHT, Operator};

/// The exit status for a user or a session that is not there.
const NOT_FOUND: u8 = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match cli::read(std::env::args_os().skip(1)) {
        Ok(Command::Act { act, location, json }) => run(&act, &location, json).await,
        Ok(Command::Help) => say(cli::HELP),
        Ok(Command::Version) => say(concat!("operator ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(fault) => complain(&format!("{fault} (see --help)"), 2),
    }
}

async fn run(act: &Act, location: &Location, json: bool) -> ExitCode {
    let operator = match at_table(location).await {
        Ok(operator) => operator,
        Err(fault) => return complain(&fault, 1),
    };
    match carry_out(&operator, act).await {
        Ok(report) if json => say(&format!("{}\n", report.json())),
        Ok(report) => say(&report.text()),
        Err(failure @ (Failure::UnknownUser(_) | Failure::UnknownSession(_))) => {
            complain(&failure.to_string(), NOT_FOUND)
        }
        Err(failure) => complain(&failure.to_string(), 1),
    }
}

async fn at_table(location: &Location) -> Result<Operator, String> {
    let store = location.open().await?;
    // An audit line names who sits at the terminal. AWS knows under whose credentials it was: see CloudTrail.
    let name = environment("USER").or_else(|| environment("USERNAME")).unwrap_or_default();
    let agent = format!("operator/{} ({name})", env!("CARGO_PKG_VERSION"));
    let act = UserId::generate(&Random::system()).map_err(|error| error.to_string())?;
    let service = ServiceName::parse(&location.stack).unwrap_or_default();
    let caller = Client::new("", &agent, act.as_str()).in_invocation(act.as_str());
    Ok(Operator::new(store, Clock::system(), AuditLog::stderr(service), caller))
}

async fn carry_out(operator: &Operator, act: &Act) -> Result<Report, Failure> {
    Ok(match act {
        Act::Sessions(whom) => {
            let user = operator.find(whom).await?;
            let sessions = operator.sessions(&user).await?;
            Report::Sessions(user, sessions, operator.now())
        }
        Act::End(whom, sid) => {
            let user = operator.find(whom).await?;
            let revoked = operator.end(&user, sid).await?;
            Report::End(user, sid.clone(), revoked)
        }
        Act::EndAll(whom) => {
            let user = operator.find(whom).await?;
            let ended = operator.end_all(&user).await?;
            Report::EndAll(user, ended)
        }
        Act::Disable(whom) => {
            let user = operator.find(whom).await?;
            let disabled = operator.disable(&user, IN_FLIGHT).await?;
            Report::Disable(user, disabled)
        }
        Act::Enable(whom) => {
            let user = operator.find(whom).await?;
            let before = operator.enable(&user).await?;
            Report::Enable(user, before)
        }
        Act::Unlock(whom) => {
            let address = operator.address(whom).await?;
            let unlocked = operator.unlock(&address).await?;
            Report::Unlock(address, unlocked)
        }
        Act::Addresses => Report::Addresses(operator.addresses().await?),
        Act::Delete(whom) => {
            let (user, address) = (operator.find(whom).await?, operator.address(whom).await?);
            let deleted = operator.delete(&user, &address, IN_FLIGHT).await?;
            Report::Delete(user, deleted)
        }
    })
}

/// Standard output may be a pipe that nobody reads any more; that is no failure.
fn say(text: &str) -> ExitCode {
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn complain(faults: &str, status: u8) -> ExitCode {
    for line in faults.lines() {
        eprintln!("operator: {line}");
    }
    ExitCode::from(status)
}
