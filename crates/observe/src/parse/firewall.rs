//! Chains and rules of nftables, as the kernel tells them over netlink
//! (include/uapi/linux/netfilter/nf_tables.h). The body of one message goes in.

use model::{FirewallChain, FirewallHook, Text};

use super::attributes::{attributes, be32_at};

/// Subsystem NFNL_SUBSYS_NFTABLES, messages NFT_MSG_GETCHAIN and NFT_MSG_GETRULE; they change
/// nothing.
pub(crate) const CHAINS_KIND: u16 = 0x0a04;
pub(crate) const RULES_KIND: u16 = 0x0a07;
/// An empty `struct nfgenmsg`: those of every family.
pub(crate) const QUESTION: [u8; HEADER] = [0; HEADER];

const HEADER: usize = 4;
/// A rule has fewer parts (NFT_RULE_MAXEXPRS).
const MOST_PARTS: usize = 128;

/// Where a rule is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) family: u8,
    pub(crate) table: Text,
    pub(crate) chain: Text,
    /// What it is made of.
    pub(crate) parts: Vec<Text>,
}

/// A chain without its rules, and the number of its family.
pub(crate) fn chain(body: &[u8]) -> Option<(u8, FirewallChain)> {
    let number = *body.first()?;
    let mut chain = FirewallChain {
        family: family(number),
        table: Text::default(),
        name: Text::default(),
        hook: None,
        rules: Vec::new(),
    };
    let (mut hook, mut policy, mut kind) = (None, None, None);
    for (attribute, value) in attributes(body.get(HEADER..)?) {
        match attribute {
            1 => chain.table = text(value),
            3 => chain.name = text(value),
            4 => hook = Some(value),
            5 => policy = be32_at(value, 0),
            7 => kind = Some(text(value)),
            _ => {}
        }
    }
    if let Some(nested) = hook {
        let find = |wanted| {
            let mut all = attributes(nested).filter(|(kind, _)| *kind == wanted);
            be32_at(all.next()?.1, 0)
        };
        chain.hook = Some(FirewallHook {
            kind,
            number: find(1)?,
            priority: find(2)?.cast_signed(),
            // NF_DROP, NF_ACCEPT
            accepts: match policy {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
        });
    }
    (!chain.name.is_empty()).then_some((number, chain))
}

/// A rule.
pub(crate) fn rule(body: &[u8]) -> Option<Rule> {
    let mut rule = Rule {
        family: *body.first()?,
        table: Text::default(),
        chain: Text::default(),
        parts: Vec::new(),
    };
    for (kind, value) in attributes(body.get(HEADER..)?) {
        match kind {
            1 => rule.table = text(value),
            2 => rule.chain = text(value),
            // A list of elements, each with its name and what it does.
            4 => {
                let parts = attributes(value).filter_map(|(_, element)| {
                    let name = attributes(element).find(|(kind, _)| *kind == 1);
                    name.map(|(_, name)| text(name))
                });
                rule.parts = parts.take(MOST_PARTS).collect();
            }
            _ => {}
        }
    }
    (!rule.chain.is_empty()).then_some(rule)
}

/// include/uapi/linux/netfilter.h, `NFPROTO_`.
fn family(number: u8) -> Option<&'static str> {
    Some(match number {
        1 => "inet",
        2 => "ip",
        3 => "arp",
        5 => "netdev",
        7 => "bridge",
        10 => "ip6",
        _ => return None,
    })
}

/// Up to the first NUL.
fn text(value: &[u8]) -> Text {
    value
        .split(|byte| *byte == 0)
        .next()
        .unwrap_or_default()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nested(all: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (kind, value) in all {
            bytes.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    fn message(family: u8, all: &[(u16, &[u8])]) -> Vec<u8> {
        [vec![family, 0, 0, 0], nested(all)].concat()
    }

    #[test]
    fn a_chain_that_drops_what_comes_in() {
        let hook = nested(&[(1, &1_u32.to_be_bytes()), (2, &(-10_i32).to_be_bytes())]);
        let all: &[(u16, &[u8])] = &[
            (1, b"mine\0"),
            (3, b"in\0"),
            (0x8004, &hook),
            (5, &[0; 4]),
            (7, b"filter\0"),
        ];
        let (number, found) = chain(&message(1, all)).unwrap();
        assert_eq!((number, found.family), (1, Some("inet")));
        assert_eq!((found.table, found.name), ("mine".into(), "in".into()));
        let expected = FirewallHook {
            kind: Some("filter".into()),
            number: 1,
            priority: -10,
            accepts: Some(false),
        };
        assert_eq!(found.hook, Some(expected));
        let (_, plain) = chain(&message(2, &[(1, b"a\0"), (3, b"b\0")])).unwrap();
        assert_eq!(plain.hook, None);
    }

    #[test]
    fn a_rule_is_made_of_parts() {
        let part = |name: &[u8]| nested(&[(1, name), (2, b"data")]);
        let list = nested(&[(1, &part(b"payload\0")), (1, &part(b"immediate\0"))]);
        let found = rule(&message(
            2,
            &[(1, b"t\0"), (2, b"c\0"), (3, &[0; 8]), (4, &list)],
        ));
        let expected = Rule {
            family: 2,
            table: "t".into(),
            chain: "c".into(),
            parts: vec!["payload".into(), "immediate".into()],
        };
        assert_eq!(found, Some(expected));
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = chain(&bytes);
            let _ = rule(&bytes);
        }
    }
}
