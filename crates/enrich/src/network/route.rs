//! The way to a host: directly, or through the proxy that was set, and then in no other way.

use std::net::{IpAddr, SocketAddr};

use model::{Failure, OnlineSource};

use super::channel::Wire;
use super::deadline::{Deadline, End};
use super::{Network, proxy, refused};

/// Addresses of one host that are tried.
const MOST_TRIES: usize = 4;

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Obstacle {
    End(End),
    /// We do not go there: why.
    NotAllowed(String),
}

impl<T: Into<End>> From<T> for Obstacle {
    fn from(end: T) -> Self {
        Self::End(end.into())
    }
}

impl Obstacle {
    /// With what is said where nobody sent us there.
    pub(super) fn plain(self) -> End {
        self.or(Failure::Unreachable)
    }

    /// `not_allowed` makes a failure of why we do not go there.
    pub(super) fn or(self, not_allowed: impl FnOnce(String) -> Failure) -> End {
        match self {
            Self::End(end) => end,
            Self::NotAllowed(why) => not_allowed(why).into(),
        }
    }
}

impl Network {
    pub(super) fn connect<'of>(
        &self,
        source: OnlineSource,
        (host, port): (&str, u16),
        deadline: Deadline<'of>,
    ) -> Result<Wire<'of>, Obstacle> {
        let is_own = self.settings.is_own(host, port);
        let literal: Option<IpAddr> = host.parse().ok();
        if !is_own {
            let not_allowed = literal.map_or_else(|| refused::name(host), refused::address);
            if let Some(why) = not_allowed {
                return Err(Obstacle::NotAllowed(why));
            }
        }
        if let Some(proxy) = self.settings.proxy(source) {
            return Ok(self.through(proxy, (host, port), deadline)?);
        }
        let addresses = match literal {
            Some(address) => vec![address],
            None => self.resolve(host, deadline)?,
        };
        let mut not_allowed = None;
        let allowed: Vec<_> = addresses
            .into_iter()
            .filter(|address| {
                let why = refused::address(*address).filter(|_| !is_own);
                let is_allowed = why.is_none();
                not_allowed = why.or(not_allowed.take());
                is_allowed
            })
            .collect();
        if let (Some(why), true) = (not_allowed, allowed.is_empty()) {
            return Err(Obstacle::NotAllowed(format!("{host}: {why}")));
        }
        Ok(self.connect_to_one(&allowed, port, deadline)?)
    }

    /// To the first of them that takes it.
    fn connect_to_one<'of>(
        &self,
        addresses: &[IpAddr],
        port: u16,
        deadline: Deadline<'of>,
    ) -> Result<Wire<'of>, End> {
        let mut last = End::Failed(Failure::NotResolved("it has no address".to_owned()));
        for address in addresses.iter().take(MOST_TRIES) {
            let part = deadline.part(self.settings.limits.connect);
            match Wire::connect(SocketAddr::new(*address, port), part) {
                Ok(wire) => return Ok(wire.until(deadline)),
                Err(error) => last = part.end_of_try(&error),
            }
            if matches!(last, End::Stopped) {
                break;
            }
        }
        Err(last)
    }

    pub(super) fn through<'of>(
        &self,
        proxy: &super::Proxy,
        to: (&str, u16),
        deadline: Deadline<'of>,
    ) -> Result<Wire<'of>, End> {
        let attempt = || {
            let addresses = match proxy.host.parse() {
                Ok(address) => vec![address],
                Err(_) => self.resolve(&proxy.host, deadline)?,
            };
            let mut wire = self.connect_to_one(&addresses, proxy.port, deadline)?;
            match proxy::ask(proxy, to, &mut wire) {
                Ok(()) => Ok(wire),
                Err(proxy::Trouble::Io(error)) => Err(deadline.end(&error)),
                Err(proxy::Trouble::Says(what)) => Err(Failure::Unreachable(what).into()),
            }
        };
        attempt().map_err(|end| match end {
            End::Stopped => End::Stopped,
            End::Failed(why) => Failure::Proxy(format!("{proxy}: {}", words(&why))).into(),
        })
    }
}

/// What went wrong on the way to a proxy.
fn words(why: &Failure) -> String {
    match why {
        Failure::TimedOut(after) => format!("no answer within {} s", after.as_secs_f32()),
        Failure::Cut => "it ended the connection".to_owned(),
        Failure::Unreachable(text) | Failure::NotResolved(text) => text.clone(),
        other @ (Failure::AskedTooOften(_)
        | Failure::Status(..)
        | Failure::Refused(_)
        | Failure::Unreadable(_)
        | Failure::TooLarge(_)
        | Failure::Redirected { .. }
        | Failure::Certificate(_)
        | Failure::Proxy(_)
        | Failure::NobodyToAsk
        | Failure::NoKey) => other.word().to_owned(),
    }
}
