//! Whose socket it is, when several processes hold it.

use model::{Connection, Holder, Owner, ProcessId, Source, WhyUnknown};

/// Other holders that are remembered while a socket goes from process to process.
const MOST_OTHERS: usize = 64;

/// Picks the owner, and names the other holders, oldest first.
///
/// A look does not tell who used a socket last or who opened it, so the oldest holder is taken: a
/// server rather than its workers, a program rather than what it started.
pub(crate) fn owner(holders: &[Holder], why_unheld: WhyUnknown) -> (Owner, Vec<ProcessId>) {
    let age = |holder: &&Holder| (holder.process.start_ticks, holder.process.pid);
    let Some(oldest) = holders.iter().min_by_key(age) else {
        return (Owner::Unknown { why: why_unheld }, Vec::new());
    };
    let owner = Owner::Known {
        process: oldest.process,
        source: oldest.source,
    };
    if holders.len() == 1 {
        return (owner, Vec::new());
    }
    let mut others: Vec<_> = holders.iter().filter(|holder| *holder != oldest).collect();
    others.sort_by_key(age);
    (
        owner,
        others.into_iter().map(|holder| holder.process).collect(),
    )
}

/// Makes `process`, which just used the socket, its owner. The former owner still holds it, as far
/// as is known.
pub(crate) fn used_by(connection: &mut Connection, process: ProcessId, source: Source) {
    let former = connection.owner.process();
    if former == Some(process) {
        return;
    }
    connection.owner = Owner::Known { process, source };
    let others = &mut connection.also_held_by;
    others.retain(|other| *other != process);
    if let Some(former) = former {
        let age = |process: &ProcessId| (process.start_ticks, process.pid);
        let place = others.partition_point(|other| age(other) < age(&former));
        others.insert(place, former);
        others.truncate(MOST_OTHERS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{BootId, Source};

    fn check(holders: &[(u32, u64)], expected: Option<u32>, others: &[u32]) {
        let holders: Vec<_> = holders
            .iter()
            .map(|(pid, start_ticks)| Holder {
                process: ProcessId {
                    boot: BootId([0; 16]),
                    pid: *pid,
                    start_ticks: *start_ticks,
                },
                source: Source::Ebpf,
            })
            .collect();
        let (owner, also) = owner(&holders, WhyUnknown::NoHolder);
        assert_eq!(owner.process().map(|process| process.pid), expected);
        assert_eq!(
            also.iter().map(|process| process.pid).collect::<Vec<_>>(),
            others
        );
    }

    #[test]
    fn the_oldest_holder_owns() {
        check(&[(9, 300), (40, 100), (3, 200)], Some(40), &[3, 9]);
        check(&[(7, 100), (5, 100)], Some(5), &[7]);
        check(&[(7, 100)], Some(7), &[]);
    }

    #[test]
    fn nobody_owns_what_nobody_holds() {
        check(&[], None, &[]);
    }
}
