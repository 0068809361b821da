//! Which package lists a path, in little memory: a number made of each path, and that of its package.
//! Two paths may have one number; whoever asks looks into the list itself.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Sorted by the number of the path.
#[derive(Debug, Default)]
pub(super) struct Names {
    paths: Vec<(u64, u32)>,
}

impl Names {
    /// Only before [`Names::done`].
    pub(super) fn add(&mut self, path: &[u8], package: usize) {
        if let Ok(package) = u32::try_from(package) {
            self.paths.push((number(path), package));
        }
    }

    pub(super) fn done(&mut self) {
        self.paths.sort_unstable();
        self.paths.shrink_to_fit();
    }

    pub(super) fn len(&self) -> usize {
        self.paths.len()
    }

    /// The packages that may list it.
    pub(super) fn packages(&self, path: &[u8]) -> impl Iterator<Item = usize> {
        let wanted = number(path);
        let begin = self.paths.partition_point(|(number, _)| *number < wanted);
        let behind = self.paths.get(begin..).unwrap_or_default().iter();
        let same = behind.take_while(move |(number, _)| *number == wanted);
        same.filter_map(|(_, package)| usize::try_from(*package).ok())
    }
}

fn number(path: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_packages_of_a_path() {
        let mut names = Names::default();
        for (path, package) in [("/b", 1), ("/a", 2), ("/b", 0)] {
            names.add(path.as_bytes(), package);
        }
        names.done();
        assert_eq!(names.packages(b"/b").collect::<Vec<_>>(), [0, 1]);
        assert_eq!(names.packages(b"/a").collect::<Vec<_>>(), [2]);
        assert_eq!(names.packages(b"/c").count(), 0);
        assert_eq!(names.len(), 3);
    }
}
