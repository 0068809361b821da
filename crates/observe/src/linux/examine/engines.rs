//! Programs and libraries that make code while they run (JIT compilers, emulators, makers of
//! trampolines), and where each of them puts it.
//!
//! That a process has such an engine says little about memory that does not look like the engine's. The
//! shapes were measured, see docs/judging.md; an engine that was not has [`Shape::Any`].

use crate::parse::memory_map::Region;

/// How the code of an engine lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Not known, or not of one kind.
    Any,
    /// Within a room that was reserved in one piece: so many bytes at least, with what has no rights yet.
    Reserved(u64),
    /// The same, readable, writable and executable.
    ReservedWritable(u64),
    /// V8: in such a room of 64 MiB and more, not at its beginning; some of it, such as WebAssembly, at
    /// addresses that V8 rolls itself (src/base/platform, GetRandomMmapAddr: 46 bits).
    V8,
    /// SpiderMonkey: in such a room, at an address that it rolls itself (js/src/jit/ProcessExecutableMemory.cpp:
    /// 46 bits).
    SpiderMonkey,
    /// Private, in multiples of so many bytes.
    Chunks(u64),
    /// Private, writable, in multiples of so many bytes.
    WritableChunks(u64),
    /// A few pages, writable.
    Trampolines,
    /// A page for functions that a program asks for by name, writable; two where two libraries lie together.
    /// Mesa, `src/mapi/u_execmem.c` (`EXEC_MAP_SIZE`); libglvnd has the same file.
    Stubs,
    /// Shared with children.
    Shared,
}

