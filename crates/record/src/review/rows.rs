//! Answers as rows. Each message stands as it came, with its hash; what it says is read anew each time,
//! so that a later version may understand more of it.

use std::time::Duration;

use model::{
    Enrichment, Failure, FileHash, Network, OnlineSource, Question, Reply, Text, Timestamp, hex,
};
use rusqlite::{Connection, Row, params};
use sha2::{Digest, Sha256};

/// The messages of one answer.
const MOST_REPLIES: usize = 64;
/// Answers of one source to one question.
const MOST_ANSWERS: u32 = 64;
/// Questions of a list.
const MOST_QUESTIONS: u32 = 100_000;

pub(super) fn add(
    database: &mut Connection,
    enrichment: &Enrichment,
    tool: &str,
) -> rusqlite::Result<()> {
    let change = database.transaction()?;
    let failed = enrichment.failure.as_ref().map(Failed::of);
    let failed = failed.unwrap_or_default();
    change.execute(
        "INSERT INTO enrichment (source, kind, question, asked_ns, tool, failure, failure_text, \
         failure_more, failure_number) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            enrichment.source.word(),
            enrichment.question.kind(),
            enrichment.question.to_string(),
            enrichment.asked.unix_nanos(),
            tool,
            failed.word,
            failed.text,
            failed.more,
            failed.number,
        ],
    )?;
    let id = change.last_insert_rowid();
    for (place, reply) in (0_i64..).zip(&enrichment.replies) {
        change.execute(
            "INSERT INTO reply (enrichment, place, asked, host, status, sha256, bytes) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                id,
                place,
                reply.asked,
                reply.host,
                reply.status,
                hex(&Sha256::digest(&reply.bytes)),
                reply.bytes,
            ],
        )?;
    }
    change.commit()
}

const COLUMNS: &str =
    "id, source, kind, question, asked_ns, failure, failure_text, failure_more, failure_number";

pub(super) fn each(
    database: &Connection,
    each: &mut dyn FnMut(Enrichment),
) -> rusqlite::Result<u64> {
    let mut unknown = 0;
    let mut all = database.prepare(&format!("SELECT {COLUMNS} FROM enrichment ORDER BY id"))?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        match enrichment(database, row)? {
            Some(enrichment) => each(enrichment),
            None => unknown += 1,
        }
    }
    Ok(unknown)
}

pub(super) fn of(
    database: &Connection,
    source: OnlineSource,
    question: &Question,
) -> rusqlite::Result<Vec<Enrichment>> {
    let select = format!(
        "SELECT {COLUMNS} FROM enrichment WHERE question = ? AND source = ? AND kind = ? \
         ORDER BY asked_ns DESC, id DESC LIMIT ?"
    );
    let which = params![
        question.to_string(),
        source.word(),
        question.kind(),
        MOST_ANSWERS
    ];
    let mut all = database.prepare(&select)?;
    let rows = all.query_map(which, |row| enrichment(database, row))?;
    let mut found = Vec::new();
    for row in rows {
        found.extend(row?);
    }
    Ok(found)
}

pub(super) fn to_ask(database: &Connection) -> rusqlite::Result<Vec<(Question, Timestamp)>> {
    let mut all = database.prepare(
        "SELECT kind, question, added_ns FROM ask_elsewhere ORDER BY added_ns, question LIMIT ?",
    )?;
    let rows = all.query_map([MOST_QUESTIONS], |row| {
        let question = question(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?);
        Ok((question, Timestamp::from_unix_nanos(row.get(2)?)))
    })?;
    let mut found = Vec::new();
    for row in rows {
        if let (Some(question), added) = row? {
            found.push((question, added));
        }
    }
    Ok(found)
}

/// `None`: of a source or a form that this build does not know.
fn enrichment(database: &Connection, row: &Row<'_>) -> rusqlite::Result<Option<Enrichment>> {
    let id: i64 = row.get(0)?;
    let source = OnlineSource::from_word(&row.get::<_, String>(1)?);
    let question = question(&row.get::<_, String>(2)?, &row.get::<_, String>(3)?);
    let failed = Failed {
        word: row.get(5)?,
        text: row.get(6)?,
        more: row.get(7)?,
        number: row.get(8)?,
    };
    let failure = failed.word.is_some().then(|| failed.failure());
    let (Some(source), Some(question)) = (source, question) else {
        return Ok(None);
    };
    if failure == Some(None) {
        return Ok(None);
    }
    Ok(Some(Enrichment {
        source,
        question,
        asked: Timestamp::from_unix_nanos(row.get(4)?),
        replies: replies(database, id)?,
        failure: failure.flatten(),
    }))
}

