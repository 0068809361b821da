//! `whocalls data`: the tables that are asked, and how newer ones are made.

mod shown;

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail};
use enrich::answered::WithAnswers;
use enrich::data::{Given, build, wanted};
use enrich::tables::{MOST_FILE_BYTES, Tables};
use model::{Addresses, KnowsAddresses};
use show::quantity::bytes;
use show::visible::harmless;

use super::answers;
use crate::arguments::{BuildArguments, DataArguments};
use crate::exit::Exit;
use crate::output::{self, Talk, Usage};

/// What a file of tables beside the program is called.
const BESIDE: &str = "whocalls.tables";
/// No file that tables are made of is larger.
const MOST_SOURCE_BYTES: u64 = 512 << 20;
/// Further exceptions are counted only.
const MOST_SAID: usize = 100;

pub(crate) fn run(arguments: &DataArguments, talk: Talk) -> Result<Exit> {
    match arguments {
        DataArguments::Show => shown::run(talk),
        DataArguments::Build(arguments) => make(arguments, talk),
    }
}

/// The tables of this run, and the file that they come from.
static OPENED: OnceLock<(Arc<Tables>, Option<PathBuf>)> = OnceLock::new();

/// The tables to ask: those in a file beside the program where these are not older than the ones
/// built into it. A file that cannot be read is said, and not used. To be called before rights are
/// given up: afterwards no file can be opened.
pub(crate) fn tables(talk: Talk) -> Arc<Tables> {
    Arc::clone(&OPENED.get_or_init(|| chosen(talk)).0)
}

/// What can be asked of addresses, with what registries have said of them: nothing where the tables were not opened.
pub(crate) fn addresses() -> Addresses {
    let Some((tables, _)) = OPENED.get() else {
        return Addresses::default();
    };
    let tables = Arc::<Tables>::clone(tables);
    let source: Arc<dyn KnowsAddresses> = match answers::loaded() {
        Some(answers) => Arc::new(WithAnswers::new(tables, answers)),
        None => tables,
    };
    Addresses::known_by(source)
}

fn chosen(talk: Talk) -> (Arc<Tables>, Option<PathBuf>) {
    let embedded = Tables::embedded();
    let Some(path) = beside() else {
        return (embedded, None);
    };
    match read(&path) {
        Ok(tables) if tables.date() >= embedded.date() => (Arc::new(tables), Some(path)),
        Ok(tables) => {
            talk.say(&format!(
                "{} is of {} and older than the tables of this program ({}): not used.\n",
                path.display(),
                tables.date(),
                embedded.date()
            ));
            (embedded, None)
        }
        Err(why) => {
            talk.say(&format!(
                "{}: {why:#}: not used; the tables of this program answer.\n",
                path.display()
            ));
            (embedded, None)
        }
    }
}

/// `None`: there is no such file.
fn beside() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let path = program.parent()?.join(BESIDE);
    std::fs::symlink_metadata(&path).is_ok().then_some(path)
}

fn read(path: &Path) -> Result<Tables> {
    let bytes = bounded(path, MOST_FILE_BYTES)?;
    Ok(Tables::read(bytes)?)
}

fn bounded(path: &Path, most: u64) -> Result<Vec<u8>> {
    // A pipe would be waited for.
    if !std::fs::metadata(path)?.is_file() {
        bail!("not a file");
    }
    let mut bytes = Vec::new();
    let mut file = File::open(path)?.take(most + 1);
    file.read_to_end(&mut bytes)?;
    if file.limit() == 0 {
        bail!("larger than {most} bytes");
    }
    Ok(bytes)
}

fn make(arguments: &BuildArguments, talk: Talk) -> Result<Exit> {
    let mut given = Vec::new();
    for wanted in wanted() {
        let plain = arguments.from.join(wanted.file);
        let mut packed = plain.clone().into_os_string();
        packed.push(".zst");
        let found = [plain, packed.into()].into_iter().find(|it| it.exists());
        if let Some(path) = found {
            let bytes = bounded(&path, MOST_SOURCE_BYTES);
            given.push(Given {
                file: wanted.file,
                bytes: bytes.with_context(|| format!("cannot read {}", path.display()))?,
                date: None,
            });
        }
    }
    for said in &arguments.date {
        let (file, date) = dated(said)?;
        match given.iter_mut().find(|it| it.file == file) {
            Some(given) => given.date = Some(date.to_owned()),
            None => return Err(Usage(format!("--date: there is no {file}")).into()),
        }
    }
    let built = build(&given)
        .with_context(|| format!("cannot make tables from {}", arguments.from.display()))?;
    for exception in built.exceptions.iter().take(MOST_SAID) {
        talk.say(&format!("exception: {exception}\n"));
    }
    let more = built.exceptions.len().saturating_sub(MOST_SAID);
    if more > 0 {
        talk.say(&format!("and {more} exceptions more\n"));
    }
    for missing in &built.missing {
        talk.say(&format!("not there: {missing}\n"));
    }
    let mut text = shown::counts(&built.tables);
    let size = u64::try_from(built.file.len()).unwrap_or(u64::MAX);
    text.push_str(&format!(
        "{} in all; {} boundaries and entries of the sources read back, {} exceptions.\n",
        bytes(size),
        built.boundaries,
        built.exceptions.len()
    ));
    if let Some(path) = &arguments.output {
        let mut file =
            File::create_new(path).with_context(|| format!("cannot write {}", path.display()))?;
        file.write_all(&built.file)
            .and_then(|()| file.sync_all())
            .with_context(|| format!("cannot write {}", path.display()))?;
        text.push_str(&format!("Written to {}.\n", path.display()));
    }
    output::stdout()?
        .write_all(harmless(&text).as_bytes())
        .context("cannot write to standard output")?;
    Ok(Exit::Done)
}

/// `FILE=YYYY-MM-DD`.
fn dated(said: &str) -> Result<(&str, &str), Usage> {
    let wrong = || Usage(format!("--date {said}: not FILE=YYYY-MM-DD"));
    let (file, date) = said.rsplit_once('=').ok_or_else(wrong)?;
    shown::day(date).map(|_| (file, date)).ok_or_else(wrong)
}
