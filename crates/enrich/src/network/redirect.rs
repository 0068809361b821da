//! Whether we let ourselves be sent on.

use model::{Failure, OnlineSource};

use super::url::Url;
use crate::sources::is_registry;
use crate::suffix::Section;
use crate::tables::Tables;

/// Hops of one request.
pub(super) const MOST: usize = 5;

/// What is said when somebody sends us where we do not go.
pub(super) fn refused(to: &Url, why: String) -> Failure {
    Failure::Redirected {
        to: to.without_query(),
        why,
    }
}

/// Who may send us where.
pub(super) struct Rules<'of> {
    pub(super) source: OnlineSource,
    /// Whether a person has named that host.
    pub(super) is_own: &'of dyn Fn(&Url) -> bool,
    /// The host that the source itself had us ask.
    pub(super) first: &'of str,
}

impl Rules<'_> {
    /// Errors: why not there.
    pub(super) fn check(&self, from: &Url, to: &Url) -> Result<(), Failure> {
        let not = |why: &str| Err(refused(to, why.to_owned()));
        if !to.is_encrypted && !(self.is_own)(to) {
            return not("it is not encrypted");
        }
        if is_same_owner(&from.host, &to.host) {
            return Ok(());
        }
        if self.source != OnlineSource::Rdap {
            return not("it is somebody else's");
        }
        if self.is_known(from) || self.is_known(to) {
            return Ok(());
        }
        not("it is no registry's, and no registry sends us there")
    }

    fn is_known(&self, at: &Url) -> bool {
        self.first == at.host || is_registry(&at.host) || (self.is_own)(at)
    }
}

/// The same registered name.
fn is_same_owner(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let tables = Tables::embedded();
    let registered = |host| {
        let suffix = tables.suffix(host);
        suffix
            .registrable
            .filter(|_| suffix.section != Section::NotListed)
    };
    registered(one).is_some_and(|name| Some(name) == registered(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: OnlineSource, from: &str, to: &str, expected: &str) {
        let rules = Rules {
            source,
            is_own: &|at| at.host == "own.lan" && at.port == 80,
            first: "rdap.first.net",
        };
        let said = match rules.check(&Url::parse(from).unwrap(), &Url::parse(to).unwrap()) {
            Ok(()) => "follow".to_owned(),
            Err(Failure::Redirected { to, why }) => format!("{to}: {why}"),
            Err(other) => format!("{other:?}"),
        };
        assert_eq!(said, expected, "{from} to {to}");
    }

    #[test]
    fn registries_send_each_other_questions() {
        let rdap = OnlineSource::Rdap;
        check(
            rdap,
            "https://rdap.arin.net/a",
            "https://rdap.db.ripe.net/a",
            "follow",
        );
        check(
            rdap,
            "https://rdap.arin.net/a",
            "https://rdap.jpnic.example/a",
            "follow",
        );
        check(
            rdap,
            "https://rdap.jpnic.example/a",
            "https://rdap.arin.net/a",
            "follow",
        );
        check(
            rdap,
            "https://rdap.first.net/a",
            "https://rdap.jpnic.example/a",
            "follow",
        );
        check(
            rdap,
            "https://rdap.jpnic.example/a",
            "https://elsewhere.example/a?b",
            "https://elsewhere.example/a: it is no registry's, and no registry sends us there",
        );
        check(
            rdap,
            "https://rdap.arin.net/a",
            "http://rdap.db.ripe.net/a",
            "http://rdap.db.ripe.net/a: it is not encrypted",
        );
    }

    #[test]
    fn others_stay_with_themselves() {
        let other = OnlineSource::VirusTotal;
        check(
            other,
            "https://www.virustotal.com/a",
            "https://api.virustotal.com/b",
            "follow",
        );
        check(
            other,
            "https://www.virustotal.com/a",
            "https://rdap.arin.net/",
            "https://rdap.arin.net/: it is somebody else's",
        );
        check(
            other,
            "https://one.github.io/a",
            "https://two.github.io/",
            "https://two.github.io/: it is somebody else's",
        );
        check(
            other,
            "https://9.9.9.9/",
            "https://8.9.9.9/",
            "https://8.9.9.9/: it is somebody else's",
        );
        check(other, "http://own.lan/a", "http://own.lan/b", "follow");
        check(
            other,
            "http://own.lan/a",
            "http://own.lan:81/b",
            "http://own.lan:81/b: it is not encrypted",
        );
    }
}
