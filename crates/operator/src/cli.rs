//! The command line.

use std::ffi::OsString;

use auth_core::session::SessionId;
use auth_core::user::UserId;

use crate::Whom;
use crate::table::Location;

/// What `--help` says.
pub const HELP: &str = "\
What an operator does to users and their sessions, on the table of a Latchkey deployment.

Usage: operator [options] COMMAND

  sessions USER          list the user's sessions, those that have ended too
  end USER SESSION       end one session
  end USER --all         end every session
  disable USER           keep the user from signing in, and end every session; takes 11 s, see below
  enable USER            let the user sign in again; ended sessions stay ended
  unlock USER            remove the lock and the counts of failed logins and password changes
  delete USER --yes      delete the user, the password and the records of all sessions, for ever; takes 11 s
  addresses              list accounts whose addresses are one address, as Greek capitals make them; reads the whole table

USER is an e-mail address or a user id. `unlock` takes any address, with or without a user.

  --stack NAME           the stack whose table it is (latchkey)
  --table NAME           the table itself, if its name cannot be told from the stack's
  --region NAME          the AWS region, if not that of the environment or the profile
  --profile NAME         the AWS profile, if not that of the environment
  --endpoint URL         another DynamoDB; `make run` says which URL is its own
  --json                 say it as one JSON object on standard output
  --help                 show this
  --version              show the version

AWS credentials come from the environment, a profile or single sign-on, as for the AWS CLI. Every change is an audit line on
standard error.

An access token and a refresh token of an ended session are refused from the next request on. `disable` waits for the
longest request that can be under way, as it may be a login that has read the user just before, and then ends what
that one has begun. `delete` waits for the same before it deletes sessions; if it is broken off, give it the user id, which
its first audit line has, to go on. The address is free as soon as it has begun.

Exit status: 0 done, 1 failed, 2 wrong command line, 3 no such user or session.
";

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// To act.
    Act {
        /// What to do.
        act: Box<Act>,
        /// On which table.
        location: Location,
        /// Whether to say it as JSON.
        json: bool,
    },
    /// To say how it is used.
    Help,
    /// To say which version it is.
    Version,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// `sessions USER`.
    Sessions(Whom),
    /// `end USER SESSION`.
    End(Whom, SessionId),
    /// `end USER --all`.
    EndAll(Whom),
    /// `disable USER`.
    Disable(Whom),
    /// `enable USER`.
    Enable(Whom),
    /// `unlock USER`.
    Unlock(Whom),
    /// `delete USER --yes`.
    Delete(Whom),
    /// `addresses`.
    Addresses,
}

/// Reads the arguments of the command line, without the name of the program.
///
/// # Errors
///
/// One line: an unknown option or command, or an argument that is missing, wrong or too much.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    use lexopt::prelude::{Long, Value, ValueExt as _};
    let mut parser = lexopt::Parser::from_args(arguments);
    let (mut words, mut all, mut yes, mut json) = (Vec::new(), false, false, false);
    let mut location =
        Location { table: None, stack: "latchkey".into(), region: None, profile: None, endpoint: None };
    loop {
        if let Some(sid) = next_session(&mut parser) {
            words.push(sid);
            continue;
        }
        let Some(argument) = parser.next().map_err(|error| error.to_string())? else { break };
        match argument {
            Value(word) => words.push(word.string().map_err(|error| error.to_string())?),
            Long("all") => all = true,
            Long("yes") => yes = true,
            Long("json") => json = true,
            Long("stack") => location.stack = value(&mut parser)?,
            Long("table") => location.table = Some(value(&mut parser)?),
            Long("region") => location.region = Some(value(&mut parser)?),
            Long("profile") => location.profile = Some(value(&mut parser)?),
            Long("endpoint") => location.endpoint = Some(url(value(&mut parser)?)?),
            Long("help") => return Ok(Command::Help),
            Long("version") => return Ok(Command::Version),
            other => return Err(other.unexpected().to_string()),
        }
    }
    Ok(Command::Act { act: Box::new(act(&words, all, yes)?), location, json })
}

/// The next argument, if it is the identifier of a session: those are base64url, and may begin with a hyphen.
fn next_session(parser: &mut lexopt::Parser) -> Option<String> {
    let mut raw = parser.try_raw_args()?;
    let sid = raw.peek()?.to_str().filter(|text| SessionId::parse(text).is_ok())?.to_owned();
    raw.next();
    Some(sid)
}

fn value(parser: &mut lexopt::Parser) -> Result<String, String> {
    parser.value().and_then(lexopt::ValueExt::string).map_err(|error| error.to_string())
}

fn url(text: String) -> Result<String, String> {
    let known = text.starts_with("http://") || text.starts_with("https://");
    if known { Ok(text) } else { Err("--endpoint wants an http:// or https:// URL".to_owned()) }
}

