//! `local`: reads the command line and the environment, starts the stack, waits for Ctrl-C.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use auth_core::Platform;
use auth_core::audit::ServiceName;
use auth_core::config;
use auth_core::telemetry::LogLevel;
use local::cli::{self, Arguments, Command};
use local::outputs::Outputs;
use local::stack::{Options, Stack, StartError};
use local::{banner, public_suffix};

fn main() -> ExitCode {
    let arguments = match cli::read(std::env::args_os().skip(1)) {
        Ok(Command::Run(arguments)) => arguments,
        Ok(Command::CheckOrigins(origins)) => {
            return match public_suffix::check(&origins) {
                Ok(()) => ExitCode::SUCCESS,
                Err(faults) => fail(&faults),
            };
        }
        Ok(Command::Help) => return say(cli::HELP),
        Ok(Command::Version) => return say(concat!("local ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(fault) => {
            eprintln!("local: {fault} (see --help)");
            return ExitCode::from(2);
        }
    };
    match run(*arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => fail(&fault.to_string()),
    }
}

/// One line for each fault.
fn fail(faults: &str) -> ExitCode {
    for line in faults.lines() {
        eprintln!("local: {line}");
    }
    ExitCode::FAILURE
}

/// Standard output may be a pipe that nobody reads any more; that is no failure.
fn say(text: &str) -> ExitCode {
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

#[tokio::main]
async fn run(arguments: Arguments) -> Result<(), StartError> {
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let lookup = |name: &str| environment.get(name).cloned();
    // A level or a name that is not one is reported by the functions, along with everything else.
    if let Ok(level) = config::from_lookup(&lookup, |settings| Some(LogLevel::read(settings))) {
        level.start();
    }
    let service = config::from_lookup(&lookup, |settings| Some(ServiceName::read(settings)));
    let platform = Platform::system(service.unwrap_or_default());
    let demo = platform.random.bytes::<3>().map(|bytes| bytes.map(|byte| format!("{byte:02x}")).concat());
    let stack = Stack::start(Options {
        template: arguments.template,
        payload: arguments.payload,
        base_path: arguments.base_path,
        data: arguments.data,
        table: arguments.table,
        demo: arguments.demo,
        port: arguments.port,
        beside: arguments.beside,
        environment,
        platform,
        log: Arc::new(|method, path, status, ms| eprintln!("{method} {path} {status} {ms} ms")),
        complain: Arc::new(|why| eprintln!("{why}")),
    })
    .await?;
    let stopped = signals()?;
    let outputs = arguments.outputs.map(|file| Outputs::write(file, &stack)).transpose()?;
    say(&banner::text(&stack, &demo.unwrap_or_default()));
    stopped.await;
    drop(outputs);
    stack.stop().await;
    Ok(())
}

/// Done at Ctrl-C, or when the process is asked to end. The handlers are in place when this returns.
fn signals() -> Result<impl Future<Output = ()>, String> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let handler = |kind| signal(kind).map_err(|error| format!("no signal handler: {error}"));
        let (mut interrupt, mut terminate) =
            (handler(SignalKind::interrupt())?, handler(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // Without a handler the system ends the process, which is what is wanted.
        let _ = tokio::signal::ctrl_c().await;
    })
}
