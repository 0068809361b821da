use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::super::tried::{Folder, Running, skipped};
use super::super::{Depth, examine};
use super::*;
use crate::parse::proc_pid::stat;

fn has_dpkg() -> bool {
    let has = Path::new("/var/lib/dpkg/info/coreutils.md5sums").exists();
    if !has {
        skipped("no dpkg here");
    }
    has
}

fn own() -> Subject {
    let text = fs::read("/proc/self/stat").unwrap();
    Subject::open(std::process::id(), stat(&text).unwrap().start_ticks).unwrap()
}

/// Where the file at that path in a folder comes from, as if the folder were `/`.
fn asked(packages: &mut Packages, folder: &Folder, path: &str) -> Answer {
    let found = Root::at(&folder.0).find(path.as_bytes()).unwrap().unwrap();
    asked_of(packages, folder, found)
}

fn asked_of(packages: &mut Packages, folder: &Folder, found: Found) -> Answer {
    let subject = own();
    let own = Root::at(&folder.0);
    let scene = Scene {
        mounts: Mounts::of(subject.folder()).unwrap(),
        own,
        other: Ok(None),
        subject: &subject,
    };
    packages.refresh(&scene);
    let answer = packages.answer(&scene, found);
    answer.unwrap_or_else(Answer::not_testable)
}

fn check(
    packages: &mut Packages,
    folder: &Folder,
    path: &str,
    state: PackageState,
    of: Option<(&str, &str, PackageManager)>,
) {
    let package = asked(packages, folder, path).package;
    let expected = Package {
        state,
        name: of.map(|(name, ..)| name.into()),
        version: of.map(|(_, version, _)| version.into()),
        manager: of.map(|(.., manager)| manager),
    };
    assert_eq!(package, expected, "{path}");
}