fn act(words: &[String], all: bool, yes: bool) -> Result<Act, String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if yes && words.first() != Some(&"delete") {
        return Err("--yes goes with delete alone".to_owned());
    }
    let act = match (words.as_slice(), all) {
        (["end", user], true) => Act::EndAll(whom(user)?),
        (["end", user, sid], false) => {
            let sid =
                SessionId::parse(sid).map_err(|_| format!("{sid:?} is not the identifier of a session"))?;
            Act::End(whom(user)?, sid)
        }
        (["end", ..], _) => return Err("end wants a user, and a session or --all".to_owned()),
        (_, true) => return Err("--all goes with end alone".to_owned()),
        (["sessions", user], _) => Act::Sessions(whom(user)?),
        (["disable", user], _) => Act::Disable(whom(user)?),
        (["enable", user], _) => Act::Enable(whom(user)?),
        (["unlock", user], _) => Act::Unlock(whom(user)?),
        (["delete", user], _) if yes => Act::Delete(whom(user)?),
        (["addresses"], _) => Act::Addresses,
        (["addresses", ..], _) => return Err("addresses is about all users, and wants none".to_owned()),
        (["delete", _], _) => return Err("what delete does cannot be undone: give --yes".to_owned()),
        ([command @ ("sessions" | "disable" | "enable" | "unlock" | "delete"), ..], _) => {
            return Err(format!("{command} wants one user, by e-mail address or id"));
        }
        ([other, ..], _) => return Err(format!("there is no command {other:?}")),
        ([], _) => return Err("there is no command".to_owned()),
    };
    Ok(act)
}

fn whom(text: &str) -> Result<Whom, String> {
    if let Ok(id) = UserId::parse(text) {
        return Ok(Whom::Id(id));
    }
    text.parse()
        .map(Whom::Address)
        .map_err(|_| format!("{text:?} is neither an e-mail address nor a user id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn run(line: &str) -> Result<Command, String> {
        read(line.split_whitespace().map(OsString::from))
    }

    fn act(line: &str) -> Act {
        match run(line) {
            Ok(Command::Act { act, .. }) => *act,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn every_command_is_understood() {
        let ada = || Whom::Address("ada@example.com".parse().unwrap());
        let id = "2bb7914a-f4df-4690-a9cd-01419535ce7d";
        assert_eq!(act("sessions ada@example.com"), Act::Sessions(ada()));
        assert_eq!(act(&format!("sessions {id}")), Act::Sessions(Whom::Id(UserId::parse(id).unwrap())));
        assert_eq!(
            act(&format!("end ada@example.com {SID}")),
            Act::End(ada(), SessionId::parse(SID).unwrap())
        );
        let hyphen = SID.replacen('A', "-", 1);
        assert_eq!(
            act(&format!("end ada@example.com {hyphen} --json")),
            Act::End(ada(), SessionId::parse(&hyphen).unwrap())
        );
        assert_eq!(act("end --all ada@example.com"), Act::EndAll(ada()));
        assert_eq!(act("disable ada@example.com"), Act::Disable(ada()));
        assert_eq!(act("enable ada@example.com"), Act::Enable(ada()));
        assert_eq!(act("unlock ada@example.com"), Act::Unlock(ada()));
        assert_eq!(act("delete ada@example.com --yes"), Act::Delete(ada()));
        assert_eq!(act("addresses --json"), Act::Addresses);
        assert_eq!((run("--help"), run("sessions --version")), (Ok(Command::Help), Ok(Command::Version)));
    }

    #[test]
    fn every_option_is_understood() {
        let line =
            "--stack s --table t --region r --profile p --endpoint http://x --json sessions ada@example.com";
        let Ok(Command::Act { location, json, .. }) = run(line) else { panic!("it acts") };
        let text = |text: &str| Some(text.to_owned());
        let expected = Location {
            table: text("t"),
            stack: "s".into(),
            region: text("r"),
            profile: text("p"),
            endpoint: text("http://x"),
        };
        assert_eq!((location, json), (expected, true));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_one_line() {
        for (line, says) in [
            ("", "there is no command"),
            ("erase ada@example.com", "there is no command \"erase\""),
            ("delete ada@example.com", "what delete does cannot be undone: give --yes"),
            ("disable ada@example.com --yes", "--yes goes with delete alone"),
            ("delete --yes", "delete wants one user, by e-mail address or id"),
            ("sessions", "sessions wants one user, by e-mail address or id"),
            ("disable a@example.com b@example.com", "disable wants one user, by e-mail address or id"),
            ("disable --all a@example.com", "--all goes with end alone"),
            ("addresses a@example.com", "addresses is about all users, and wants none"),
            ("end a@example.com", "end wants a user, and a session or --all"),
            ("end a@example.com x --all", "end wants a user, and a session or --all"),
            ("end a@example.com x", "\"x\" is not the identifier of a session"),
            ("enable ada", "\"ada\" is neither an e-mail address nor a user id"),
            ("enable a@example.com --endpoint x", "--endpoint wants an http:// or https:// URL"),
            ("enable a@example.com --table", "missing argument for option '--table'"),
            ("enable a@example.com --tabel x", "invalid option '--tabel'"),
        ] {
            assert_eq!(run(line), Err(says.to_owned()), "{line}");
        }
    }
}
