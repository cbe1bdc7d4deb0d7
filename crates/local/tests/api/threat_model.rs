//! `docs/threat-model.md` names tests that exist, and every requirement of the chapters that it walks through.

use std::collections::BTreeSet;
use std::path::Path;

const THREAT_MODEL: &str = include_str!("../../../../docs/threat-model.md");

/// How many requirements each section of ASVS 5.0.0 has.
const SECTIONS: [(&str, &[u32]); 8] = [
    ("V3", &[1, 3, 5, 8, 8, 1, 5]),
    ("V6", &[3, 12, 8, 6, 8, 4, 2, 4]),
    ("V7", &[3, 4, 2, 5, 3, 2]),
    ("V9", &[3, 4]),
    ("V10", &[2, 3, 5, 16, 5, 2, 3]),
    ("V11", &[4, 5, 5, 4, 2, 2, 2]),
    ("V14", &[2, 8, 3]),
    ("V16", &[1, 5, 4, 3, 4]),
];

#[test]
fn every_test_that_is_named_exists() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut named = BTreeSet::new();
    for text in THREAT_MODEL.split('`').skip(1).step_by(2) {
        let Some((file, test)) = text.split_once(".rs::").filter(|(_, test)| *test != "…") else {
            continue;
        };
        let file = format!("{file}.rs");
        let of = [crates.join("local/tests").join(&file), crates.join(&file)];
        let source = of.iter().find_map(|path| std::fs::read_to_string(path).ok());
        let source = source.unwrap_or_else(|| panic!("{file} does not exist"));
        let (before, _) =
            source.split_once(&format!("fn {test}()")).unwrap_or_else(|| panic!("{text} does not exist"));
        let attributes = before.trim_end().trim_end_matches("async").trim_end();
        assert!(attributes.ends_with(']') && attributes.contains("test"), "{text} is no test");
        named.insert(text);
    }
    assert!(named.len() > 60, "{}", named.len());
}

#[test]
fn every_requirement_of_the_chapters_is_answered_once() {
    let mut answered = Vec::new();
    for row in THREAT_MODEL.lines().filter(|line| line.starts_with("| V")) {
        let mut cells = row.trim_matches('|').split(" | ").map(str::trim);
        let requirement = cells.next().expect("a requirement");
        assert!(cells.next().is_some_and(|how| how.len() > 3), "{requirement} says nothing");
        let (section, numbers) = requirement.rsplit_once('.').expect("a number");
        let (first, last) = numbers.split_once('–').unwrap_or((numbers, numbers));
        let number = |text: &str| text.parse::<u32>().expect("a number");
        answered.extend((number(first)..=number(last)).map(|number| format!("{section}.{number}")));
    }
    let sections = SECTIONS.iter().flat_map(|(chapter, sections)| {
        sections.iter().enumerate().map(move |(at, count)| (format!("{chapter}.{}", at + 1), *count))
    });
    let asked =
        sections.flat_map(|(section, count)| (1..=count).map(move |number| format!("{section}.{number}")));
    let asked: Vec<String> = asked.collect();
    assert_eq!(answered, asked, "in the standard's own order");
}
