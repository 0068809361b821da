//! Encryption of the way to a source (TLS 1.2 and 1.3). The roots are those that are built in and those
//! that a person adds; the computer's own are not trusted.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use model::{Failure, Timestamp};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::channel::Wire;
use super::deadline::End;

/// Errors: what is wrong with the certificates.
pub(super) fn config(
    root_certificates: &[u8],
    now: fn() -> Timestamp,
) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let mut added = 0;
    for certificate in CertificateDer::pem_slice_iter(root_certificates) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
        added += 1;
    }
    if added == 0 && !root_certificates.is_empty() {
        return Err("there is none in it".to_owned());
    }
    let config = ClientConfig::builder_with_details(provider(), Arc::new(Clock(now)))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    // A ticket would tell a source that it was the same person who asked before.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Bytes that nobody can guess. `None`: the system has none.
pub(super) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    provider().secure_random.fill(&mut bytes).ok()?;
    Some(bytes)
}

#[derive(Debug)]
struct Clock(fn() -> Timestamp);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let nanos = u64::try_from((self.0)().unix_nanos()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_nanos(nanos)))
    }
}

/// Shakes hands with `host`, which has to show that it is that host.
pub(super) fn begin<'of>(
    config: &Arc<ClientConfig>,
    host: &str,
    mut wire: Wire<'of>,
) -> Result<StreamOwned<ClientConnection, Wire<'of>>, End> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Failure::Certificate(format!("{host} is no name that one can be for")))?;
    let mut connection = ClientConnection::new(Arc::clone(config), name)
        .map_err(|error| Failure::Unreachable(error.to_string()))?;
    while connection.is_handshaking() {
        connection
            .complete_io(&mut wire)
            .map_err(|error| failed(&error, &wire, host))?;
    }
    Ok(StreamOwned::new(connection, wire))
}

fn failed(error: &io::Error, wire: &Wire<'_>, host: &str) -> End {
    let inner = error.get_ref().and_then(|it| it.downcast_ref());
    match inner {
        Some(rustls::Error::InvalidCertificate(why)) => {
            Failure::Certificate(words(why, host)).into()
        }
        Some(other) => {
            Failure::Unreachable(format!("no encrypted connection with {host}: {other}")).into()
        }
        None => wire.deadline.end(error),
    }
}

fn words(why: &CertificateError, host: &str) -> String {
    let is = |kinds: &[CertificateError]| kinds.contains(why);
    if is(&[CertificateError::UnknownIssuer]) {
        return "nobody who is trusted vouches for it".to_owned();
    }
    if is(&[CertificateError::Expired]) || matches!(why, CertificateError::ExpiredContext { .. }) {
        return "its time is over".to_owned();
    }
    if is(&[CertificateError::NotValidYet])
        || matches!(why, CertificateError::NotValidYetContext { .. })
    {
        return "its time has not come; is this computer's clock right?".to_owned();
    }
    if is(&[CertificateError::NotValidForName])
        || matches!(why, CertificateError::NotValidForNameContext { .. })
    {
        return format!("it is for others than {host}");
    }
    why.to_string()
}