fn md5(bytes: &str) -> String {
    let sum = Md5::digest(bytes);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &str) -> String {
    let sum = Sha256::digest(bytes);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// In a sandbox a folder is mounted where everybody else has a link to it.
#[test]
fn a_path_that_only_a_sandbox_has() {
    let folder = Folder::new("sandbox");
    folder.write("usr/lib/libx.so", "x");
    folder.write("other/libx.so", "x");
    symlink("usr/lib", folder.0.join("lib")).unwrap();
    let status = "Package: libx\nStatus: install ok installed\nVersion: 7\n";
    folder.write("var/lib/dpkg/status", status);
    folder.write("var/lib/dpkg/info/libx.list", "/usr/lib/libx.so\n");
    let sums = format!("{}  usr/lib/libx.so\n", md5("x"));
    folder.write("var/lib/dpkg/info/libx.md5sums", sums);
    let packages = &mut Packages::default();
    for (file, expected) in [
        ("/usr/lib/libx.so", PackageState::Intact),
        // Another file that is shown under the same path.
        ("/other/libx.so", PackageState::Unpackaged),
    ] {
        let mut found = Root::at(&folder.0).find(file.as_bytes()).unwrap().unwrap();
        found.path = b"/lib/libx.so".to_vec();
        let answer = asked_of(packages, &folder, found);
        assert_eq!(answer.package.state, expected, "{file}");
    }
}

#[test]
fn lists_of_dpkg() {
    use PackageManager::Dpkg;
    use PackageState::{Intact, Modified, NotTestable, Unpackaged};
    let folder = Folder::new("dpkg");
    fs::create_dir_all(folder.0.join("usr/bin")).unwrap();
    symlink("usr/bin", folder.0.join("bin")).unwrap();
    let status = "Package: tool\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2-3\n\n\
        Package: libx\nStatus: install ok installed\nArchitecture: i386\nVersion: 7\n\n\
        Package: other\nStatus: install ok installed\nArchitecture: all\nVersion: 9\n";
    folder.write("var/lib/dpkg/status", status);
    let list = "/.\n/bin\n/bin/old\n/usr/bin/new\n/usr/bin/changed\n/etc/set\n/usr/bin/diverted\n";
    folder.write("var/lib/dpkg/info/tool.list", list);
    let sums: String = [
        ("bin/old", "old"),
        ("usr/bin/new", "new"),
        ("usr/bin/changed", "before"),
        ("usr/bin/diverted", "that of tool"),
    ]
    .map(|(path, bytes)| format!("{}  {path}\n", md5(bytes)))
    .concat();
    folder.write("var/lib/dpkg/info/tool.md5sums", sums);
    folder.write("var/lib/dpkg/info/libx:i386.list", "/usr/lib/libx.so\n");
    let sums = format!("{}  usr/lib/libx.so\n", md5("x"));
    folder.write("var/lib/dpkg/info/libx:i386.md5sums", sums);
    folder.write("var/lib/dpkg/info/other.list", "/usr/bin/diverted\n");
    let sums = format!("{}  usr/bin/diverted\n", md5("that of other"));
    folder.write("var/lib/dpkg/info/other.md5sums", sums);
    let diversions = "/usr/bin/diverted\n/usr/bin/diverted.real\nother\n";
    folder.write("var/lib/dpkg/diversions", diversions);
    for (path, bytes) in [
        ("usr/bin/old", "old"),
        ("usr/bin/new", "new"),
        ("usr/bin/changed", "after"),
        ("usr/bin/stranger", "new"),
        ("etc/set", "x"),
        ("usr/lib/libx.so", "x"),
        ("usr/bin/diverted", "that of other"),
        ("usr/bin/diverted.real", "that of tool"),
    ] {
        folder.write(path, bytes);
    }
    let packages = &mut Packages::default();
    let tool = Some(("tool", "1:2-3", Dpkg));
    check(packages, &folder, "/usr/bin/old", Intact, tool);
    check(packages, &folder, "/bin/old", Intact, tool);
    check(packages, &folder, "/usr/bin/new", Intact, tool);
    check(packages, &folder, "/usr/bin/changed", Modified, tool);
    check(packages, &folder, "/usr/bin/stranger", Unpackaged, None);
    check(packages, &folder, "/etc/set", NotTestable, tool);
    let libx = Some(("libx", "7", Dpkg));
    check(packages, &folder, "/usr/lib/libx.so", Intact, libx);
    let other = Some(("other", "9", Dpkg));
    check(packages, &folder, "/usr/bin/diverted", Intact, other);
    check(packages, &folder, "/usr/bin/diverted.real", Intact, tool);
    // What changes is seen: the file, and the lists.
    folder.write("usr/bin/new", "newer");
    check(packages, &folder, "/usr/bin/new", Modified, tool);
    folder.write("var/lib/dpkg/updates/0001", "");
    folder.write("usr/bin/new", "newest");
    check(packages, &folder, "/usr/bin/new", NotTestable, tool);
    fs::remove_file(folder.0.join("var/lib/dpkg/updates/0001")).unwrap();
    check(packages, &folder, "/usr/bin/new", Modified, tool);
    folder.write("var/lib/dpkg/info/new.list", "/usr/bin/stranger\n");
    folder.write(
        "var/lib/dpkg/info/new.md5sums",
        format!("{}  usr/bin/stranger\n", md5("new")),
    );
    folder.write(
        "var/lib/dpkg/status",
        format!("{status}\nPackage: new\nVersion: 1\n"),
    );
    let new = Some(("new", "1", Dpkg));
    check(packages, &folder, "/usr/bin/stranger", Intact, new);
}

#[test]
fn lists_of_images_without_dpkg() {
    use PackageState::{Intact, Modified};
    let folder = Folder::new("parts");
    folder.write(
        "var/lib/dpkg/status.d/libc6",
        "Package: libc6\nVersion: 2.36\n",
    );
    let sums = format!("{}  lib/libc.so.6\n{}  lib/x\n", md5("c"), md5("x"));
    folder.write("var/lib/dpkg/status.d/libc6.md5sums", sums);
    folder.write("lib/libc.so.6", "c");
    folder.write("lib/x", "y");
    let packages = &mut Packages::default();
    let libc = Some(("libc6", "2.36", PackageManager::Dpkg));
    check(packages, &folder, "/lib/libc.so.6", Intact, libc);
    check(packages, &folder, "/lib/x", Modified, libc);
}

#[test]
fn lists_of_pacman() {
    use PackageState::{Intact, Modified, Unpackaged};
    let folder = Folder::new("pacman");
    let of = "var/lib/pacman/local/my-tool-2:1.5-1";
    let files = "%FILES%\nusr/\nusr/bin/\nusr/bin/tool\nusr/bin/changed\n\n%BACKUP%\n";
    folder.write(&format!("{of}/files"), files);
    let mtree = format!(
        "#mtree\n/set type=file\n./usr/bin/tool time=1.0 size=4 sha256digest={}\n\
         ./usr/bin/changed time=1.0 md5digest={} sha256digest={}\n",
        sha256("tool"),
        md5("after"),
        sha256("before")
    );
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(mtree.as_bytes()).unwrap();
    folder.write(&format!("{of}/mtree"), packed.finish().unwrap());
    folder.write("usr/bin/tool", "tool");
    folder.write("usr/bin/changed", "after");
    folder.write("usr/bin/stranger", "tool");
    let packages = &mut Packages::default();
    let tool = Some(("my-tool", "2:1.5-1", PackageManager::Pacman));
    check(packages, &folder, "/usr/bin/tool", Intact, tool);
    check(packages, &folder, "/usr/bin/changed", Modified, tool);
    check(packages, &folder, "/usr/bin/stranger", Unpackaged, None);
}

#[test]
fn the_list_of_apk() {
    use PackageState::{Intact, Modified, Unpackaged};
    let folder = Folder::new("apk");
    // Base64 of the SHA-1 of "abc" (FIPS 180-2, A.1).
    let abc = "Q1qZk+NkcGgWq6PiVxeFDCbJzQ2J0=";
    let installed = format!(
        "P:busybox\nV:1.36-r1\nF:bin\nR:busybox\na:0:0:755\nZ:{abc}\nR:changed\nZ:{abc}\n\n"
    );
    folder.write("lib/apk/db/installed", installed);
    folder.write("bin/busybox", "abc");
    folder.write("bin/changed", "abd");
    folder.write("bin/stranger", "abc");
    let packages = &mut Packages::default();
    let busybox = Some(("busybox", "1.36-r1", PackageManager::Apk));
    check(packages, &folder, "/bin/busybox", Intact, busybox);
    check(packages, &folder, "/bin/changed", Modified, busybox);
    check(packages, &folder, "/bin/stranger", Unpackaged, None);
}

#[test]
fn the_database_of_rpm() {
    use PackageState::{Intact, Modified, Unpackaged};
    let folder = Folder::new("rpm");
    let Some(database) = rpm_database(&folder) else {
        skipped("no rpmbuild");
        return;
    };
    folder.write("var/lib/rpm/rpmdb.sqlite", fs::read(&database).unwrap());
    folder.write("usr/bin/tool", "tool\n");
    folder.write("usr/bin/changed", "after\n");
    folder.write("usr/bin/stranger", "tool\n");
    symlink("usr/bin", folder.0.join("bin")).unwrap();
    let packages = &mut Packages::default();
    let tool = Some(("my-tool", "2:1.5-7", PackageManager::Rpm));
    check(packages, &folder, "/usr/bin/tool", Intact, tool);
    check(packages, &folder, "/bin/tool", Intact, tool);
    check(packages, &folder, "/usr/bin/changed", Modified, tool);
    check(packages, &folder, "/usr/bin/stranger", Unpackaged, None);
    folder.write("var/lib/rpm/rpmdb.sqlite-wal", "not yet written");
    let answer = asked(packages, &folder, "/usr/bin/stranger");
    assert_eq!(answer.why, Some(Untested::NotFinished));
}

/// A database with one package. `None`: rpm is not here.
fn rpm_database(folder: &Folder) -> Option<std::path::PathBuf> {
    let spec = "Name: my-tool\nEpoch: 2\nVersion: 1.5\nRelease: 7\nSummary: x\nLicense: x\n\
        BuildArch: noarch\n%description\nx\n%install\nmkdir -p %{buildroot}/usr/bin\n\
        echo tool > %{buildroot}/usr/bin/tool\necho before > %{buildroot}/usr/bin/changed\n\
        %files\n/usr/bin/tool\n/usr/bin/changed\n";
    folder.write("work/tool.spec", spec);
    let work = folder.0.join("work");
    let define = |name: &str, value: &str| [String::from("--define"), format!("{name} {value}")];
    let top = define("_topdir", work.to_str()?);
    let sqlite = define("_db_backend", "sqlite");
    let built = Command::new("rpmbuild")
        .args(&top)
        .args(["-bb", "--quiet"])
        .arg(work.join("tool.spec"))
        .output();
    if !built.ok()?.status.success() {
        return None;
    }
    let database = work.join("db");
    let installed = Command::new("rpm")
        .args(&sqlite)
        .args(["--justdb", "--nodeps", "-i", "--dbpath"])
        .arg(&database)
        .arg(work.join("RPMS/noarch/my-tool-1.5-7.noarch.rpm"))
        .status();
    let database = database.join("rpmdb.sqlite");
    (installed.ok()?.success() && database.exists()).then_some(database)
}

#[test]
fn lists_that_are_not_there_or_not_read() {
    let folder = Folder::new("none");
    folder.write("bin/x", "x");
    let packages = &mut Packages::default();
    let answer = asked(packages, &folder, "/bin/x");
    assert_eq!(answer.why, Some(Untested::NoDatabase));
    assert_eq!(answer.package.manager, None);
    folder.write("var/lib/rpm/rpmdb.sqlite", "x");
    let answer = asked(packages, &folder, "/bin/x");
    assert_eq!(answer.why, Some(Untested::NoDatabase));
    assert_eq!(answer.package.manager, Some(PackageManager::Rpm));
}

#[test]
fn a_copy_of_this_tool_under_another_name() {
    let folder = Folder::new("tool");
    fs::copy("/proc/self/exe", folder.0.join("firefox")).unwrap();
    folder.write("other", "x");
    let root = Root::at(&folder.0);
    let mut packages = Packages::default();
    let find = |name: &[u8]| root.find(name).unwrap().unwrap();
    assert!(packages.is_this_tool(&find(b"firefox")));
    assert!(!packages.is_this_tool(&find(b"other")));
    let package = of_program(&own(), &mut Kept::default()).unwrap();
    assert_eq!(package.state, PackageState::ThisTool);
    // As long, and not the same.
    let copy = folder.0.join("firefox");
    let mut bytes = fs::read(&copy).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&copy, bytes).unwrap();
    assert!(!packages.is_this_tool(&find(b"firefox")));
}

