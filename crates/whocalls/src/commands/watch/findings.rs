//! Lines of findings: judged beside the fold, which never waits for it.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use model::{FindingChange, FindingId, Snapshot};

use super::known::Known;
use super::pick::Pick;
use super::queue::{Item, Queue};
use crate::commands::judging::{Judging, STEP};
use crate::commands::screen::newest::Newest;

/// Judges what is published, and puts a line into the queue for each wanted finding that changed, until
/// it is over. Gives the lines of the last snapshot, for which the queue may be closed already.
pub(super) fn tell_all(pick: Pick, newest: &Newest, queue: &Queue, over: &AtomicBool) -> Vec<Item> {
    let mut teller = Teller {
        judging: Judging::new(),
        pick,
        known: Known::default(),
        told: HashSet::new(),
    };
    loop {
        let is_over = over.load(Ordering::Relaxed);
        let snapshot = newest.get();
        let mut items = snapshot.map_or_else(Vec::new, |it| teller.items(&it));
        if is_over {
            return items;
        }
        queue.put(&mut items, 0);
        thread::sleep(STEP);
    }
}

struct Teller {
    judging: Judging,
    pick: Pick,
    known: Known,
    /// Those that have a line.
    told: HashSet<FindingId>,
}

impl Teller {
    fn items(&mut self, snapshot: &Arc<Snapshot>) -> Vec<Item> {
        let Some(findings) = self.judging.judge(snapshot) else {
            return Vec::new();
        };
        self.known.keep(snapshot);
        let mut items = Vec::new();
        for (change, finding) in self.judging.changes(&findings) {
            let change = match change {
                FindingChange::Ended if self.told.remove(&finding.id) => FindingChange::Ended,
                FindingChange::Ended => continue,
                FindingChange::New | FindingChange::Updated if self.told.contains(&finding.id) => {
                    change
                }
                FindingChange::New | FindingChange::Updated => {
                    if !self.pick.finding(&finding, snapshot, &self.known) {
                        continue;
                    }
                    self.told.insert(finding.id);
                    FindingChange::New
                }
            };
            let process = finding.about.process.and_then(|id| self.known.process(id));
            items.push(Item::Finding {
                change,
                time: snapshot.taken,
                process: process.map(Arc::clone),
                finding,
            });
        }
        if !items.is_empty() {
            items.insert(0, Item::Findings(findings));
        }
        items
    }
}
