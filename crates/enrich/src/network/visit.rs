//! One request of HTTP with all to which it is sent on, and its answer.

use std::io::{BufReader, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::{Failure, OnlineSource, Reply};

use super::answer::{self, Answer, Fault};
use super::channel::Channel;
use super::deadline::{Deadline, End, pause};
use super::redirect::{self, Rules};
use super::url::{Url, percent};
use super::{Network, retry, tls};
use crate::sources::{Key, KeyPlace, Method};

/// The same for everybody, so that it tells nothing.
const USER_AGENT: &str = "whocalls";

/// What is wanted, wherever it is found in the end.
pub(super) struct Visit<'of> {
    pub(super) source: OnlineSource,
    pub(super) method: &'of Method,
    pub(super) headers: &'of [(&'static str, String)],
    pub(super) key: Option<KeyPlace>,
    /// Nobody sent us there.
    pub(super) is_first: bool,
}

impl Network {
    pub(super) fn visit(
        &self,
        visit: &Visit<'_>,
        url: &str,
        stop: &dyn Fn() -> bool,
    ) -> Result<Reply, End> {
        let key = match visit.key {
            None => None,
            Some(place) => match self.settings.keys.get(&visit.source) {
                Some(key) => Some((place, key)),
                None if answers_without_key(visit.source) => None,
                None => return Err(Failure::NoKey.into()),
            },
        };
        let first = Url::parse(url)
            .map_err(|why| Failure::Unreachable(format!("there is no such place: {why}")))?;
        let is_own = |at: &Url| self.settings.is_own(&at.host, at.port);
        if !first.is_encrypted && !is_own(&first) {
            let why = "it is not encrypted";
            return Err(if visit.is_first {
                Failure::Unreachable(format!("{}: {why}", first.host)).into()
            } else {
                redirect::refused(&first, why.to_owned()).into()
            });
        }
        let rules = Rules {
            source: visit.source,
            is_own: &is_own,
            first: &first.host,
        };
        let mut at = first.clone();
        let mut hops = 0;
        loop {
            // Only whom it is meant for gets it.
            let key = key.filter(|_| at.is_same_place(&first));
            let bytes = request(visit, &at, key)?;
            let is_sent_there = hops > 0 || !visit.is_first;
            let answer = self.patient_answer(visit.source, &at, &bytes, is_sent_there, stop)?;
            let location = answer.location.filter(|_| is_redirect(answer.status));
            let Some(location) = location else {
                return Ok(Reply {
                    asked: url.to_owned(),
                    host: at.host,
                    status: Some(answer.status),
                    bytes: match key {
                        Some((_, key)) => {
                            let basic = STANDARD.encode(key.text());
                            let forms = [key.text(), &basic, &percent(key.text())];
                            let body = answer.body;
                            forms
                                .iter()
                                .fold(body, |body, form| without(body, form.as_bytes()))
                        }
                        None => answer.body,
                    },
                });
            };
            let next = at.join(&location).map_err(|why| Failure::Redirected {
                to: "a place that cannot be read".to_owned(),
                why: why.to_owned(),
            })?;
            rules.check(&at, &next)?;
            if !matches!(visit.method, Method::Get) {
                let why = "what is asked there was meant for somebody else".to_owned();
                return Err(redirect::refused(&next, why).into());
            }
            hops += 1;
            if hops > redirect::MOST {
                let why = format!(
                    "that is more than {} times one after the other",
                    redirect::MOST
                );
                return Err(redirect::refused(&next, why).into());
            }
            at = next;
        }
    }

