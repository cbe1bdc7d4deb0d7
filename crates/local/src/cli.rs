//! The command line.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::api::ApiKind;
use crate::options::LOOPBACK;
use crate::stack::Data;

/// What `--help` says.
pub const HELP: &str = "\
Latchkey on this machine: every route, the authorizer and the table of template.yaml, without a cloud.

Usage: local [options]

  --port N            listen on 127.0.0.1:N (3000; 0 takes any free port)
  --memory            keep the data in memory
  --data FILE         keep the data in FILE (.local/latchkey.db)
  --endpoint URL      use another DynamoDB, with the AWS_* keys of the environment if there are any
  --table-address IP  let the table listen on IP, where containers reach it (127.0.0.1)
  --table-port N      let the table listen on port N (0: any free port)
  --outputs FILE      write the URL, the routes, and the functions with their secrets to FILE while this runs
  --payload rest|http send the functions REST 1.0 or HTTP API 2.0 events (as the template says)
  --base-path P       stand behind a custom domain's base path mapping, such as /api/v1
  --template FILE     read FILE (template.yaml)
  --beside FILE       run the APIs of another stack's template too, at the ports after N
  --demo DIR          serve the files of DIR beside the API, from / on
  --check-origins L   say what is wrong with L as a value of CORS_ALLOWED_ORIGINS, public suffixes too, and end
  --help              show this
  --version           show the version

Every setting can be overridden from the environment: ACCESS_TOKEN_EXPIRY=5s local
";

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// To start.
    Run(Box<Arguments>),
    /// To say what is wrong with this value of `CORS_ALLOWED_ORIGINS`.
    CheckOrigins(String),
    /// To say how it is used.
    Help,
    /// To say which version it is.
    Version,
}

/// The options of a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// `--port`.
    pub port: u16,
    /// `--memory`, `--data` or `--endpoint`.
    pub data: Data,
    /// `--table-address` and `--table-port`.
    pub table: SocketAddr,
    /// `--outputs`.
    pub outputs: Option<PathBuf>,
    /// `--payload`.
    pub payload: Option<ApiKind>,
    /// `--base-path`, with a slash at the start and none at the end.
    pub base_path: Option<String>,
    /// `--template`.
    pub template: PathBuf,
    /// `--beside`.
    pub beside: Option<PathBuf>,
    /// `--demo`.
    pub demo: Option<PathBuf>,
}

/// Reads the arguments of the command line, without the name of the program.
///
/// # Errors
/// One line: an unknown option, a value that is missing or wrong, or options that exclude each other.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    use lexopt::prelude::Long;
    let mut parser = lexopt::Parser::from_args(arguments);
    let (mut port, mut memory, mut file, mut endpoint) = (3000, false, None, None);
    let (mut payload, mut base_path, mut template) = (None, None, PathBuf::from("template.yaml"));
    let (mut beside, mut demo, mut outputs) = (None, None, None);
    let (mut table_address, mut table_port) = (None, None);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Long("port") => port = number("--port", &value(&mut parser)?)?,
            Long("memory") => memory = true,
            Long("data") => file = Some(PathBuf::from(value(&mut parser)?)),
            Long("endpoint") => endpoint = Some(url(&value(&mut parser)?)?),
            Long("table-address") => table_address = Some(address(&value(&mut parser)?)?),
            Long("table-port") => table_port = Some(number("--table-port", &value(&mut parser)?)?),
            Long("outputs") => outputs = Some(PathBuf::from(value(&mut parser)?)),
            Long("payload") => payload = Some(kind(&value(&mut parser)?)?),
            Long("base-path") => base_path = mapping(&value(&mut parser)?)?,
            Long("template") => template = PathBuf::from(value(&mut parser)?),
            Long("beside") => beside = Some(PathBuf::from(value(&mut parser)?)),
            Long("demo") => demo = Some(PathBuf::from(value(&mut parser)?)),
            Long("check-origins") => {
                let origins = value(&mut parser)?.into_string();
                return origins
                    .map(Command::CheckOrigins)
                    .map_err(|_| "--check-origins wants text".to_owned());
            }
            Long("help") => return Ok(Command::Help),
            Long("version") => return Ok(Command::Version),
            other => return Err(other.unexpected().to_string()),
        }
    }
    if endpoint.is_some() && (table_address.is_some() || table_port.is_some()) {
        return Err("--endpoint excludes --table-address and --table-port".to_owned());
    }
    let data = data(memory, file, endpoint)?;
    let table =
        SocketAddr::new(table_address.unwrap_or(LOOPBACK.ip()), table_port.unwrap_or(LOOPBACK.port()));
    let arguments = Arguments { port, data, table, outputs, payload, base_path, template, beside, demo };
    Ok(Command::Run(Box::new(arguments)))
}

fn value(parser: &mut lexopt::Parser) -> Result<OsString, String> {
    parser.value().map_err(|error| error.to_string())
}

