//! Runs one hot path of the functions a given number of times, and nothing else: `instructions PATH COUNT`.
//!
//! `make instructions` counts its instructions under valgrind, once for few rounds and once for many; the difference is what the
//! rounds cost. Time stands still and randomness is seeded, so that a count changes with the code alone.

mod paths;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["--list"] => {
            for (name, _) in paths::ALL {
                println!("{name}");
            }
            Ok(())
        }
        [name, count] => run(name, count),
        _ => Err("usage: instructions --list | instructions PATH COUNT".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("instructions: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(name: &str, count: &str) -> paths::Outcome {
    let count = count.parse()?;
    let (_, path) = paths::ALL.iter().find(|(known, _)| *known == name).ok_or("there is no such path")?;
    match path {
        paths::Path::Plain(path) => path(count),
        // On the runtime that the functions have.
        paths::Path::Service(path) => {
            tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(path(count))
        }
    }
}