    /// Comes back once when it is asked to, if that is soon.
    fn patient_answer(
        &self,
        source: OnlineSource,
        at: &Url,
        request: &[u8],
        is_sent_there: bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<Answer, End> {
        let mut has_waited = false;
        loop {
            self.wait_for_turn(source, &at.host, stop)?;
            let answer = self.answer(source, at, request, is_sent_there, stop)?;
            let after = answer.retry_after.as_deref();
            let after = after.and_then(|text| retry::after(text, (self.now)()));
            match (answer.status, after) {
                (429 | 503, Some(after)) if !has_waited && after <= self.settings.limits.retry => {
                    has_waited = true;
                    pause(after, stop)?;
                }
                (429, after) => return Err(Failure::AskedTooOften(after).into()),
                (503, Some(after)) => return Err(Failure::AskedTooOften(Some(after)).into()),
                (_, _) => return Ok(answer),
            }
        }
    }

    fn answer(
        &self,
        source: OnlineSource,
        at: &Url,
        request: &[u8],
        is_sent_there: bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<Answer, End> {
        let deadline = Deadline::new(self.most_time(source), stop);
        let wire = self.connect(source, (&at.host, at.port), deadline);
        let wire = wire.map_err(|obstacle| {
            if is_sent_there {
                obstacle.or(|why| redirect::refused(at, why))
            } else {
                obstacle.plain()
            }
        })?;
        let mut channel: Box<dyn Channel + '_> = if at.is_encrypted {
            Box::new(tls::begin(&self.tls, &at.host, wire)?)
        } else {
            Box::new(wire)
        };
        let sent = channel.write_all(request).and_then(|()| channel.flush());
        sent.map_err(|error| deadline.end(&error))?;
        answer::read(&mut BufReader::new(channel), self.most_bytes(source))
            .map_err(|fault| end(fault, deadline))
    }
}

pub(super) fn end(fault: Fault, deadline: Deadline<'_>) -> End {
    match fault {
        Fault::Io(error) => deadline.end(&error),
        Fault::Cut => Failure::Cut.into(),
        Fault::TooLarge(most) => Failure::TooLarge(most).into(),
        Fault::Malformed(why) => Failure::Unreadable(why.to_owned()).into(),
    }
}

/// A server that repeats the key does not bring it into what is stored.
fn without(mut body: Vec<u8>, key: &[u8]) -> Vec<u8> {
    let mut from = 0;
    while let Some(found) = body
        .get(from..)
        .filter(|_| !key.is_empty())
        .and_then(|rest| rest.windows(key.len()).position(|window| window == key))
    {
        from += found + key.len();
        if let Some(place) = body.get_mut(from - key.len()..from) {
            place.fill(b'*');
        }
    }
    body
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// With a key it answers more often; all others want one.
fn answers_without_key(source: OnlineSource) -> bool {
    source == OnlineSource::GreyNoise
}

/// Errors: something in it would end a line early. What it is, is not said: it may be the key.
fn request(visit: &Visit<'_>, at: &Url, key: Option<(KeyPlace, &Key)>) -> Result<Vec<u8>, Failure> {
    let mut target = at.target.clone();
    let mut headers = vec![
        ("Host", at.place()),
        ("User-Agent", USER_AGENT.to_owned()),
        ("Accept-Encoding", "identity".to_owned()),
        ("Connection", "close".to_owned()),
    ];
    headers.extend(visit.headers.iter().cloned());
    match key {
        Some((KeyPlace::Header(name), key)) => headers.push((name, key.text().to_owned())),
        Some((KeyPlace::Basic, key)) => {
            headers.push((
                "Authorization",
                format!("Basic {}", STANDARD.encode(key.text())),
            ));
        }
        Some((KeyPlace::Query(name), key)) => {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(&format!("{name}={}", percent(key.text())));
        }
        None => {}
    }
    let (verb, body) = match visit.method {
        Method::Get => ("GET", ""),
        Method::Post { content_type, body } => {
            headers.push(("Content-Type", (*content_type).to_owned()));
            headers.push(("Content-Length", body.len().to_string()));
            ("POST", body.as_str())
        }
    };
    let is_line = |text: &str| {
        text.bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic())
    };
    let mut text = format!("{verb} {target} HTTP/1.1\r\n");
    for (name, value) in headers {
        if !is_line(&value) {
            return Err(if key.is_some_and(|(_, key)| !is_line(key.text())) {
                Failure::Refused(Some("the key has characters that no key has".into()))
            } else {
                Failure::Unreachable("it cannot be asked for in one line".to_owned())
            });
        }
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(body);
    Ok(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_comes_back_is_not_kept() {
        let body = |text: &str| String::from_utf8(without(text.into(), b"secret")).unwrap();
        assert_eq!(body("no secret secretsecret."), "no ****** ************.");
        assert_eq!(body("secre"), "secre");
        assert_eq!(without(b"x".to_vec(), b""), b"x");
    }
}
