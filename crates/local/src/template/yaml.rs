//! CloudFormation's YAML as JSON: the short forms of intrinsic functions (`!Ref X`) become their long forms
//! (`{"Ref": "X"}`), so that everything after this file knows one spelling.

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Value};

use super::Fault;

/// Deeper than any template that was written by hand, shallow enough for the stack.
const MAX_DEPTH: usize = 64;

/// Reads one YAML document.
///
/// # Errors
/// A [`Fault`] that names the line: broken YAML, a key that is there twice, or what CloudFormation itself does not
/// support (aliases; see "Template format" in the AWS CloudFormation User Guide).
pub fn parse(text: &str) -> Result<Value, Fault> {
    let mut reader = Reader { events: Parser::new_from_str(text) };
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(_) => {}
            Event::StreamEnd => return Err(at(span, "the template is empty")),
            first => return reader.node(first, span, 0),
        }
    }
}

struct Reader<'t> {
    events: Parser<'t, StrInput<'t>>,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), Fault> {
        match self.events.next_event() {
            Some(Ok(pair)) => Ok(pair),
            Some(Err(error)) => Err(Fault::new(
                format!("line {}", error.marker().line()),
                format!("not YAML: {}", error.info()),
            )),
            None => Err(Fault::new("end of file", "the template ends too early")),
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Value, Fault> {
        if depth > MAX_DEPTH {
            return Err(at(span, "nested too deeply"));
        }
        match event {
            Event::Scalar(text, style, _, tag) => scalar(&text, style, tag.as_deref(), span),
            Event::SequenceStart(_, tag) => {
                let items = self.sequence(depth)?;
                tagged(items, tag.as_deref(), span)
            }
            Event::MappingStart(_, tag) => {
                let fields = self.mapping(depth)?;
                tagged(fields, tag.as_deref(), span)
            }
            Event::Alias(_) => Err(at(span, "CloudFormation does not support YAML aliases")),
            _ => Err(at(span, "not a value")),
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::Array(items));
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut fields = Map::new();
        loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(Value::Object(fields)),
                Event::Scalar(key, ..) => key.into_owned(),
                _ => return Err(at(span, "a key must be a word")),
            };
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span, depth + 1)?;
            if fields.insert(key.clone(), value).is_some() {
                return Err(at(span, &format!("`{key}` is there twice")));
            }
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<Value, Fault> {
    match tag {
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => Ok(Value::from(text)),
        Some(tag) if tag.is_yaml_core_schema() => Ok(plain(text)),
        Some(tag) if tag.suffix == "GetAtt" => {
            // `!GetAtt A.B.C` is the attribute `B.C` of `A`.
            let (resource, attribute) =
                text.split_once('.').ok_or_else(|| at(span, "!GetAtt wants Resource.Attribute"))?;
            Ok(long_form("Fn::GetAtt", Value::from(vec![resource, attribute])))
        }
        Some(_) => tagged(Value::from(text), tag, span),
        None if style == ScalarStyle::Plain => Ok(plain(text)),
        None => Ok(Value::from(text)),
    }
}

fn tagged(value: Value, tag: Option<&Tag>, span: Span) -> Result<Value, Fault> {
    let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) else { return Ok(value) };
    match (tag.handle.as_str(), tag.suffix.as_str()) {
        ("!", name @ ("Ref" | "Condition")) => Ok(long_form(name, value)),
        ("!", name) if name.chars().all(char::is_alphanumeric) => {
            Ok(long_form(&format!("Fn::{name}"), value))
        }
        _ => Err(at(span, &format!("unknown tag {tag}"))),
    }
}

fn long_form(name: &str, argument: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), argument)]))
}

/// A scalar without quotes, by the rules of YAML 1.1, which is what SAM and CloudFormation read: `on` and `yes` are
/// booleans there, and so they are here, or a template would work locally and fail when it is deployed.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::from(text)),
    }
}

fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts_like_one = digits.starts_with(|first: char| first.is_ascii_digit());
    // `0123` is octal in one YAML version and decimal in the next: left as the text that it is.
    let ambiguous = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    if !starts_like_one || ambiguous || !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    text.parse::<i64>().ok().map(Value::from).or_else(|| text.parse::<f64>().ok().map(Value::from))
}

fn at(span: Span, what: &str) -> Fault {
    Fault::new(format!("line {}", span.start.line()), what)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn short_forms_become_long_forms() {
        let read =
            parse("a: !Ref T\nb: !GetAtt F.Arn.X\nc: !If [IsHttp, !Sub '${A}-b', 2]\nd: !Condition C\n");
        assert_eq!(
            read,
            Ok(json!({
                "a": {"Ref": "T"},
                "b": {"Fn::GetAtt": ["F", "Arn.X"]},
                "c": {"Fn::If": ["IsHttp", {"Fn::Sub": "${A}-b"}, 2]},
                "d": {"Condition": "C"},
            }))
        );
    }

    #[test]
    fn plain_words_are_read_by_yaml_1_1() {
        let read = parse("[on, 'on', no, 900, 2.0, 0123, 1.2.3, 2010-09-09, ~, 15m]");
        assert_eq!(
            read,
            Ok(json!([true, "on", false, 900, 2.0, "0123", "1.2.3", "2010-09-09", null, "15m"]))
        );
    }

    #[test]
    fn a_fault_names_its_line() {
        for (text, says) in [
            ("a: 1\na: 2\n", "line 2: `a` is there twice"),
            ("a: &x 1\nb: *x\n", "line 2: CloudFormation does not support YAML aliases"),
            ("", "line 1: the template is empty"),
            ("a: !GetAtt Only\n", "line 1: !GetAtt wants Resource.Attribute"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), says);
        }
        assert!(parse("a: [1, 2\nb: 3").unwrap_err().to_string().starts_with("line "));
    }
}
