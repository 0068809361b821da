//! A process as rules look at it.

use model::{
    Check, Examined, Fact, Outcome, PackageManager, PackageState, Process, Sign, Timestamp, Trace,
    Untested,
};

use super::comes_back::Again;
use super::paths::without_mark;
use super::{paths, programs};

/// One of which nothing was looked at.
static NOTHING: Examined = Examined {
    checks: Vec::new(),
    package: None,
    display: None,
};

/// A process, and what is known of it from others.
pub(crate) struct Looked<'a> {
    pub(crate) process: &'a Process,
    pub(crate) life: Life<'a>,
}

/// What is known of a process beside what was found in it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Life<'a> {
    /// It has, had or tried connections.
    pub(crate) talks: bool,
    /// It listens for this computer itself: it can be opened in a browser here.
    pub(crate) serves_here: bool,
    /// It listens for other computers.
    pub(crate) open_to_others: bool,
    /// When whocalls began. `None`: not known.
    pub(crate) begun: Option<Timestamp>,
    /// The first process of the same program above it: a browser is made of many.
    pub(crate) first: Option<&'a Process>,
    /// What came back of it after it had ended.
    pub(crate) again: Option<Again<'a>>,
}

impl Looked<'_> {
    pub(crate) fn examined(&self) -> &Examined {
        self.process.examined.as_deref().unwrap_or(&NOTHING)
    }

    pub(crate) fn traces(&self, check: Check) -> &[Trace] {
        self.examined().traces(check)
    }

    /// What a check found of one kind.
    pub(crate) fn signs(&self, check: Check, sign: Sign) -> Vec<&Trace> {
        self.examined().signs(check, sign).collect()
    }

    /// How many there were beyond those that are kept.
    pub(crate) fn more(&self, check: Check) -> usize {
        match self.examined().outcome(check) {
            Some(Outcome::Found { more, .. }) => usize::try_from(*more).unwrap_or(usize::MAX),
            Some(Outcome::NothingFound | Outcome::NotTestable(_)) | None => 0,
        }
    }

    /// Path of the program, its name where the path is not known.
    pub(crate) fn program(&self) -> String {
        self.process.program().lossy().into_owned()
    }

    /// Path of the program, without the kernel's mark. `None`: not known.
    pub(crate) fn path(&self) -> Option<String> {
        let path = self.process.path.as_ref()?.lossy();
        Some(without_mark(&path).to_owned())
    }

    /// Empty: not known, or none.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let all = self.process.command_line.iter().flatten();
        all.map(|it| it.lossy().into_owned()).collect()
    }

    /// `None`: not asked yet.
    pub(crate) fn package(&self) -> Option<PackageState> {
        let package = self.examined().package.as_ref();
        package.map(|it| it.state)
    }

    pub(crate) fn manager(&self) -> Option<PackageManager> {
        self.examined().package.as_ref()?.manager
    }

    /// It ended before its files could be compared with those of packages: nobody will know.
    pub(crate) fn ended_before_files(&self) -> bool {
        let outcome = self.examined().outcome(Check::Package);
        outcome == Some(&Outcome::NotTestable(Untested::Ended))
    }

    pub(crate) fn is_intact(&self) -> bool {
        self.package() == Some(PackageState::Intact)
    }

    pub(crate) fn is_unpackaged(&self) -> bool {
        self.package() == Some(PackageState::Unpackaged)
    }

    pub(crate) fn is_this_tool(&self) -> bool {
        self.package() == Some(PackageState::ThisTool)
    }

    /// One file that carries its libraries with it, in a file system of its own below /tmp.
    pub(crate) fn is_app_image(&self) -> bool {
        self.manager() == Some(PackageManager::AppImage)
    }

    /// The first argument that is no option: of an interpreter its script.
    pub(crate) fn script(&self) -> Option<String> {
        let mut arguments = self.arguments().into_iter().skip(1);
        arguments.find(|it| !it.starts_with('-') && !it.is_empty())
    }

    /// Paths of those above it, nearest first, as far as they are known.
    pub(crate) fn parents(&self) -> Vec<Option<String>> {
        let all = self.process.parents.iter();
        let path = |it: &model::Parent| Some(without_mark(&it.path.as_ref()?.lossy()).to_owned());
        all.map(path).collect()
    }

    /// Whether what started it is a tool that makes programs: tests run where they were made.
    pub(crate) fn is_of_a_build(&self) -> bool {
        let parent = self.parents().into_iter().next().flatten();
        parent.is_some_and(|path| paths::is_of_root(&path) && programs::is_build_tool(&path))
    }

    pub(crate) fn is_shell(&self) -> bool {
        programs::is_shell(&self.program(), &self.arguments())
    }

    pub(crate) fn is_interpreter(&self) -> bool {
        programs::is_interpreter(&self.program())
    }

    /// Whether it comes with a file of the program's own: in its folder or below, or in one above it.
    /// Only of a program that nobody packaged: what is beside a packaged one is packaged, too.
    pub(crate) fn brings(&self, file: &str) -> bool {
        let Some(path) = self.path() else {
            return false;
        };
        if self.is_app_image() {
            let root = app_image_root(&path);
            return root.is_some() && root == app_image_root(file);
        }
        let (own, other) = (paths::folder(&path), paths::folder(file));
        let apart = paths::is_temporary(&path) || other.matches('/').count() < 4;
        self.is_unpackaged() && !apart && (other.starts_with(own) || own.starts_with(other))
    }
}

/// `/tmp/.mount_NextclAbCdEf/`.
fn app_image_root(path: &str) -> Option<&str> {
    let below = path.strip_prefix("/tmp/.mount_")?;
    let end = below.find('/')?;
    path.get(.."/tmp/.mount_".len() + end)
}

/// What a trace tells of a place, as facts.
pub(crate) fn facts(trace: &Trace) -> Vec<(&'static str, Fact)> {
    let text = |it: &model::Text| Fact::Text(it.lossy().into_owned());
    let number = |it: u64| Fact::Text(format!("{it:#x}"));
    let bytes = |it: &Vec<u8>| {
        let digits = it.iter().map(|byte| format!("{byte:02x}"));
        Fact::Text(digits.collect())
    };
    let all = [
        ("path", trace.path.as_ref().map(text)),
        ("package", trace.package.as_ref().map(text)),
        ("address", trace.address.map(number)),
        ("bytes", trace.bytes.as_ref().map(bytes)),
        ("expected", trace.expected.as_ref().map(bytes)),
        ("pid", trace.pid.map(|it| Fact::Count(it.into()))),
        ("name", trace.name.as_ref().map(text)),
    ];
    all.into_iter()
        .filter_map(|(name, fact)| Some((name, fact?)))
        .collect()
}

/// The path of a trace, without the kernel's mark. Empty: it has none.
pub(crate) fn path_of(trace: &Trace) -> String {
    let path = trace
        .path
        .as_ref()
        .map(model::Text::lossy)
        .unwrap_or_default();
    without_mark(&path).to_owned()
}

/// The lengths of all together.
pub(crate) fn length(traces: &[&Trace]) -> u64 {
    let lengths = traces.iter().filter_map(|it| it.length);
    lengths.fold(0, u64::saturating_add)
}