fn replies(database: &Connection, id: i64) -> rusqlite::Result<Vec<Reply>> {
    let mut all = database.prepare(
        "SELECT asked, host, status, bytes FROM reply WHERE enrichment = ? ORDER BY place LIMIT ?",
    )?;
    let most = i64::try_from(MOST_REPLIES).unwrap_or(i64::MAX);
    let rows = all.query_map(params![id, most], |row| {
        Ok(Reply {
            asked: row.get(0)?,
            host: row.get(1)?,
            status: row.get(2)?,
            bytes: row.get(3)?,
        })
    })?;
    rows.collect()
}

fn question(kind: &str, text: &str) -> Option<Question> {
    match kind {
        "address" => match text.split_once('/') {
            None => text.parse().ok().map(Question::Address),
            Some((first, length)) => {
                let network = Network::new(first.parse().ok()?, length.parse().ok()?);
                network.map(Question::Network)
            }
        },
        "name" => Some(Question::Name(text.to_owned())),
        "hash" => FileHash::parse(text).map(Question::Hash),
        _ => None,
    }
}

/// A failure, taken apart.
#[derive(Default)]
struct Failed {
    word: Option<String>,
    text: Option<String>,
    more: Option<String>,
    number: Option<i64>,
}

impl Failed {
    fn of(failure: &Failure) -> Self {
        let text = |text: &Option<Text>| text.as_ref().map(|it| it.lossy().into_owned());
        let nanos = |time: &Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        let word = Some(failure.word().to_owned());
        let (text, more, number) = match failure {
            Failure::TimedOut(time) => (None, None, Some(nanos(time))),
            Failure::AskedTooOften(time) => (None, None, time.as_ref().map(nanos)),
            Failure::Status(status, why) => (text(why), None, Some(i64::from(*status))),
            Failure::Refused(why) => (text(why), None, None),
            Failure::TooLarge(most) => (None, None, i64::try_from(*most).ok()),
            Failure::Redirected { to, why } => (Some(to.clone()), Some(why.clone()), None),
            Failure::Unreadable(why)
            | Failure::Certificate(why)
            | Failure::Unreachable(why)
            | Failure::Proxy(why)
            | Failure::NotResolved(why) => (Some(why.clone()), None, None),
            Failure::Cut | Failure::NobodyToAsk | Failure::NoKey => (None, None, None),
        };
        Self {
            word,
            text,
            more,
            number,
        }
    }

    /// `None`: of a kind that this build does not know.
    fn failure(self) -> Option<Failure> {
        let said = self.text.as_deref().map(Text::from);
        let text = self.text.unwrap_or_default();
        let nanos = self.number.map(|it| u64::try_from(it).unwrap_or(0));
        let time = nanos.map(Duration::from_nanos);
        Some(match self.word?.as_str() {
            "timed_out" => Failure::TimedOut(time.unwrap_or_default()),
            "asked_too_often" => Failure::AskedTooOften(time),
            "status" => Failure::Status(u16::try_from(self.number?).ok()?, said),
            "refused" => Failure::Refused(said),
            "unreadable" => Failure::Unreadable(text),
            "too_large" => Failure::TooLarge(usize::try_from(self.number?).ok()?),
            "cut" => Failure::Cut,
            "redirected" => Failure::Redirected {
                to: text,
                why: self.more.unwrap_or_default(),
            },
            "certificate" => Failure::Certificate(text),
            "unreachable" => Failure::Unreachable(text),
            "proxy" => Failure::Proxy(text),
            "not_resolved" => Failure::NotResolved(text),
            "nobody_to_ask" => Failure::NobodyToAsk,
            "no_key" => Failure::NoKey,
            _ => return None,
        })
    }
}
