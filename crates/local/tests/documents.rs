//! What `docs/` shows of a file is what the file says.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The blocks of code that follow a paragraph which names a file by a link and ends with a colon, with that file.
fn quotations(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (before, after) in text.match_indices("\n\n```").map(|(at, _)| text.split_at(at)) {
        let paragraph = before.rsplit("\n\n").next().unwrap_or_default();
        let names = paragraph.split("[`").skip(1).filter_map(|rest| rest.split_once("`](../"));
        let name = names.map(|(name, _)| name).find(|name| name.contains('/'));
        if let Some(name) = name.filter(|_| paragraph.ends_with(':')) {
            let (_, code) = after.trim_start().split_once('\n').unwrap();
            let (code, _) = code.split_once("\n```").unwrap();
            found.push((name.to_owned(), code.to_owned()));
        }
    }
    found
}

/// The pages of `docs/`.
fn pages() -> impl Iterator<Item = PathBuf> {
    let documents = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    documents.filter(|path| path.extension().is_some_and(|extension| extension == "md"))
}

#[test]
fn every_quotation_is_in_its_file() {
    let mut checked = 0;
    for path in pages() {
        for (name, code) in quotations(&fs::read_to_string(&path).unwrap()) {
            let file = fs::read_to_string(root().join(&name)).unwrap();
            assert!(file.contains(&code), "{} quotes of {name} what is not there:\n{code}", path.display());
            checked += 1;
        }
    }
    assert!(checked >= 9, "{checked}");
}

/// A link to a file or a heading that is not there helps nobody.
#[test]
fn every_link_to_a_file_leads_somewhere() {
    let mut checked = 0;
    for path in pages().chain([root().join("README.md")]) {
        let text = fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (target, heading) = link.split_once('#').unwrap_or((link, ""));
            if target.contains("://") {
                continue;
            }
            let file = if target.is_empty() { path.clone() } else { path.parent().unwrap().join(target) };
            assert!(file.exists(), "{}: {link}", path.display());
            if !heading.is_empty() {
                let anchors: Vec<_> = fs::read_to_string(&file).unwrap().lines().map(anchor).collect();
                assert!(anchors.iter().any(|anchor| anchor == heading), "{}: {link}", path.display());
            }
            checked += 1;
        }
    }
    assert!(checked >= 40, "{checked}");
}

/// The anchor that GitHub gives a heading; nothing for other lines.
fn anchor(line: &str) -> String {
    let Some(heading) = line.strip_prefix('#') else { return String::new() };
    let kept = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|letter| letter.is_alphanumeric() || *letter == '-' || *letter == '_').collect()
}
