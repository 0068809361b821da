//! Which files are embedded, and what is said of them that they do not say themselves.

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;

use enrich::files::{Content, Loaded, Said, read};
use model::{Confidence, IndicatorList, ListOrigin, Timestamp};

struct Publisher {
    name: &'static str,
    licence: &'static str,
    link: &'static str,
}

const AMNESTY: Publisher = Publisher {
    name: "Amnesty International Security Lab",
    licence: "CC-BY-2.0",
    link: "https://github.com/AmnestyTech/investigations",
};
const MVT: Publisher = Publisher {
    name: "MVT project",
    licence: "MIT",
    link: "https://github.com/mvt-project/mvt-indicators",
};
const ECHAP: Publisher = Publisher {
    name: "Echap",
    licence: "CC-BY-4.0",
    link: "https://github.com/AssoEchap/stalkerware-indicators",
};

/// When the stalkerware indicators were taken: the file gives no time.
const STALKERWARE_OF: &str = "2026-06-21";

pub(crate) fn of_folder(folder: &Path) -> Result<Vec<IndicatorList>, Box<dyn Error>> {
    let mut lists = Vec::new();
    for file in names(&folder.join("stix2"))? {
        let Some(name) = file.strip_suffix(".stix2") else {
            continue;
        };
        let content = content(&folder.join("stix2").join(&file))?;
        let (publisher, name) = match name.strip_prefix("amnesty-") {
            Some(name) => (&AMNESTY, name),
            None => (&MVT, name.strip_prefix("mvt-").unwrap_or(name)),
        };
        let name = content.name.clone().unwrap_or_else(|| name.to_owned());
        lists.push(list(content, publisher, name, None));
    }
    for file in names(&folder.join("lists/amnesty"))? {
        let content = content(&folder.join("lists/amnesty").join(&file))?;
        // 2020-06-15_india__ips.txt
        let (day, rest) = file.split_once('_').ok_or("a name without a day")?;
        let what = rest.split("__").next().unwrap_or(rest);
        let name = format!(
            "Amnesty {day} {}: {}",
            what.replace('_', " "),
            kinds(&content)
        );
        lists.push(list(content, &AMNESTY, name, Some(day)));
    }
    let stalkerware = content(&folder.join("stalkerware/ioc.yaml"))?;
    let name = "Stalkerware".to_owned();
    lists.push(list(stalkerware, &ECHAP, name, Some(STALKERWARE_OF)));
    Ok(lists)
}

/// In an order of their own, so that the same files always give the same bytes.
fn names(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    names.retain(|name| !name.ends_with(".yaml"));
    Ok(names)
}

fn content(file: &Path) -> Result<Content, Box<dyn Error>> {
    let said = Said {
        file: file.to_string_lossy().into_owned(),
        kind: None,
    };
    match read(File::open(file)?, &said) {
        Ok(Loaded::Indicators(content)) if content.skipped.count == 0 => Ok(content),
        other => Err(format!("{}: {other:?}", file.display()).into()),
    }
}

fn kinds(content: &Content) -> String {
    let mut kinds: Vec<_> = content
        .indicators
        .iter()
        .map(|it| it.value.kind().word().replace('_', " "))
        .collect();
    kinds.sort();
    kinds.dedup();
    kinds.join(", ")
}

fn list(content: Content, publisher: &Publisher, name: String, day: Option<&str>) -> IndicatorList {
    let mut list = content.into_list(name, ListOrigin::Embedded);
    list.publisher = Some(publisher.name.to_owned());
    list.licence = Some(publisher.licence.to_owned());
    list.link = Some(publisher.link.to_owned());
    if let Some(day) = day {
        list.published = Timestamp::parse(&format!("{day}T00:00:00.000000000Z"));
    }
    let is_stalkerware = publisher.name == ECHAP.name;
    for indicator in &mut list.indicators {
        // Laboratories that publish each of them after an investigation.
        if !is_stalkerware {
            indicator.confidence = Confidence::High;
        }
    }
    list
}
