//! Lines of processes.

use std::sync::Arc;

use model::{
    BootId, Container, FileIdentity, NetworkNamespace, Parent, PathState, Process, ProcessId, Text,
};
use serde::{Deserialize, Serialize};

use super::Fault;
use super::examined::ExaminedObject;
use super::known::Known;
use super::value::{Bytes, Hex, ProcessName, Str, Time, Word, is_no, missing, optional};

/// What keeps processes apart, as [`Container`] names it.
const ENGINES: [&str; 7] = [
    "docker",
    "podman",
    "containerd",
    "cri-o",
    "kubernetes",
    "lxc",
    "systemd-nspawn",
];

/// `process`: all that is known of it, or what is new since it was last told.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct ProcessLine<'a> {
    #[serde(rename = "type", skip_deserializing)]
    line: &'static str,
    /// See [`super::restated`].
    #[serde(default, skip_serializing_if = "is_no")]
    restated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<ProcessName>,
    /// As the last line before that tells of it, but for `ended` and `sha256` where they follow.
    #[serde(default, skip_serializing_if = "is_no")]
    same: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Time>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    name: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_hex: Option<Bytes>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    path: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_state: Option<Word<PathState>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<FileObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<Hex<32>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    command_line: Option<Vec<Str<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command_line_hex: Option<Vec<Bytes>>,
    #[serde(default, skip_serializing_if = "is_no")]
    command_line_truncated: bool,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    user: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_hex: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    parents: Vec<ParentObject<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    container: Option<ContainerObject<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    unit: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_hex: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    netns: Option<u32>,
    #[serde(default, skip_serializing_if = "is_no")]
    kernel_thread: bool,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    examined: Option<Box<ExaminedObject<'a>>>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct FileObject {
    device: u64,
    inode: u64,
}

#[derive(Serialize, Deserialize)]
struct ParentObject<'a> {
    pid: u32,
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_hex: Option<Bytes>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    path: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<Bytes>,
}

#[derive(Serialize, Deserialize)]
struct ContainerObject<'a> {
    #[serde(borrow)]
    engine: Str<'a>,
    #[serde(borrow)]
    id: Str<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_hex: Option<Bytes>,
}

impl<'a> ProcessLine<'a> {
    /// `former`: what the lines before tell of it.
    pub(super) fn of(
        process: &'a Process,
        former: Option<&Process>,
        restated: bool,
        home: BootId,
    ) -> Self {
        let short = Self {
            line: "process",
            restated,
            id: Some(ProcessName::of(process.id, home)),
            ..Self::default()
        };
        match former.and_then(|former| News::between(former, process)) {
            Some(news) => Self {
                same: true,
                ended: news.ended.map(Time),
                sha256: news.sha256.map(Hex),
                ..short
            },
            None => short.with_facts(process),
        }
    }

    fn with_facts(self, process: &'a Process) -> Self {
        let (name, name_hex) = Str::of(&process.name);
        let (path, path_hex) = Str::optional(process.path.as_ref());
        let (user, user_hex) = Str::optional(process.user.as_ref());
        let (unit, unit_hex) = Str::optional(process.unit.as_ref());
        let arguments = process.command_line.as_deref();
        let inexact = |arguments: &&[Text]| arguments.iter().any(|it| it.as_utf8().is_none());
        let bytes = |argument: &Text| Bytes(argument.bytes().to_vec());
        Self {
            pid: Some(process.id.pid),
            started: process.started.map(Time),
            ended: process.ended.map(Time),
            name: Some(name),
            name_hex,
            path,
            path_hex,
            path_state: Some(process.path_state)
                .filter(|state| *state != PathState::Unknown)
                .map(Word::Known),
            file: process
                .file
                .map(|FileIdentity { device, inode }| FileObject { device, inode }),
            sha256: process.sha256.map(Hex),
            command_line: arguments.map(|all| all.iter().map(|it| Str(it.lossy())).collect()),
            command_line_hex: arguments
                .filter(inexact)
                .map(|all| all.iter().map(bytes).collect()),
            command_line_truncated: process.command_line_truncated,
            user,
            user_hex,
            uid: process.uid,
            parents: process.parents.iter().map(ParentObject::of).collect(),
            container: process.container.as_ref().map(ContainerObject::of),
            unit,
            unit_hex,
            netns: process.netns.map(|netns| netns.0),
            kernel_thread: process.kernel_thread,
            examined: process
                .examined
                .as_deref()
                .map(|it| Box::new(ExaminedObject::of(it))),
            ..self
        }
    }