#[test]
fn a_program_of_a_package_and_a_copy_of_it() {
    if !has_dpkg() {
        return;
    }
    let mut kept = Kept::default();
    let sleep = Running::start(Command::new("sleep").arg("1000"), "sleep").unwrap();
    let subject = sleep.subject().unwrap();
    let package = of_program(&subject, &mut kept).unwrap();
    let version = Command::new("dpkg-query")
        .args(["-W", "-f", "${Version}", "coreutils"])
        .output()
        .unwrap();
    let expected = Package {
        state: PackageState::Intact,
        name: Some("coreutils".into()),
        version: Some(version.stdout.into()),
        manager: Some(PackageManager::Dpkg),
    };
    assert_eq!(package, expected);
    assert_eq!(check_of(&subject, &mut kept), Outcome::NothingFound);
    let region = subject.regions().unwrap().iter();
    let mut library = region.filter(|it| it.executable && it.name.bytes().ends_with(b"/libc.so.6"));
    let scene = Scene::of(&subject).unwrap();
    let library = kept.packages.library(&scene, library.next().unwrap());
    assert_eq!(
        (library.package.state, library.package.name),
        (PackageState::Intact, Some("libc6".into()))
    );

    let folder = Folder::new("copy");
    let copy = folder.0.join("kopie");
    fs::copy("/bin/sleep", &copy).unwrap();
    let copy = Running::start(Command::new(copy).arg("1000"), "kopie").unwrap();
    let subject = copy.subject().unwrap();
    let package = of_program(&subject, &mut kept).unwrap();
    assert_eq!(
        (package.state, package.name),
        (PackageState::Unpackaged, None)
    );
    assert_eq!(check_of(&subject, &mut kept), Outcome::NothingFound);
}

