//! What a process ran when one of its packets passed: packets are written somewhat later than the
//! events are told, and by then it may run another program. A pid that is used again within the
//! same tick has the same id, and is told apart here too.

use std::collections::HashMap;
use std::sync::Arc;

use model::ProcessId;
use record::pcapng::Writer;

/// A packet is written at most so long after it passed, in nanoseconds since boot.
const KEPT: u64 = 5_000_000_000;

/// What is known of a process from then on.
#[derive(Clone, Debug)]
pub(super) struct Image {
    /// Nanoseconds since boot. `None`: it is the same program, of which more is known.
    pub(super) since: Option<u64>,
    pub(super) process: Arc<model::Process>,
}

/// The programs that processes have begun to run a short time ago.
#[derive(Debug, Default)]
pub(super) struct Images(HashMap<ProcessId, Vec<(u64, Arc<model::Process>)>>);

impl Images {
    /// Something is known of a process.
    pub(super) fn learn(&mut self, image: Image, writer: &mut Writer) {
        let id = image.process.id;
        match (image.since, self.0.get_mut(&id)) {
            (Some(since), known) => {
                let begun = (since, Arc::clone(&image.process));
                match known {
                    Some(images) => images.push(begun),
                    None => {
                        // What it ran until then may still be asked for.
                        let before = writer.process_of(id).map(|before| (0, before));
                        self.0
                            .insert(id, before.into_iter().chain([begun]).collect());
                    }
                }
            }
            (None, Some(images)) => {
                if let Some((_, newest)) = images.last_mut() {
                    *newest = Arc::clone(&image.process);
                }
            }
            (None, None) => writer.process(&image.process),
        }
    }

    /// Has the writer know what the process ran at that time.
    pub(super) fn at(&self, id: ProcessId, boot_ns: u64, writer: &mut Writer) {
        let Some(images) = self.0.get(&id) else {
            return;
        };
        let begun = images.partition_point(|(since, _)| *since <= boot_ns);
        // What it ran before the first that is known, nobody can tell.
        let place = begun.checked_sub(1);
        if let Some((_, process)) = place.and_then(|place| images.get(place)) {
            let is_known = writer
                .process_of(id)
                .is_some_and(|it| Arc::ptr_eq(&it, process));
            if !is_known {
                writer.process(process);
            }
        }
    }

    /// Lets go of what no packet can ask for any more.
    pub(super) fn forget(&mut self, now: u64, writer: &mut Writer) {
        self.0.retain(|_, images| {
            let begun = images.partition_point(|(since, _)| since.saturating_add(KEPT) <= now);
            // Of what had begun by then, the last may still have run.
            images.drain(..begun.saturating_sub(1));
            let newest = images.last();
            let is_new = newest.is_some_and(|(since, _)| since.saturating_add(KEPT) > now);
            if let (false, Some((_, process))) = (is_new, newest) {
                writer.process(process);
            }
            is_new
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::watch::sample;
    use record::pcapng::Header;

    /// What process 7 runs, as the writer has it.
    fn runs(writer: &Writer) -> String {
        let process = writer.process_of(sample::id(7)).unwrap();
        process.name.lossy().into_owned()
    }

    fn image(since: Option<u64>, name: &str) -> Image {
        let mut process = sample::process(7, &[]);
        process.name = name.into();
        let process = Arc::new(process);
        Image { since, process }
    }

    #[test]
    fn a_packet_belongs_to_what_ran_when_it_passed() {
        let mut writer = Writer::new(Header {
            case: "1f0c9a".to_owned(),
            hardware: None,
            os: "Linux".to_owned(),
            version: "0".to_owned(),
            packet_bytes: None,
            command_lines: true,
        });
        let mut images = Images::default();
        images.learn(image(None, "before"), &mut writer);
        assert_eq!(runs(&writer), "before");
        images.learn(image(Some(100), "shell"), &mut writer);
        images.learn(image(Some(200), "caller"), &mut writer);
        // More is known of the newest.
        images.learn(image(None, "caller, hashed"), &mut writer);
        for (boot_ns, name) in [
            (250, "caller, hashed"),
            (150, "shell"),
            (50, "before"),
            (100, "shell"),
            (200, "caller, hashed"),
            (199, "shell"),
        ] {
            images.at(sample::id(7), boot_ns, &mut writer);
            assert_eq!(runs(&writer), name, "{boot_ns}");
        }
        // Nothing is known of it until it runs a program.
        let mut late = image(Some(300), "late");
        Arc::make_mut(&mut late.process).id = sample::id(8);
        images.learn(late, &mut writer);
        images.at(sample::id(8), 299, &mut writer);
        assert!(writer.process_of(sample::id(8)).is_none());
        images.at(sample::id(8), 300, &mut writer);
        assert!(writer.process_of(sample::id(8)).is_some());
        images.0.remove(&sample::id(8));
        // Whoever goes on running other programs does not take more and more memory.
        images.forget(100 + KEPT, &mut writer);
        assert_eq!(images.0[&sample::id(7)].len(), 2);
        images.forget(200 + KEPT - 1, &mut writer);
        assert_eq!(images.0.len(), 1);
        images.forget(200 + KEPT, &mut writer);
        assert!(images.0.is_empty());
        assert_eq!(runs(&writer), "caller, hashed");
    }
}
