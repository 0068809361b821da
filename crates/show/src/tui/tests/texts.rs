//! Where the texts are, and that each can be shown.

use std::fs;
use std::path::{Path, PathBuf};

use crate::tui::theme;

/// Lines of code of all files in a folder of the sources, tests and comments left out.
fn code(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.join(folder)];
    let mut files: Vec<PathBuf> = vec![root.join(format!("{folder}.rs"))];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && name != "tests" {
                folders.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                files.push(path);
            }
        }
    }
    let mut lines = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code = before_tests.lines().map(str::trim);
        let code = code.filter(|line| !line.starts_with("//") && !line.contains("reason = "));
        lines.extend(code.map(|line| (file.display().to_string(), line.to_owned())));
    }
    assert!(lines.len() > 100, "{folder}");
    lines
}

#[test]
fn sentences_stand_in_the_table_of_messages_only() {
    for (file, line) in code("tui") {
        for text in line.split('"').skip(1).step_by(2) {
            let words = text.split(' ');
            let is_word = |it: &&str| it.len() > 1 && it.chars().all(char::is_alphabetic);
            assert!(words.filter(is_word).count() < 2, "{file}: {line}");
        }
    }
}

#[test]
fn every_character_has_one_in_ascii() {
    for (file, line) in code("messages").into_iter().chain(code("tui")) {
        for character in line.chars().filter(|it| !it.is_ascii()) {
            assert_ne!(
                theme::in_ascii(character),
                '?',
                "{character:?} in {file}: {line}"
            );
        }
    }
}