fn check_of(subject: &Subject, kept: &mut Kept) -> Outcome {
    super::check(subject, kept)
}

#[test]
fn a_deleted_program_is_no_modified_one() {
    if !has_dpkg() {
        return;
    }
    let folder = Folder::new("deleted");
    let copy = folder.0.join("gone");
    fs::copy("/bin/sleep", &copy).unwrap();
    let running = Running::start(Command::new(&copy).arg("1000"), "gone").unwrap();
    fs::remove_file(&copy).unwrap();
    let package = of_program(&running.subject().unwrap(), &mut Kept::default()).unwrap();
    assert_eq!(package.state, PackageState::Unpackaged);
}

#[test]
fn a_library_of_nobody_in_a_program_of_a_package() {
    if !has_dpkg() || Command::new("cc").arg("--version").output().is_err() {
        skipped("no cc");
        return;
    }
    let folder = Folder::new("library");
    folder.write("x.c", "int x;\nint f(void) { return x; }\n");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-o", "x.so", "x.c"])
        .current_dir(&folder.0)
        .status();
    assert!(made.unwrap().success());
    let library = folder.0.join("x.so");
    let mut command = Command::new("sleep");
    command.arg("1000").env("LD_PRELOAD", &library);
    let running = Running::start(&mut command, "sleep").unwrap();
    let subject = loaded(&running, &library);
    let outcome = check_of(&subject, &mut Kept::default());
    let path = library.to_str().unwrap();
    let expected = Trace {
        package: Some("coreutils".into()),
        ..Trace::of_file(Sign::UnpackagedLibrary, path)
    };
    assert_eq!(outcome, Outcome::of(vec![expected]));
}

