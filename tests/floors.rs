//! The layout that `docs/architecture.md` promises, held against the sources.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// (module, code without comments) of every source file but `lib.rs`.
fn sources() -> Vec<(String, String)> {
    let src = root().join("src");
    let module = |path: &Path| {
        let first = path.strip_prefix(&src).unwrap().components().next().unwrap();
        first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    };
    let code = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        lines.collect::<Vec<_>>().join("\n")
    };
    let files = files_under(&src).into_iter().filter(|path| !path.ends_with("lib.rs"));
    files.map(|path| (module(&path), code(&path))).collect()
}

/// The floors in the table, by module.
fn floors() -> BTreeMap<String, u32> {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut floors = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, floor, modules, ..] = &*cells else { continue };
        let Ok(floor) = floor.parse() else { continue };
        for name in modules.split('`').skip(1).step_by(2) {
            let name = name.trim_end_matches(".rs").trim_end_matches('/');
            assert!(floors.insert(name.to_owned(), floor).is_none(), "{name} stands there twice");
        }
    }
    floors
}

/// What each module imports of the others.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let mut imports: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (module, code) in sources() {
        let named = code.split("crate::").skip(1).map(|rest| {
            rest.split(|c: char| !c.is_ascii_lowercase() && c != '_')
                .next()
                .unwrap_or_default()
                .to_owned()
        });
        imports.entry(module.clone()).or_default().extend(named.filter(|name| *name != module));
    }
    imports
}

#[test]
fn every_module_has_a_floor_and_every_floor_its_modules() {
    let there: BTreeSet<_> = imports().into_keys().collect();
    let said: BTreeSet<_> = floors().into_keys().collect();
    assert_eq!(there, said);
}

#[test]
fn imports_point_downwards() {
    let floors = floors();
    for (module, imported) in imports() {
        for other in imported {
            assert!(
                floors[&other] <= floors[&module],
                "{module} imports {other}, which is above it"
            );
        }
    }
}

#[test]
fn imports_never_go_in_a_circle() {
    let mut left = imports();
    while !left.is_empty() {
        let bottom: Vec<_> = left
            .iter()
            .filter(|(_, imported)| imported.is_empty())
            .map(|(module, _)| module.clone())
            .collect();
        assert!(!bottom.is_empty(), "these import each other: {left:?}");
        for module in bottom {
            left.remove(&module);
            for imported in left.values_mut() {
                imported.remove(&module);
            }
        }
    }
}

#[test]
fn node_api_and_unsafe_have_their_places() {
    for (module, code) in sources() {
        let names = |word: &str| {
            code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
        };
        assert!(!names("napi") || module == "node", "{module} names napi");
        assert!(!names("unsafe") || module == "transport", "{module} has unsafe code");
        if floors()[&module] == 0 {
            assert!(!names("async") && !names("await"), "{module} is on floor 0 and async");
        }
    }
}