/// Which files are an engine, by the name of the file.
#[derive(Clone, Copy, Debug)]
enum Name {
    Is(&'static str),
    Begins(&'static str),
    /// Anywhere in the path.
    Within(&'static str),
}

const MIB: u64 = 1 << 20;
/// Of code for trampolines.
const MOST_TRAMPOLINES: u64 = MIB;
const MOST_STUBS: u64 = 8 * 1024;
/// What browsers roll is below it, what the kernel chooses above: the highest part of 47 bits.
const ROLLED_END: u64 = 1 << 46;
/// Of a piece of code of V8.
const LONGEST_HEAD: u64 = 64 * 1024;
/// Both reserve 128 MiB and more.
const LEAST_OF_BROWSERS: u64 = 64 * MIB;

const ENGINES: &[(Name, Shape)] = {
    use Name::{Begins, Is, Within};
    use Shape::*;
    const HOTSPOT: Shape = ReservedWritable(2 * MIB);
    const EMULATOR: Shape = ReservedWritable(MIB);
    const JAVASCRIPTCORE: Shape = ReservedWritable(64 * MIB);
    const CHUNKS: Shape = ReservedWritable(64 * 1024);
    &[
        (Is("node"), V8),
        (Is("nodejs"), V8),
        (Begins("libnode.so"), V8),
        (Begins("libv8"), V8),
        (Is("deno"), V8),
        (Is("chrome"), V8),
        (Is("chromium"), V8),
        (Is("chromium-browser"), V8),
        (Is("msedge"), V8),
        (Is("brave"), V8),
        (Is("opera"), V8),
        (Is("vivaldi-bin"), V8),
        (Is("electron"), V8),
        (Is("libcef.so"), V8),
        (Begins("libQt5WebEngineCore.so"), V8),
        (Begins("libQt6WebEngineCore.so"), V8),
        // Programs made with Electron have V8 in themselves, under a name of their own.
        (Is("v8_context_snapshot.bin"), V8),
        (Is("snapshot_blob.bin"), V8),
        (Is("libxul.so"), SpiderMonkey),
        (Begins("libmozjs"), SpiderMonkey),
        (Is("libjvm.so"), HOTSPOT),
        (Begins("libj9jit"), Any),
        (Begins("jna"), Trampolines),
        (Begins("libjnidispatch"), Trampolines),
        (Begins("luajit"), Chunks(32 * 1024)),
        (Begins("libluajit"), Chunks(32 * 1024)),
        (Is("nvim"), Chunks(32 * 1024)),
        (Begins("php"), Shared),
        (Begins("libphp"), Shared),
        (Is("opcache.so"), Shared),
        (Begins("ruby"), Reserved(MIB)),
        (Begins("libruby"), Reserved(MIB)),
        (Begins("qemu-"), EMULATOR),
        (Begins("libpcre2-"), WritableChunks(64 * 1024)),
        (Begins("libpcre.so"), WritableChunks(64 * 1024)),
        (Begins("libpcre16.so"), WritableChunks(64 * 1024)),
        (Begins("_ctypes."), Trampolines),
        (Begins("_cffi_backend."), Trampolines),
        (Begins("libffi.so.6"), Trampolines),
        (Begins("libffi.so.7"), Trampolines),
        // How LibreOffice calls from one language into another.
        (Is("libgcc3_uno.so"), Trampolines),
        (Is("bun"), JAVASCRIPTCORE),
        // As npm has it.
        (Is("bun.exe"), JAVASCRIPTCORE),
        (Begins("libjavascriptcoregtk-"), JAVASCRIPTCORE),
        (Begins("libwebkit2gtk-"), JAVASCRIPTCORE),
        (Begins("libwebkitgtk-"), JAVASCRIPTCORE),
        (Begins("libWPEWebKit-"), JAVASCRIPTCORE),
        (Begins("libQt5Qml.so"), Any),
        (Begins("libQt6Qml.so"), Any),
        (Begins("mono"), CHUNKS),
        (Begins("libmono"), CHUNKS),
        (Is("libcoreclr.so"), Any),
        (Is("libclrjit.so"), Any),
        (Begins("pypy"), ReservedWritable(MIB)),
        (Begins("libpypy"), ReservedWritable(MIB)),
        (Begins("julia"), Any),
        (Begins("libjulia"), Any),
        (Is("beam.smp"), Any),
        (Begins("libguile-"), CHUNKS),
        (Is("sbcl"), Any),
        (Begins("libHSrts"), Any),
        (Begins("libgccjit.so"), Any),
        (Begins("libtcc.so"), Any),
        (Begins("liborc-"), Any),
        (Begins("liblightning.so"), Any),
        (Begins("libLLVM"), Any),
        (Is("llvmjit.so"), Any),
        (Begins("libclamav.so"), Any),
        (Begins("libGLdispatch.so"), Stubs),
        (Begins("libglapi.so"), Stubs),
        (Begins("libgallium"), Any),
        (Begins("libvulkan_"), Any),
        (Begins("swrast_dri.so"), Any),
        (Begins("libnvidia-"), Any),
        (Begins("libcuda.so"), Any),
        (Begins("libGLX_nvidia"), Any),
        (Begins("libEGL_nvidia"), Any),
        (Begins("wine"), Any),
        (Within("/valgrind/"), Any),
        (Begins("box64"), Any),
        (Begins("box86"), Any),
        (Begins("FEX"), Any),
        (Begins("dosbox"), Any),
        (Begins("dolphin-emu"), Any),
        (Is("VBoxVMM.so"), Any),
        (Is("vmware-vmx"), Any),
        (Begins("wasmtime"), Any),
        (Begins("libwasmtime"), Any),
        (Begins("libwasmer"), Any),
    ]
};

/// What engines call their files that live in memory only: .NET, libffi, qemu, asmjit (Erlang), Julia,
/// PCRE, Orc.
const MEMORY_FILES: [&[u8]; 7] = [
    b"doublemapper",
    b"libffi",
    b"tcg-jit",
    b"vmem",
    b"julia-codegen",
    b"sljit",
    b"orcexec",
];
/// And with what those of Qt (QML) begin: src/3rdparty/masm/wtf/OSAllocatorPosix.cpp.
const MEMORY_FILES_OF_QT: &[u8] = b"JITCode:";

/// Engines that load a picture of their memory out of a file, code and all, and go on writing to it.
const WITH_PICTURE: [Name; 1] = [Name::Is("sbcl")];

/// Libraries that fit a piece of their own code to what they run, and how long it is at most, in bytes.
const FITTED: &[(Name, u64)] = &[
    // The barriers of its collector (coreclr: src/vm/amd64/jithelpers_fast.S, JIT_PatchedCodeStart).
    (Name::Is("libcoreclr.so"), 1024),
];

/// The engines of one process.
#[derive(Debug, Default)]
pub(super) struct Engines<'a> {
    found: Vec<(&'a Region, Shape)>,
}

impl<'a> Engines<'a> {
    pub(super) fn of(regions: &'a [Region]) -> Self {
        let mut found: Vec<(&Region, Shape)> = Vec::new();
        for region in regions.iter().filter(|region| region.is_of_file()) {
            if found
                .last()
                .is_some_and(|(last, _)| last.name == region.name)
            {
                continue;
            }
            let path = path_of(region);
            let is_data = path.ends_with(b".bin");
            let shape = (region.executable || is_data)
                .then(|| shape(path))
                .flatten();
            let is_new = found.iter().all(|(it, _)| it.name != region.name);
            if let Some(shape) = shape.filter(|_| is_new) {
                found.push((region, shape));
            }
        }
        Self { found }
    }

    /// The files of those engines that executable memory may come from, when it looks like theirs. One
    /// that has it in a room of its own stands for itself.
    pub(super) fn of_region(&self, region: &Region, room: Room) -> Vec<&'a Region> {
        let fitting = |with_room: bool| -> Vec<_> {
            let fit = |(_, shape): &&(&Region, Shape)| {
                shape.has_room() == with_room && shape.fits(region, room)
            };
            let found = self.found.iter().filter(fit);
            found.map(|(file, _)| *file).collect()
        };
        let with_room = fitting(true);
        if with_room.is_empty() {
            fitting(false)
        } else {
            with_room
        }
    }

    /// Whether a file that lives in memory only is called like that of an engine, and one is there.
    pub(super) fn make_file(&self, region: &Region) -> bool {
        let name = region.deleted().and_then(|it| it.strip_prefix(b"/memfd:"));
        let is_known =
            |name: &[u8]| MEMORY_FILES.contains(&name) || name.starts_with(MEMORY_FILES_OF_QT);
        name.is_some_and(is_known) && !self.found.is_empty()
    }

    /// Whether one of them loads a picture of its memory.
    pub(super) fn load_a_picture(&self) -> bool {
        let mut paths = self.found.iter().map(|(file, _)| path_of(file));
        paths.any(|path| WITH_PICTURE.iter().any(|name| name.is_of(path)))
    }
}

impl Shape {
    fn has_room(self) -> bool {
        match self {
            Self::Reserved(_) | Self::ReservedWritable(_) | Self::V8 | Self::SpiderMonkey => true,
            Self::Any
            | Self::Chunks(_)
            | Self::WritableChunks(_)
            | Self::Trampolines
            | Self::Stubs
            | Self::Shared => false,
        }
    }

    fn fits(self, region: &Region, room: Room) -> bool {
        let is_of = |chunk| region.length().is_multiple_of(chunk);
        // Measured on x86_64 only.
        let is_rolled = region.end <= ROLLED_END || cfg!(not(target_arch = "x86_64"));
        let is_large = room.length >= LEAST_OF_BROWSERS;
        match self {
            Self::Any => true,
            // Memory that is shared has a file of its own, and so no room around it.
            _ if region.shared != (self == Self::Shared) => false,
            Self::Shared => true,
            Self::Reserved(least) => room.length >= least,
            Self::ReservedWritable(least) => room.length >= least && region.writable,
            // The kernel puts what others map right below what is there.
            Self::V8 => {
                let begins = room.begins_here && region.length() < LEAST_OF_BROWSERS;
                is_rolled || (is_large && !begins)
            }
            Self::SpiderMonkey => is_rolled && is_large,
            Self::Chunks(size) => is_of(size),
            Self::WritableChunks(size) => is_of(size) && region.writable,
            Self::Trampolines => region.writable && region.length() <= MOST_TRAMPOLINES,
            Self::Stubs => region.writable && region.length() <= MOST_STUBS,
        }
    }
}

/// The room that a region lies in: all memory of no file around it that is executable or has no rights
/// at all, without a hole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    /// 0: it is nothing of that kind.
    length: u64,
    /// There is nothing of it below the region.
    begins_here: bool,
}

/// For each region its room.
pub(super) fn rooms(regions: &[Region]) -> Vec<Room> {
    let mut rooms: Vec<Room> = Vec::with_capacity(regions.len());
    let mut rest = regions;
    while let Some(first) = rest.first() {
        let count = if may_be_of_room(first) { run(rest) } else { 1 };
        let (of_it, others) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        let end = of_it.last().filter(|_| may_be_of_room(first));
        let length = end.map_or(0, |last| last.end.saturating_sub(first.start));
        rooms.extend((0..of_it.len()).map(|at| Room {
            length,
            begins_here: at == 0,
        }));
        rest = others;
    }
    rooms
}

/// How many regions from the first one on are of one room. It is of one itself.
fn run(regions: &[Region]) -> usize {
    let mut count = 1_usize;
    while let Some([last, next, behind @ ..]) = regions.get(count - 1..) {
        let goes_on = may_be_of_room(next) || is_within(last, next, behind.first());
        if last.end != next.start || !goes_on {
            break;
        }
        count += 1;
    }
    count
}

fn may_be_of_room(region: &Region) -> bool {
    let has_no_rights = !region.readable && !region.writable;
    !region.is_of_file() && !region.is_of_kernel() && (region.executable || has_no_rights)
}

/// What stands within the room of V8 and is of another kind: the functions that are built into the
/// program, which it maps a second time in the midst of what it makes; and before each piece of code some
/// pages about it, with guards on both sides.
fn is_within(last: &Region, region: &Region, next: Option<&Region>) -> bool {
    let Some(next) = next.filter(|next| next.start == region.end && may_be_of_room(next)) else {
        return false;
    };
    if region.is_of_file() {
        return region.executable && !region.writable && next.executable;
    }
    let is_head = region.writable && !region.executable && region.length() <= LONGEST_HEAD;
    is_head && !last.executable && !next.executable
}

/// How long the code is, at most, that a library fits to what it runs: what it changes lies so close
/// together. `None`: it has none.
pub(super) fn fitted(path: &[u8]) -> Option<u64> {
    let found = FITTED.iter().find(|(name, _)| name.is_of(path));
    found.map(|(_, length)| *length)
}

fn shape(path: &[u8]) -> Option<Shape> {
    let found = ENGINES.iter().find(|(name, _)| name.is_of(path));
    found.map(|(_, shape)| *shape)
}

impl Name {
    fn is_of(self, path: &[u8]) -> bool {
        let file = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        match self {
            Self::Is(text) => file == text.as_bytes(),
            Self::Begins(text) => file.starts_with(text.as_bytes()),
            Self::Within(text) => path.windows(text.len()).any(|it| it == text.as_bytes()),
        }
    }
}

fn path_of(region: &Region) -> &[u8] {
    region.deleted().unwrap_or(region.name.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::memory_map::regions;

    /// Which files explain the executable memory that has the name `[it]` in these regions.
    fn explained(maps: &str) -> Vec<String> {
        let regions = regions(maps.as_bytes(), 100);
        let (engines, rooms) = (Engines::of(&regions), rooms(&regions));
        let at = regions
            .iter()
            .position(|it| it.name.bytes() == b"[it]")
            .unwrap();
        let found = engines.of_region(&regions[at], rooms[at]);
        let names = found.iter().map(|it| it.name.lossy().into_owned());
        names.collect()
    }

    const NODE: &str = "400000-500000 r-xp 00000000 fe:00 1 /usr/bin/node\n";

    #[test]
    fn v8_within_its_room() {
        let maps = "7f793c002000-7f793c003000 ---p 00000000 00:00 0\n\
            7f793c003000-7f793c03f000 rwxp 00000000 00:00 0 [it]\n\
            7f793c03f000-7f795be40000 ---p 00000000 00:00 0\n";
        assert_eq!(explained(&format!("{NODE}{maps}")), ["/usr/bin/node"]);
    }

    /// As version 24 of node has it.
    #[test]
    fn v8_around_what_is_built_into_it() {
        let maps = "7fd1c407c000-7fd1c8000000 ---p 00000000 00:00 0\n\
            7fd1c8000000-7fd1e7dc0000 rwxp 00000000 00:00 0\n\
            7fd1e7dc0000-7fd1e7fc5000 r-xp 01000000 fe:00 1 /usr/bin/node\n\
            7fd1e7fc5000-7fd1e8000000 rwxp 00000000 00:00 0 [it]\n";
        assert_eq!(explained(&format!("{NODE}{maps}")), ["/usr/bin/node"]);
    }

    /// As version 16 of node has it.
    #[test]
    fn v8_with_a_head_before_each_piece() {
        let maps = "7f8e90000000-7f8e90002000 rw-p 00000000 00:00 0\n\
            7f8e90002000-7f8e90003000 ---p 00000000 00:00 0\n\
            7f8e90003000-7f8e90019000 r-xp 00000000 00:00 0 [it]\n\
            7f8e90019000-7f8e90040000 ---p 00000000 00:00 0\n\
            7f8e90040000-7f8e90042000 rw-p 00000000 00:00 0\n\
            7f8e90042000-7f8e90043000 ---p 00000000 00:00 0\n\
            7f8e90043000-7f8e9007f000 r-xp 00000000 00:00 0\n\
            7f8e9007f000-7f8e98000000 ---p 00000000 00:00 0\n";
        assert_eq!(explained(&format!("{NODE}{maps}")), ["/usr/bin/node"]);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn v8_not_where_the_kernel_puts_what_others_map() {
        let maps = "7fc2e9800000-7fc2e9801000 r-xp 00000000 00:00 0 [it]\n\
            7fc2e9801000-7fc6e9801000 ---p 00000000 00:00 0\n";
        assert!(explained(&format!("{NODE}{maps}")).is_empty());
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn v8_where_it_rolled_an_address_and_not_where_the_kernel_chose_one() {
        let rolled = "32a548519000-32a54851a000 rwxp 00000000 00:00 0 [it]\n";
        assert_eq!(explained(&format!("{NODE}{rolled}")), ["/usr/bin/node"]);
        let chosen = "7fa548519000-7fa54851a000 r-xp 00000000 00:00 0 [it]\n";
        assert!(explained(&format!("{NODE}{chosen}")).is_empty());
    }

    #[test]
    fn a_library_explains_its_own_shape_only() {
        let library = "400000-500000 r-xp 00000000 fe:00 1 /usr/lib/libpcre2-8.so.0.11.2\n";
        let chunk = "7fa548510000-7fa548520000 rwxp 00000000 00:00 0 [it]\n";
        assert_eq!(explained(&format!("{library}{chunk}")).len(), 1);
        let page = "7fa548510000-7fa548511000 rwxp 00000000 00:00 0 [it]\n";
        assert!(explained(&format!("{library}{page}")).is_empty());
        let fixed = "7fa548510000-7fa548520000 r-xp 00000000 00:00 0 [it]\n";
        assert!(explained(&format!("{library}{fixed}")).is_empty());
    }

    /// As bun 1.4 and WebKitGTK 2.50 have it: one piece of 1 GiB.
    #[test]
    fn javascriptcore_within_its_room_only() {
        let library =
            "400000-500000 r-xp 00000000 fe:00 1 /usr/lib/libjavascriptcoregtk-4.1.so.0.9\n";
        let pool = "7f8ddd188000-7f8e1d188000 rwxp 00000000 00:00 0 [it]\n";
        assert_eq!(explained(&format!("{library}{pool}")).len(), 1);
        let page = "7f8ddd188000-7f8ddd189000 rwxp 00000000 00:00 0 [it]\n";
        assert!(explained(&format!("{library}{page}")).is_empty());
    }

    #[test]
    fn a_page_or_two_of_opengl_and_no_more() {
        let library = "400000-500000 r-xp 00000000 fe:00 1 /usr/lib/libGLdispatch.so.0.0.0\n";
        let two = "7f6ee9653000-7f6ee9655000 rwxp 00000000 00:00 0 [it]\n";
        assert_eq!(explained(&format!("{library}{two}")).len(), 1);
        let three = "7f6ee9653000-7f6ee9656000 rwxp 00000000 00:00 0 [it]\n";
        assert!(explained(&format!("{library}{three}")).is_empty());
        let fixed = "7f6ee9653000-7f6ee9655000 r-xp 00000000 00:00 0 [it]\n";
        assert!(explained(&format!("{library}{fixed}")).is_empty());
    }

    #[test]
    fn pieces_of_mono_and_guile() {
        for engine in ["mono-sgen", "libguile-3.0.so.1.5.0"] {
            let engine = format!("400000-500000 r-xp 00000000 fe:00 1 /usr/bin/{engine}\n");
            let piece = "4035c000-4036c000 rwxp 00000000 00:00 0 [it]\n";
            assert_eq!(explained(&format!("{engine}{piece}")).len(), 1);
            let page = "7fa548510000-7fa548511000 r-xp 00000000 00:00 0 [it]\n";
            assert!(explained(&format!("{engine}{page}")).is_empty());
        }
    }

    #[test]
    fn files_in_memory_that_qt_makes() {
        let qml = "400000-500000 r-xp 00000000 fe:00 1 /usr/lib/libQt5Qml.so.5.15.8\n";
        let code =
            "7f03376be000-7f03376ce000 r-xp 00000000 00:01 9 /memfd:JITCode:QtQml (deleted)\n";
        let text = format!("{qml}{code}");
        let with_it = regions(text.as_bytes(), 10);
        assert!(Engines::of(&with_it).make_file(&with_it[1]));
        let alone = regions(code.as_bytes(), 10);
        assert!(!Engines::of(&alone).make_file(&alone[0]));
    }

    #[test]
    fn an_engine_whose_file_was_upgraded_is_still_one() {
        assert!(shape(b"/usr/lib/firefox/libxul.so").is_some());
        let maps = "400000-500000 r-xp 00000000 fe:00 1 /usr/bin/mono (deleted)\n\
            7fa548510000-7fa548520000 rwxp 00000000 00:00 0 [it]\n";
        assert_eq!(explained(maps).len(), 1);
    }
}
