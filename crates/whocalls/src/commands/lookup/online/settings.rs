//! How others are reached: keys, proxies, places, and who turns names into addresses.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::Result;
use enrich::sources::Key;
use model::OnlineSource;

use super::keys;
use crate::arguments::OnlineArguments;
use crate::output::Usage;

/// Quad9: a foundation in Switzerland that keeps no addresses of those who ask, by its own word.
const USUAL_RESOLVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9)), 53);
/// What a person has set.
pub(super) struct Settings {
    pub(super) resolver: SocketAddr,
    pub(super) is_usual_resolver: bool,
    keys: BTreeMap<OnlineSource, Key>,
    /// As they were typed.
    proxies: BTreeMap<OnlineSource, String>,
    proxy: Option<String>,
    bases: BTreeMap<OnlineSource, String>,
    #[cfg(feature = "network")]
    roots: Vec<u8>,
}

impl Settings {
    /// Errors: wrong usage, or a file that cannot be read.
    pub(super) fn of(arguments: &OnlineArguments) -> Result<Self> {
        let mut settings = Self {
            resolver: USUAL_RESOLVER,
            is_usual_resolver: arguments.resolver.is_none(),
            keys: keys::keys(arguments.keys.as_deref())?,
            proxies: BTreeMap::new(),
            proxy: None,
            bases: BTreeMap::new(),
            #[cfg(feature = "network")]
            roots: match &arguments.roots {
                Some(path) => with_network::roots(path)?,
                None => Vec::new(),
            },
        };
        if let Some(text) = &arguments.resolver {
            settings.resolver = resolver(text).ok_or_else(|| {
                Usage(format!(
                    "--resolver {text}: an address is wanted, as 9.9.9.9 or [2620:fe::fe]:53"
                ))
            })?;
        }
        for text in &arguments.proxy {
            match of_source(text) {
                Some((source, url)) => drop(settings.proxies.insert(source?, url.to_owned())),
                None => settings.proxy = Some(text.clone()),
            }
        }
        #[cfg(feature = "network")]
        settings.check_proxies()?;
        for text in &arguments.at {
            let (source, url) = of_source(text)
                .ok_or_else(|| Usage(format!("--at {text}: SOURCE=URL is wanted")))?;
            let source = source?;
            let is_url = url.starts_with("https://") || url.starts_with("http://");
            if !is_url && source != OnlineSource::Whois {
                return Err(Usage(format!("--at {text}: an URL is wanted, https://...")).into());
            }
            settings.bases.insert(source, url.to_owned());
        }
        Ok(settings)
    }

    pub(super) fn has_key(&self, source: OnlineSource) -> bool {
        self.keys.contains_key(&source)
    }

    pub(super) fn base(&self, source: OnlineSource) -> Option<&str> {
        self.bases.get(&source).map(String::as_str)
    }

    pub(super) fn proxy(&self, source: OnlineSource) -> Option<&str> {
        let own = self.proxies.get(&source);
        own.or(self.proxy.as_ref()).map(String::as_str)
    }
}

/// `rdap=https://...`. `None`: it begins with no word and `=`.
fn of_source(text: &str) -> Option<(Result<OnlineSource>, &str)> {
    let (word, url) = text.split_once('=')?;
    let is_word = word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let source = OnlineSource::from_word(word);
    let source = source.ok_or_else(|| Usage(format!("there is no source {word}")).into());
    is_word.then_some((source, url))
}

fn resolver(text: &str) -> Option<SocketAddr> {
    let ip = text.parse::<IpAddr>();
    text.parse()
        .ok()
        .or_else(|| Some(SocketAddr::new(ip.ok()?, 53)))
}

#[cfg(feature = "network")]
mod with_network {
    use std::fs::File;
    use std::path::Path;

    use anyhow::{Context, Result};
    use enrich::network::{Network, Proxy};
    use model::Timestamp;

    use super::Settings;
    use crate::commands::record::recipients::short_bytes;
    use crate::output::Usage;

    const LONGEST_ROOTS: u64 = 4 << 20;

    pub(super) fn roots(path: &Path) -> Result<Vec<u8>> {
        let cannot = || format!("cannot read the certificates in {}", path.display());
        let file = File::open(path).with_context(cannot)?;
        short_bytes(file, LONGEST_ROOTS).with_context(cannot)
    }

    impl Settings {
        /// Errors: wrong usage: a proxy that is none.
        pub(super) fn check_proxies(&self) -> Result<()> {
            for text in self.proxies.values().chain(&self.proxy) {
                proxy(text)?;
            }
            Ok(())
        }

        /// The way to all sources.
        ///
        /// Errors: the certificates are none.
        pub(in crate::commands::lookup::online) fn network(
            &self,
            now: fn() -> Timestamp,
        ) -> Result<Network> {
            let proxies = self.proxies.iter();
            let proxies = proxies.map(|(source, text)| Ok((*source, proxy(text)?)));
            let settings = enrich::network::Settings {
                resolver: Some(self.resolver),
                proxy: self.proxy.as_deref().map(proxy).transpose()?,
                proxies: proxies.collect::<Result<_>>()?,
                bases: self.bases.clone(),
                root_certificates: self.roots.clone(),
                keys: self.keys.clone(),
                ..enrich::network::Settings::default()
            };
            Ok(Network::new(settings, now)?)
        }
    }

    fn proxy(text: &str) -> Result<Proxy> {
        // Its text may hold a password.
        let parsed = Proxy::parse(text);
        parsed.map_err(|why| Usage(format!("--proxy: {why}")).into())
    }
}
