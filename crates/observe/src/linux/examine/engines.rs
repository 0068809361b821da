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
    /// V8: in such a room (64 MiB and more); WebAssembly at addresses that V8 rolls itself, below those
    /// that the kernel chooses (src/base/platform, GetRandomMmapAddr: 46 bits).
    V8,
    /// Private, in multiples of so many bytes.
    Chunks(u64),
    /// Private, writable, in multiples of so many bytes.
    WritableChunks(u64),
    /// A few pages, writable.
    Trampolines,
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
/// What V8 rolls is below it, what the kernel chooses above.
const V8_END: u64 = 1 << 46;

const ENGINES: &[(Name, Shape)] = {
    use Name::{Begins, Is, Within};
    use Shape::*;
    const HOTSPOT: Shape = ReservedWritable(2 * MIB);
    const SPIDERMONKEY: Shape = Reserved(64 * MIB);
    const EMULATOR: Shape = Reserved(MIB);
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
        (Is("libxul.so"), SPIDERMONKEY),
        (Begins("libmozjs"), SPIDERMONKEY),
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
        (Is("bun"), Any),
        (Begins("libjavascriptcoregtk-"), Any),
        (Begins("libwebkit2gtk-"), Any),
        (Begins("libWPEWebKit-"), Any),
        (Begins("libQt5Qml.so"), Any),
        (Begins("libQt6Qml.so"), Any),
        (Begins("mono"), Any),
        (Begins("libmono"), Any),
        (Is("libcoreclr.so"), Any),
        (Is("libclrjit.so"), Any),
        (Begins("pypy"), Any),
        (Begins("libpypy"), Any),
        (Begins("julia"), Any),
        (Begins("libjulia"), Any),
        (Is("beam.smp"), Any),
        (Begins("libguile-"), Any),
        (Is("sbcl"), Any),
        (Begins("libHSrts"), Any),
        (Begins("libgccjit.so"), Any),
        (Begins("libtcc.so"), Any),
        (Begins("liborc-"), Any),
        (Begins("liblightning.so"), Any),
        (Begins("libLLVM"), Any),
        (Is("llvmjit.so"), Any),
        (Begins("libclamav.so"), Any),
        (Begins("libgallium"), Any),
        (Begins("libvulkan_"), Any),
        (Begins("swrast_dri.so"), Any),
        (Begins("libnvidia-"), Any),
        (Begins("libcuda.so"), Any),
        (Begins("libGLX_nvidia"), Any),
        (Begins("libEGL_nvidia"), Any),
        (Begins("wine"), Any),
        (Within("/wine/"), Any),
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
            let path = region.deleted().unwrap_or(region.name.bytes());
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

    /// The files of those engines that executable memory may come from, when it looks like theirs.
    pub(super) fn of_region(
        &self,
        region: &Region,
        around: u64,
    ) -> impl Iterator<Item = &'a Region> {
        let found = self.found.iter();
        found
            .filter(move |(_, shape)| shape.fits(region, around))
            .map(|(file, _)| *file)
    }

    /// Whether a file that lives in memory only is called like that of an engine, and one is there.
    pub(super) fn make_file(&self, region: &Region) -> bool {
        let name = region.deleted().and_then(|it| it.strip_prefix(b"/memfd:"));
        name.is_some_and(|name| MEMORY_FILES.contains(&name)) && !self.found.is_empty()
    }
}

impl Shape {
    /// `around`: the length of the room that the region lies in, as [`rooms`] tells it.
    fn fits(self, region: &Region, around: u64) -> bool {
        let is_of = |chunk| region.length().is_multiple_of(chunk);
        match self {
            Self::Any => true,
            // Memory that is shared has a file of its own, and so no room around it.
            _ if region.shared != (self == Self::Shared) => false,
            Self::Shared => true,
            Self::Reserved(least) => around >= least,
            Self::ReservedWritable(least) => around >= least && region.writable,
            Self::V8 => {
                // Measured on x86_64 only.
                let is_rolled = region.end <= V8_END || cfg!(not(target_arch = "x86_64"));
                around >= 64 * MIB || is_rolled
            }
            Self::Chunks(size) => is_of(size),
            Self::WritableChunks(size) => is_of(size) && region.writable,
            Self::Trampolines => region.writable && region.length() <= MOST_TRAMPOLINES,
        }
    }
}

/// For each region the length of the room that it lies in: all memory of no file around it that is
/// executable or has no rights at all, without a hole. 0: it is nothing of that kind.
pub(super) fn rooms(regions: &[Region]) -> Vec<u64> {
    let mut rooms: Vec<u64> = Vec::with_capacity(regions.len());
    let mut rest = regions;
    while let Some(first) = rest.first() {
        let mut end = first.start;
        let count = rest.iter().take_while(|it| {
            let continues = it.start == end && may_be_of_room(it);
            end = if continues { it.end } else { end };
            continues
        });
        let count = count.count();
        let length = end.saturating_sub(first.start);
        rooms.extend(std::iter::repeat_n(length, count.max(1)));
        rest = rest.get(count.max(1)..).unwrap_or_default();
    }
    rooms
}

fn may_be_of_room(region: &Region) -> bool {
    let has_no_rights = !region.readable && !region.writable;
    !region.is_of_file() && !region.is_of_kernel() && (region.executable || has_no_rights)
}

fn shape(path: &[u8]) -> Option<Shape> {
    let file = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    let matches = |name: &Name| match name {
        Name::Is(text) => file == text.as_bytes(),
        Name::Begins(text) => file.starts_with(text.as_bytes()),
        Name::Within(text) => path.windows(text.len()).any(|it| it == text.as_bytes()),
    };
    let found = ENGINES.iter().find(|(name, _)| matches(name));
    found.map(|(_, shape)| *shape)
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
        found.map(|it| it.name.lossy().into_owned()).collect()
    }

    const NODE: &str = "400000-500000 r-xp 00000000 fe:00 1 /usr/bin/node\n";

    #[test]
    fn v8_within_its_room() {
        let maps = "7f793c002000-7f793c003000 ---p 00000000 00:00 0\n\
            7f793c003000-7f793c03f000 rwxp 00000000 00:00 0 [it]\n\
            7f793c03f000-7f795be40000 ---p 00000000 00:00 0\n";
        assert_eq!(explained(&format!("{NODE}{maps}")), ["/usr/bin/node"]);
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

    #[test]
    fn an_engine_whose_file_was_upgraded_is_still_one() {
        assert!(shape(b"/usr/lib/firefox/libxul.so").is_some());
        let maps = "400000-500000 r-xp 00000000 fe:00 1 /usr/bin/mono (deleted)\n\
            7fa548510000-7fa548511000 rwxp 00000000 00:00 0 [it]\n";
        assert_eq!(explained(maps).len(), 1);
    }
}