/// Waits until it has that file in its memory.
fn loaded(running: &Running, library: &Path) -> Subject {
    for _ in 0..1000 {
        let subject = running.subject().unwrap();
        let regions = subject.regions().unwrap();
        let path = library.to_str().unwrap().as_bytes();
        let libc = |region: &Region| region.name.bytes().ends_with(b"/libc.so.6");
        if regions
            .iter()
            .any(|it| it.executable && it.name.bytes() == path)
            && regions.iter().any(|it| it.executable && libc(it))
        {
            return subject;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("it is not loaded");
}

/// In a mount namespace of its own; `None`: that is not allowed here.
fn apart(script: &str, name: &str) -> Option<Running> {
    let options: &[&str] = match rustix::process::geteuid().is_root() {
        true => &["-m"],
        false => &["-r", "-m"],
    };
    let mut command = Command::new("unshare");
    command.args(options).args(["sh", "-ec", script]);
    let running = Running::start(&mut command, name);
    if running.is_none() {
        skipped("no mount namespaces here");
    }
    running
}

#[test]
fn a_changed_program_over_that_of_a_package() {
    if !has_dpkg() {
        return;
    }
    let folder = Folder::new("changed");
    let changed = folder.0.join("changed");
    fs::copy("/bin/sleep", &changed).unwrap();
    // Behind what the loader reads.
    File::options()
        .append(true)
        .open(&changed)
        .unwrap()
        .write_all(b"implant")
        .unwrap();
    let path = fs::canonicalize("/usr/bin/sleep").unwrap();
    let (changed, path) = (changed.to_str().unwrap(), path.to_str().unwrap());
    let script = format!("mount --bind {changed} {path}; exec {path} 1000");
    let Some(running) = apart(&script, "sleep") else {
        return;
    };
    let subject = running.subject().unwrap();
    let mut kept = Kept::default();
    let package = of_program(&subject, &mut kept).unwrap();
    assert_eq!(package.state, PackageState::Modified);
    let expected = Trace {
        package: Some("coreutils".into()),
        ..Trace::of_file(Sign::ModifiedProgram, path)
    };
    assert_eq!(check_of(&subject, &mut kept), Outcome::of(vec![expected]));
    // Ours is as before.
    let sleep = Running::start(Command::new("sleep").arg("1000"), "sleep").unwrap();
    let package = of_program(&sleep.subject().unwrap(), &mut kept).unwrap();
    assert_eq!(package.state, PackageState::Intact);
}

#[test]
fn a_root_folder_of_its_own_has_lists_of_its_own() {
    if !has_dpkg() || !rustix::process::geteuid().is_root() {
        skipped("not root");
        return;
    }
    let folder = Folder::new("container");
    for name in ["lib", "lib64", "usr/bin"] {
        fs::create_dir_all(folder.0.join(name)).unwrap();
    }
    symlink("usr/bin", folder.0.join("bin")).unwrap();
    let bytes = fs::read("/usr/bin/sleep").unwrap();
    fs::copy("/usr/bin/sleep", folder.0.join("bin/sleep")).unwrap();
    let sum: String = Md5::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    folder.write("var/lib/dpkg/status", "Package: mine\nVersion: 0\n");
    folder.write("var/lib/dpkg/info/mine.list", "/bin/sleep\n");
    folder.write(
        "var/lib/dpkg/info/mine.md5sums",
        format!("{sum}  bin/sleep\n"),
    );
    let root = folder.0.to_str().unwrap();
    let mounts = |root: &str| format!("for d in lib lib64; do mount --bind /$d {root}/$d; done");
    let script = format!("{}; exec chroot {root} /bin/sleep 1000", mounts(root));
    let Some(running) = apart(&script, "sleep") else {
        return;
    };
    let kept = &mut Kept::default();
    let package = of_program(&running.subject().unwrap(), kept).unwrap();
    let mine = (PackageState::Intact, Some("mine".into()));
    assert_eq!((package.state, package.name), mine);
    // Where we do not see it.
    let hidden = Folder::new("hidden");
    let at = hidden.0.to_str().unwrap();
    for (owner, expected) in [("0", mine), ("1000", (PackageState::NotTestable, None))] {
        let copy = format!("mount -t tmpfs none {at}; cp -a {root}/. {at}");
        let owned = format!("chown {owner} {at}/var/lib/dpkg/status");
        let chroot = format!("exec chroot {at} /bin/sleep 1000");
        let script = format!("{copy}; {owned}; {}; {chroot}", mounts(at));
        let running = apart(&script, "sleep").unwrap();
        let subject = running.subject().unwrap();
        let package = of_program(&subject, kept).unwrap();
        assert_eq!((package.state, package.name), expected);
        // Lists that an ordinary user can have written are not believed.
        if owner != "0" {
            let outcome = check_of(&subject, kept);
            assert_eq!(outcome, Outcome::NotTestable(Untested::OtherNamespace));
        }
    }
}

/// A program with a root folder and lists of its own that is upgraded while it runs.
#[test]
fn an_upgrade_puts_another_program_in_its_place() {
    let libraries = Command::new("ldd").arg("/usr/bin/sleep").output();
    let Some(libraries) = libraries
        .ok()
        .filter(|_| rustix::process::geteuid().is_root())
    else {
        return skipped("not root, or no ldd");
    };
    let folder = Folder::new("upgraded");
    for path in String::from_utf8(libraries.stdout)
        .unwrap()
        .split_whitespace()
    {
        if let Some(below) = path.strip_prefix('/') {
            folder.write(below, fs::read(path).unwrap());
            let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs::set_permissions(folder.0.join(below), runs).unwrap();
        }
    }
    let program = folder.0.join("usr/bin/sleep");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::copy("/usr/bin/sleep", &program).unwrap();
    folder.write("var/lib/dpkg/status", "Package: mine\nVersion: 0\n");
    folder.write("var/lib/dpkg/info/mine.list", "/usr/bin/sleep\n");
    let lists = |bytes: &[u8]| {
        let sum = Md5::digest(bytes);
        let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        folder.write(
            "var/lib/dpkg/info/mine.md5sums",
            format!("{sum}  usr/bin/sleep\n"),
        );
    };
    lists(&fs::read(&program).unwrap());
    let mut chroot = Command::new("chroot");
    chroot.arg(&folder.0).args(["/usr/bin/sleep", "1000"]);
    let Some(running) = Running::start(&mut chroot, "sleep") else {
        return skipped("it does not run in a folder of its own");
    };
    let signs = || {
        let subject = running.subject().unwrap();
        let outcome = super::super::program_file::check(&subject, &mut Kept::default());
        let Outcome::Found { traces, .. } = outcome else {
            panic!("{outcome:?}");
        };
        (traces[0].sign, traces[0].name.clone())
    };
    let put = |bytes: &[u8]| {
        folder.write("usr/bin/sleep.new", bytes);
        fs::rename(folder.0.join("usr/bin/sleep.new"), &program).unwrap();
    };
    let newer = [&fs::read("/usr/bin/sleep").unwrap()[..], b"newer"].concat();
    put(&newer);
    lists(&newer);
    assert_eq!(signs(), (Sign::Replaced, None));
    // Also where it became a script; and where somebody else put something there.
    put(b"#!/bin/sh\n");
    lists(b"#!/bin/sh\n");
    assert_eq!(signs(), (Sign::Replaced, None));
    put(&[&newer[..], b"implant"].concat());
    lists(&newer);
    assert_eq!(signs(), (Sign::ReplacedByStranger, Some("modified".into())));
    fs::remove_file(folder.0.join("var/lib/dpkg/info/mine.list")).unwrap();
    folder.write("var/lib/dpkg/info/mine.list", "/usr/bin/other\n");
    assert_eq!(signs(), (Sign::ReplacedByStranger, None));
}

#[test]
fn a_program_that_has_locked_itself_in() {
    if !has_dpkg() || !rustix::process::geteuid().is_root() {
        skipped("not root");
        return;
    }
    let folder = Folder::new("locked");
    let code = "import os, sys, time; time.time(); os.chroot(sys.argv[1]); os.chdir('/'); \
        os.close(1); time.sleep(1000)";
    let Ok(interpreter) = fs::canonicalize("/usr/bin/python3") else {
        skipped("no python3");
        return;
    };
    let mut command = Command::new(&interpreter);
    command.args(["-I", "-c", code]).arg(&folder.0);
    let name = interpreter.file_name().unwrap().to_str().unwrap();
    let (mut done, mine) = std::io::pipe().unwrap();
    let running = Running::start(command.stdout(mine), name).unwrap();
    drop(command);
    let _ = std::io::Read::read(&mut done, &mut [0]);
    let subject = running.subject().unwrap();
    let package = of_program(&subject, &mut Kept::default()).unwrap();
    assert_eq!(package.state, PackageState::Intact, "{package:?}");
    assert_eq!(
        check_of(&subject, &mut Kept::default()),
        Outcome::NothingFound
    );
}

#[test]
fn the_whole_examination_names_the_package() {
    if !has_dpkg() {
        return;
    }
    let sleep = Running::start(Command::new("sleep").arg("1000"), "sleep").unwrap();
    let subject = sleep.subject().unwrap();
    let examined = examine(&subject, Depth::Whole, &mut Kept::default());
    assert_eq!(examined.package.unwrap().name, Some("coreutils".into()));
    let examined = examine(&subject, Depth::Cheap, &mut Kept::default());
    assert_eq!(examined.package, None);
}

#[test]
fn the_file_of_a_program_that_has_ended() {
    use std::os::unix::fs::MetadataExt;

    // Begun so many seconds after the last change of the file.
    let ran = |path: &Path, seconds: i64| {
        let seen = fs::metadata(path).unwrap();
        Ran {
            file: model::FileIdentity {
                device: seen.dev(),
                inode: seen.ino(),
            },
            started: model::Timestamp::from_unix_nanos((seen.ctime() + seconds) * 1_000_000_000),
            path: path.to_str().unwrap().into(),
        }
    };
    let kept = &mut Kept::default();
    let mut state = |ran: &Ran| of_ended(ran, kept).map(|it| it.state);
    let folder = Folder::new("ended");
    let copy = folder.0.join("copy");
    fs::copy("/proc/self/exe", &copy).unwrap();
    let before = ran(&copy, 3);
    assert_eq!(state(&before), Ok(PackageState::ThisTool));
    // What was changed since it began may be another.
    assert_eq!(state(&ran(&copy, 0)), Err(Untested::Ended));
    // Another file has its place, as its name is taken over.
    fs::copy("/proc/self/exe", folder.0.join("other")).unwrap();
    fs::rename(folder.0.join("other"), &copy).unwrap();
    assert_eq!(state(&before), Err(Untested::Ended));
    fs::remove_file(&copy).unwrap();
    assert_eq!(state(&before), Err(Untested::Ended));
    if !has_dpkg() {
        return;
    }
    let shell = fs::canonicalize("/bin/sh").unwrap();
    assert_eq!(state(&ran(&shell, 3)), Ok(PackageState::Intact));
    fs::copy(&shell, &copy).unwrap();
    assert_eq!(state(&ran(&copy, 3)), Ok(PackageState::Unpackaged));
}
