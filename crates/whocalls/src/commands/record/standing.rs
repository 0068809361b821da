//! Whether the folder of the case still stands where it was made. What is written goes on into it
//! under another name; but whoever looks for it has to know that name.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::anyhow;
use model::{Gap, Source};
use observe::folder::Whereabouts;

use super::run::{Run, Stop};

/// So many are told; whoever renames it over and over is not to fill the case.
const MOST_TOLD: usize = 16;

/// Where the folder of a case stood, and stands.
pub(super) struct Standing {
    folder: Option<Whereabouts>,
    /// As it was made.
    made: PathBuf,
    moves: Mutex<Moves>,
}

struct Moves {
    /// As the kernel names it. `None`: it does not tell.
    last: Option<PathBuf>,
    count: usize,
}

impl Standing {
    pub(super) fn new(made: &Path, folder: Option<Whereabouts>) -> Self {
        let first = folder.as_ref().and_then(|folder| folder.path().ok());
        Self {
            folder,
            made: made.to_owned(),
            moves: Mutex::new(Moves {
                last: first.flatten(),
                count: 0,
            }),
        }
    }

    /// Looks where it is by now. That it has another name is a gap; that it was removed ends the
    /// recording, of which nothing more would be kept.
    pub(super) fn look(&self, run: &Run) {
        let Some(Ok(now)) = self.folder.as_ref().map(Whereabouts::path) else {
            return;
        };
        let Some(now) = now else {
            run.stop(Stop::Failed(anyhow!(
                "the folder of the case was removed while it was written"
            )));
            return;
        };
        let mut moves = self.moves();
        if moves.last.as_ref().is_none_or(|last| *last == now) {
            return;
        }
        let from = moves.last.replace(now.clone()).unwrap_or_default();
        moves.count += 1;
        if moves.count <= MOST_TOLD {
            run.add_gap(Gap {
                since: Some(observe::now()),
                ..Gap::standing(
                    "case_moved",
                    Source::Proc,
                    format!(
                        "the folder of the case was renamed or moved while it was written, from {} to {}",
                        from.display(),
                        now.display()
                    ),
                    "nothing of the recording, which goes on there; what lies under the first name is \
                     another one",
                )
            });
        }
    }

    /// Where to find the case.
    pub(super) fn path(&self) -> PathBuf {
        let moves = self.moves();
        let moved = moves.last.clone().filter(|_| moves.count > 0);
        moved.unwrap_or_else(|| self.made.clone())
    }

    /// Says that it is not where it was made. `None`: it is.
    pub(super) fn in_words(&self) -> Option<String> {
        (self.moves().count > 0).then(|| {
            format!(
                "The folder of the case was renamed or moved while it was written. It was made as {}; \
                 what lies there is not this case.\n",
                self.made.display()
            )
        })
    }

    fn moves(&self) -> MutexGuard<'_, Moves> {
        self.moves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
