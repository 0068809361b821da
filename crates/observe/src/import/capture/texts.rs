//! How much is kept of what a capture tells of processes: of each text, and of all together. A file that
//! is made so would else fill the memory. What is cut or left out is counted, and is a gap.

use model::{Gap, Source, Text};

/// The longest command line of Windows is one less (CreateProcessW).
pub(super) const LONGEST: usize = 32 << 10;
/// Of all processes of a file.
const MOST: usize = 64 << 20;

#[derive(Debug, Default)]
pub(super) struct Texts {
    /// What is kept of all.
    bytes: usize,
    let_go: u64,
}

impl Texts {
    /// Cuts a text that is too long.
    pub(super) fn shorten(&mut self, text: &mut Text) {
        if let Some(beginning) = text.bytes().get(..LONGEST)
            && text.bytes().len() > LONGEST
        {
            *text = Text::from(beginning);
            self.let_go += 1;
        }
    }

    /// Drops the arguments behind the longest command line. `true`: there were any.
    pub(super) fn shorten_all(&mut self, arguments: &mut Vec<Text>) -> bool {
        let mut bytes = 0;
        let fits = |text: &Text| {
            bytes += size(text);
            bytes <= LONGEST
        };
        let kept = arguments.iter().map(fits).take_while(|fits| *fits).count();
        let is_cut = kept < arguments.len();
        self.let_go += u64::from(is_cut);
        arguments.truncate(kept);
        arguments.shrink_to_fit();
        is_cut
    }

    /// Makes room for what took so many bytes `before`. `false`: there is none, and it is left out.
    pub(super) fn has_room(&mut self, before: usize, after: usize) -> bool {
        let bytes = self.bytes.saturating_sub(before).saturating_add(after);
        if bytes > MOST {
            self.let_go += 1;
            return false;
        }
        self.bytes = bytes;
        true
    }

    /// What was cut or left out, once all is read. `None`: nothing.
    pub(super) fn gap(&self) -> Option<Gap> {
        let gap = Gap::standing(
            "texts_let_go",
            Source::Capture,
            format!(
                "{} KiB are kept of a text or a command line, {} MiB of all processes of a file",
                LONGEST >> 10,
                MOST >> 20
            ),
            "the rest of them: paths, command lines, parents and containers of processes",
        );
        let count = Some(self.let_go).filter(|count| *count > 0);
        count.is_some().then_some(Gap { count, ..gap })
    }
}

/// What a text takes in memory, in a list of them.
pub(super) fn size(text: &Text) -> usize {
    text.bytes().len() + size_of::<Text>()
}
