//! Services that are asked, by names of a fixed form, what is known of an address, a file or a sender.
//! Their questions look as those of a tunnel do, and nobody but them can read what is asked below their
//! names. Source: what these services write of themselves.

/// The domains that they have registered.
const SERVICES: [&str; 46] = [
    // Lists of senders (RFC 5782) and of names in mail.
    "abuse.ch",
    "abuseat.org",
    "abusix.zone",
    "barracudacentral.org",
    "blocklist.de",
    "dnsbl.info",
    "dnsbl.org",
    "dnswl.org",
    "gbudb.net",
    "habeas.com",
    "hostkarma.com",
    "invaluement.com",
    "junkemailfilter.com",
    "mailspike.net",
    "manitu.net",
    "mcafee.com",
    "msbl.org",
    "msrbl.net",
    "nixspam.org",
    "rspamd.com",
    "senderbase.org",
    "senderscore.com",
    "sorbs.net",
    "spamcop.net",
    "spamhaus.net",
    "spamhaus.org",
    "spamrats.com",
    "support-intelligence.net",
    "surbl.org",
    "surriel.com",
    "uceprotect.net",
    "uribl.com",
    "zapbl.net",
    // Whose network an address is of.
    "cymru.com",
    "shadowserver.org",
    // Programs against viruses, which ask for files and pages that they see.
    "avast.com",
    "avg.com",
    "bitdefender.net",
    "clamav.net",
    "e5.sk",
    "eset.com",
    "f-secure.com",
    "kaspersky-labs.com",
    "sophosxl.net",
    "symantec.com",
    "trendmicro.com",
];

/// `domain` in lower case.
pub(super) fn is_reputation(domain: &str) -> bool {
    SERVICES.contains(&domain)
}
