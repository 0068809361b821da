//! `whocalls indicators`: lists of what is known bad, or known otherwise, that a person adds.

mod kept;
mod opened;
mod place;

use std::io::Write;
use std::path::Path;

use anyhow::{Result, anyhow};
use enrich::files::{Content, Error, Loaded, Said, Skipped};
use model::{IndicatorKind, IndicatorList, ListMeaning};
use show::indicators::{document, line, report};
use show::visible::harmless;

use self::kept::About;
pub(crate) use self::opened::Opened;
use self::opened::listed;
use super::record::into;
use crate::arguments::{
    AddArguments, Indicators, IndicatorsArguments, ListIndicatorsArguments, RemoveArguments,
};
use crate::exit::{self, Exit};
use crate::output::{self, Talk, Usage};

pub(crate) fn run(arguments: &IndicatorsArguments, talk: Talk) -> Result<Exit> {
    match &arguments.what {
        Indicators::Add(add) => self::add(add, talk),
        Indicators::List(list) => self::list(list, talk),
        Indicators::Remove(remove) => self::remove(remove, talk),
    }
}

fn add(arguments: &AddArguments, talk: Talk) -> Result<Exit> {
    if arguments.name.is_some() && arguments.files.len() > 1 {
        return Err(Usage("--name is for one file; several were named".to_owned()).into());
    }
    output::keep_files_private();
    let folder = place::to_write(arguments.into.as_deref())?;
    let mut exit = Exit::Done;
    for file in &arguments.files {
        let skipped = add_one(file, &folder, arguments, talk)
            .map_err(|error| error.context(format!("cannot add {}", file.display())))?;
        if skipped.count > 0 {
            say_skipped(file, &skipped, talk);
            exit = Exit::Lost;
        }
    }
    if !place::is_beside(&folder) {
        talk.say(&format!(
            "check and lookup read it with --indicators {}; watch, record, list and open read only the \
             folder indicators beside whocalls.\n",
            folder.display()
        ));
    }
    Ok(exit)
}

fn add_one(file: &Path, folder: &Path, arguments: &AddArguments, talk: Talk) -> Result<Skipped> {
    let file_name = file.file_name().unwrap_or_default().to_string_lossy();
    let bytes = kept::bytes(file)?;
    let kind = arguments.kind.map(IndicatorKind::from);
    let said = Said {
        file: file_name.clone().into_owned(),
        kind,
    };
    let loaded = enrich::files::read(bytes.as_slice(), &said).map_err(explained)?;
    let told = Told::of(&loaded);
    let publisher = arguments.publisher.clone().or(told.publisher);
    let publisher = publisher.or(ask(&file_name, "Who published")?);
    let licence = arguments.licence.clone().or(told.licence);
    let licence = licence.or(ask(&file_name, "Under which licence is")?);
    let about = About {
        file: file_name.clone().into_owned(),
        sha256: enrich::files::sha256(&bytes),
        bytes: bytes.len() as u64,
        added: observe::now(),
        publisher,
        licence,
        meaning: arguments.meaning.map(ListMeaning::from),
        kind,
    };
    let name = kept::name(arguments.name.as_deref().unwrap_or(&file_name))?;
    kept::keep(folder, &name, &bytes, &about)?;
    let (list, skipped, _) = listed(name, about, loaded);
    let text = format!("{}\n", line(&list));
    output::stdout()?.write_all(harmless(&text).as_bytes())?;
    if list.publisher.is_none() || list.licence.is_none() {
        talk.say(
            "Who published it, or its licence, is not known: --publisher and --licence say it. Remove \
             it and add it again to change that.\n",
        );
    }
    Ok(skipped)
}

/// What a file tells about itself.
struct Told {
    publisher: Option<String>,
    licence: Option<String>,
}

impl Told {
    fn of(loaded: &Loaded) -> Self {
        match loaded {
            Loaded::Indicators(Content {
                publisher, licence, ..
            }) => Self {
                publisher: publisher.clone(),
                licence: licence.clone(),
            },
            Loaded::Table(_) => Self {
                publisher: None,
                licence: None,
            },
        }
    }
}

/// `None`: nobody can be asked, or the person does not know.
fn ask(file: &str, what: &str) -> Result<Option<String>> {
    if !into::can_ask() {
        return Ok(None);
    }
    let answer = into::question(&format!("{what} {file}? Enter where it is not known: "))?;
    Ok((!answer.is_empty()).then_some(answer))
}

fn explained(error: Error) -> anyhow::Error {
    match error.help() {
        Some(help) => anyhow!("{error}\nhelp: {help}"),
        None => error.into(),
    }
}

fn say_skipped(file: &Path, skipped: &Skipped, talk: Talk) {
    let entries = match skipped.count {
        1 => "1 entry was skipped".to_owned(),
        count => format!("{count} entries were skipped"),
    };
    let mut text = format!("{}: {entries}:\n", file.display());
    for (place, why) in &skipped.first {
        text.push_str(&format!("  {place}: {why}\n"));
    }
    let told = u64::try_from(skipped.first.len()).unwrap_or(u64::MAX);
    let more = skipped.count.saturating_sub(told);
    if more > 0 {
        text.push_str(&format!("  and {more} more\n"));
    }
    talk.say(&text);
}

fn list(arguments: &ListIndicatorsArguments, talk: Talk) -> Result<Exit> {
    let opened = Opened::of(arguments.from.as_deref(), talk)?;
    if opened.is_none_added {
        talk.say("No list was added; these come with the program.\n");
    }
    let facts = opened.facts.iter().map(|(list, _)| list);
    let lists: Vec<&IndicatorList> = facts.chain(&opened.lists).collect();
    let mut out = output::stdout()?;
    if arguments.json {
        document(&lists, &mut out)?;
    } else {
        let mut text = Vec::new();
        report(&lists, output::terminal_width(), &mut text)?;
        out.write_all(&text)?;
    }
    Ok(exit::of_lists(opened.is_damaged))
}

fn remove(arguments: &RemoveArguments, talk: Talk) -> Result<Exit> {
    let is_embedded = || {
        let lists = enrich::embedded::lists();
        lists.iter().any(|list| list.name == arguments.name)
    };
    let folder = place::to_read(arguments.from.as_deref());
    let removed = match &folder {
        Some(folder) => kept::remove(folder, &arguments.name)?,
        None => false,
    };
    if removed {
        talk.say(&format!("{} is gone.\n", arguments.name));
        return Ok(Exit::Done);
    }
    Err(Usage(match is_embedded() {
        true => format!("'{}' comes with the program and stays", arguments.name),
        false => format!(
            "there is no list '{}'\nhelp: 'whocalls indicators list' tells what they are called",
            arguments.name
        ),
    })
    .into())
}