fn data(memory: bool, file: Option<PathBuf>, endpoint: Option<String>) -> Result<Data, String> {
    let usual = || PathBuf::from(".local/latchkey.db");
    match (memory, file, endpoint) {
        (false, file, None) => Ok(Data::File(file.unwrap_or_else(usual))),
        (false, None, Some(url)) => Ok(Data::Endpoint { url, beside: usual() }),
        (true, None, None) => Ok(Data::Memory),
        _ => Err("--memory, --data and --endpoint exclude each other".to_owned()),
    }
}

fn url(value: &OsString) -> Result<String, String> {
    let text = value.to_str().filter(|text| text.starts_with("http://") || text.starts_with("https://"));
    text.map(str::to_owned).ok_or_else(|| "--endpoint wants an http:// or https:// URL".to_owned())
}

fn number(option: &str, value: &OsString) -> Result<u16, String> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| format!("{option} wants a number from 0 to 65535"))
}

/// One address. The table accepts any key: on all addresses of the machine it would be everybody's.
fn address(value: &OsString) -> Result<IpAddr, String> {
    let address: Option<IpAddr> = value.to_str().and_then(|text| text.parse().ok());
    let address = address.ok_or("--table-address wants an IP address such as 172.17.0.1")?;
    if address.to_canonical().is_unspecified() {
        return Err(format!("--table-address wants one address, not {address}: the table accepts any key"));
    }
    Ok(address)
}

fn kind(value: &OsString) -> Result<ApiKind, String> {
    match value.to_str() {
        Some("rest") => Ok(ApiKind::Rest),
        Some("http") => Ok(ApiKind::Http),
        _ => Err("--payload wants rest or http".to_owned()),
    }
}

fn mapping(value: &OsString) -> Result<Option<String>, String> {
    let text = value.to_str().unwrap_or_default().trim_end_matches('/');
    let word = |part: &str| {
        !part.is_empty()
            && part.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
    };
    match text.strip_prefix('/') {
        None if text.is_empty() => Ok(None),
        Some(path) if path.split('/').all(word) => Ok(Some(text.to_owned())),
        _ => Err("--base-path wants a path such as /api/v1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<Command, String> {
        read(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn every_option_is_understood() {
        let line = "--port 0 --data x.db --payload=http --base-path /api/v1/ --template t.yaml --beside o.yaml \
                    --demo d --table-address 172.17.0.1 --table-port 3200 --outputs o.json";
        assert_eq!(
            run(line),
            Ok(Command::Run(Box::new(Arguments {
                port: 0,
                data: Data::File("x.db".into()),
                table: SocketAddr::from(([172, 17, 0, 1], 3200)),
                outputs: Some("o.json".into()),
                payload: Some(ApiKind::Http),
                base_path: Some("/api/v1".to_owned()),
                template: "t.yaml".into(),
                beside: Some("o.yaml".into()),
                demo: Some("d".into()),
            })))
        );
        let origins = "https://*.preview.example.com".to_owned();
        assert_eq!(run(&format!("--check-origins {origins}")), Ok(Command::CheckOrigins(origins)));
        assert_eq!(run("--help"), Ok(Command::Help));
        assert_eq!(run("--version"), Ok(Command::Version));
    }

    #[test]
    fn without_options_it_is_the_usual_port_and_file() {
        let Ok(Command::Run(usual)) = run("") else { panic!("it runs") };
        assert_eq!((usual.port, usual.data), (3000, Data::File(".local/latchkey.db".into())));
        assert_eq!(usual.template, PathBuf::from("template.yaml"));
        assert_eq!((usual.payload, usual.base_path, usual.beside), (None, None, None));
        assert_eq!((usual.demo, usual.outputs), (None, None));
        assert_eq!(usual.table, SocketAddr::from(([127, 0, 0, 1], 0)));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_one_line() {
        for (line, says) in [
            ("--portt 1", "invalid option '--portt'"),
            ("--port x", "--port wants a number from 0 to 65535"),
            ("--port 65536", "--port wants a number from 0 to 65535"),
            ("--port", "missing argument for option '--port'"),
            ("--memory --data x", "--memory, --data and --endpoint exclude each other"),
            ("--memory --endpoint http://x", "--memory, --data and --endpoint exclude each other"),
            ("--endpoint ftp://x", "--endpoint wants an http:// or https:// URL"),
            ("--payload soap", "--payload wants rest or http"),
            ("--base-path api", "--base-path wants a path such as /api/v1"),
            ("--base-path /a//b", "--base-path wants a path such as /api/v1"),
            ("--table-port 65536", "--table-port wants a number from 0 to 65535"),
            ("--table-address localhost", "--table-address wants an IP address such as 172.17.0.1"),
            ("--endpoint http://x --table-port 1", "--endpoint excludes --table-address and --table-port"),
            (
                "--endpoint http://x --table-address 172.17.0.1",
                "--endpoint excludes --table-address and --table-port",
            ),
            ("stray", "unexpected argument \"stray\""),
            ("-p", "invalid option '-p'"),
        ] {
            assert_eq!(run(line), Err(says.to_owned()), "{line}");
        }
    }

    #[test]
    fn rejects_a_table_on_all_addresses() {
        for address in ["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0"] {
            let says = run(&format!("--table-address {address}")).err().unwrap_or_default();
            assert!(says.starts_with("--table-address wants one address, not "), "{address}: {says}");
        }
    }
}
