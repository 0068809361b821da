//! The exits of Tor (check.torproject.org/torbulkexitlist): one IPv4 address a line. That something
//! is one says that somebody unknown speaks through it, and nothing about what they do.

use model::{Failure, Question, Reply, Said, Standing};

use super::facts::{Facts, counted};
use super::http::{self, NotFound};
use super::listed;
use super::members::{self, unreadable};
use super::place;
use super::{Conversation, Request};

const BASE: &str = "https://check.torproject.org/";
/// Exits that are named where a network was asked for.
const MOST: usize = 8;

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let wanted = listed::wanted(conversation.question)?;
    // There are no others on it, so that it could say nothing.
    wanted.first().is_ipv4().then_some(())?;
    place::lines(conversation, BASE, "torbulkexitlist", None)
}

pub(super) fn read(question: &Question, replies: &[Reply]) -> Said {
    http::read(replies, NotFound::Wrong, |body| look(question, body))
}

fn look(question: &Question, body: &[u8]) -> Result<Said, Failure> {
    if members::is_html(body) {
        return Err(unreadable("it is a web page, not a list of addresses"));
    }
    let Some(wanted) = listed::wanted(question) else {
        return Ok(Said::NoData);
    };
    let text = String::from_utf8_lossy(body);
    let (mut exits, mut found, mut odd) = (0, Vec::new(), None);
    for (line, number) in text.lines().zip(1_usize..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match listed::network(line) {
            None => odd = odd.or(Some(number)),
            Some(exit) => {
                exits += 1;
                if listed::touches(wanted, exit) {
                    found.push(exit.first().to_string());
                }
            }
        }
    }
    if found.is_empty() {
        // What is not on a list that cannot be read in full may be on it.
        return match odd {
            Some(number) => Err(unreadable(format!("line {number} is no address"))),
            None if exits == 0 => Err(unreadable("it is a list without an address")),
            None => Ok(Said::NoData),
        };
    }
    let mut facts = Facts::default();
    match question {
        Question::Network(_) => {
            let shown = found.get(..MOST).unwrap_or(&found).join(", ");
            let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
            let count = counted(count, "exit of Tor", "exits of Tor");
            facts.add("tor", format!("{count} in it: {shown}"));
        }
        Question::Address(_) | Question::Name(_) | Question::Hash(_) => {
            facts.add("tor", "is an exit of Tor".to_owned());
        }
    }
    facts.add("on the list", counted(exits, "exit", "exits"));
    Ok(facts.said(Standing::Neutral))
}

#[cfg(test)]
mod tests {
    use super::super::http::reply;
    use super::super::tests::{opinion_of, question};
    use super::*;
    use model::OnlineSource;

    const LIST: &str = "# made up\n5.2.67.226\n23.129.64.130\r\n23.129.64.131\n";

    #[test]
    fn an_exit_is_a_fact_and_no_opinion() {
        let said = read(&question("23.129.64.130"), &reply(200, LIST));
        let (standing, facts) = opinion_of(OnlineSource::TorExits, said);
        assert_eq!(standing, Standing::Neutral);
        let expected = [("tor", "is an exit of Tor"), ("on the list", "3 exits")];
        assert_eq!(facts, expected.map(|(name, text)| (name, text.to_owned())));
        let said = read(&question("23.129.64.0/24"), &reply(200, LIST));
        let (_, facts) = opinion_of(OnlineSource::TorExits, said);
        let text = "2 exits of Tor in it: 23.129.64.130, 23.129.64.131".to_owned();
        assert_eq!(facts.first(), Some(&("tor", text)));
        assert_eq!(read(&question("1.1.1.1"), &reply(200, LIST)), Said::NoData);
    }

    #[test]
    fn what_is_not_on_half_a_list_is_not_known() {
        for body in [&format!("{LIST}5.2."), "", "\n# nothing\n"] {
            let said = read(&question("1.1.1.1"), &reply(200, body));
            assert!(
                matches!(said, Said::Failed(Failure::Unreadable(_))),
                "{body}: {said:?}"
            );
        }
        let found = read(&question("5.2.67.226"), &reply(200, &format!("{LIST}5.2.")));
        assert!(matches!(found, Said::Opinion(_)), "{found:?}");
    }
}