    /// Errors: it is said to be the same as before, and nothing was told before.
    pub(super) fn process(self, known: &Known, home: BootId) -> Result<Arc<Process>, Fault> {
        let id = self.id.ok_or_else(|| missing("id"))?.id(home)?;
        if !self.same {
            return self.facts(id).map(Arc::new);
        }
        let former = known.get(id);
        let mut process = former.map(Arc::clone).ok_or(Fault::Wrong(
            "a process is said to be the same, and was not told of before",
        ))?;
        if self.ended.is_some() || self.sha256.is_some() || process.examined.is_some() {
            let process = Arc::make_mut(&mut process);
            // Events have told of it since.
            process.examined = None;
            process.ended = self.ended.map(|Time(time)| time).or(process.ended);
            process.sha256 = self.sha256.map(|Hex(hash)| hash).or(process.sha256);
        }
        Ok(process)
    }

    fn facts(self, id: ProcessId) -> Result<Process, Fault> {
        let arguments = match (self.command_line, self.command_line_hex) {
            (_, Some(exact)) => Some(exact.into_iter().map(|Bytes(it)| Text::from(it)).collect()),
            (Some(plain), None) => Some(plain.into_iter().map(|it| it.text(None)).collect()),
            (None, None) => None,
        };
        let parents = self.parents.into_iter().map(ParentObject::parent);
        Ok(Process {
            id,
            started: self.started.map(|Time(time)| time),
            ended: self.ended.map(|Time(time)| time),
            name: self
                .name
                .ok_or_else(|| missing("name"))?
                .text(self.name_hex),
            path: self.path.map(|path| path.text(self.path_hex)),
            path_state: optional(self.path_state)?.unwrap_or(PathState::Unknown),
            file: self
                .file
                .map(|FileObject { device, inode }| FileIdentity { device, inode }),
            sha256: self.sha256.map(|Hex(hash)| hash),
            command_line: arguments,
            command_line_truncated: self.command_line_truncated,
            uid: self.uid,
            user: self.user.map(|user| user.text(self.user_hex)),
            parents: parents.collect(),
            container: self.container.map(ContainerObject::container).transpose()?,
            unit: self.unit.map(|unit| unit.text(self.unit_hex)),
            netns: self.netns.map(NetworkNamespace),
            kernel_thread: self.kernel_thread,
            examined: self
                .examined
                .map(|it| it.examined().map(Arc::new))
                .transpose()?,
        })
    }
}

/// What came to be known of a process that is the same otherwise.
struct News {
    ended: Option<model::Timestamp>,
    sha256: Option<[u8; 32]>,
}

impl News {
    /// `None`: more than that is new.
    fn between(former: &Process, process: &Process) -> Option<Self> {
        if process.examined.is_some() {
            return None;
        }
        let ended = process.ended.filter(|_| process.ended != former.ended);
        let sha256 = process.sha256.filter(|_| process.sha256 != former.sha256);
        let as_told = Process {
            ended: ended.or(former.ended),
            sha256: sha256.or(former.sha256),
            examined: None,
            ..former.clone()
        };
        (as_told == *process).then_some(Self { ended, sha256 })
    }
}

impl<'a> ParentObject<'a> {
    fn of(parent: &'a Parent) -> Self {
        let (name, name_hex) = Str::of(&parent.name);
        let (path, path_hex) = Str::optional(parent.path.as_ref());
        Self {
            pid: parent.pid,
            name,
            name_hex,
            path,
            path_hex,
        }
    }

    fn parent(self) -> Parent {
        Parent {
            pid: self.pid,
            name: self.name.text(self.name_hex),
            path: self.path.map(|path| path.text(self.path_hex)),
        }
    }
}

impl<'a> ContainerObject<'a> {
    fn of(container: &'a Container) -> Self {
        let (id, id_hex) = Str::of(&container.id);
        Self {
            engine: Str(container.engine.into()),
            id,
            id_hex,
        }
    }

    fn container(self) -> Result<Container, Fault> {
        let engine = ENGINES.iter().find(|engine| **engine == self.engine.0);
        Ok(Container {
            engine: engine.ok_or(Fault::Strange)?,
            id: self.id.text(self.id_hex),
        })
    }
}
