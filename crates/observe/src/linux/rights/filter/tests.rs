//! Each duty can do what it needs, and nothing of what is forbidden.

use super::*;
use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::net::{AddressFamily, Protocol, SocketType, netlink, socket, socketpair};

/// What a thread says that has such a filter. The others of this process have none.
fn under<T: Send + 'static>(duty: Duty, work: fn() -> T) -> T {
    let thread = thread::spawn(move || {
        install(duty).unwrap();
        work()
    });
    thread.join().unwrap()
}

fn refused<T>(result: Result<T, impl Into<Error>>) {
    let error = result.err().map(Into::<Error>::into);
    let kind = error.as_ref().map(Error::kind);
    assert_eq!(kind, Some(ErrorKind::PermissionDenied), "{error:?}");
}

/// None of them may do these, not even as root.
fn try_what_is_forbidden() {
    refused(File::create("/tmp/whocalls-test-forbidden"));
    refused(OpenOptions::new().append(true).open("/dev/null"));
    refused(fs::remove_file("/tmp/whocalls-test-forbidden"));
    refused(fs::rename(
        "/tmp/whocalls-test-forbidden",
        "/tmp/whocalls-test-x",
    ));
    refused(fs::create_dir("/tmp/whocalls-test-forbidden"));
    refused(TcpListener::bind("127.0.0.1:0"));
    let (unix, stream) = (AddressFamily::UNIX, SocketType::STREAM);
    refused(socket(unix, stream, None));
    refused(socket(
        AddressFamily::PACKET,
        SocketType::RAW,
        None::<Protocol>,
    ));
    let flags = rustix::net::SocketFlags::empty();
    refused(socketpair(unix, stream, flags, None));
    refused(Command::new("/bin/true").spawn());
    let us = rustix::process::getpid();
    refused(rustix::process::test_kill_process(us));
    refused(rustix::process::chroot("/"));
    refused(rustix::mount::unmount(
        "/proc",
        rustix::mount::UnmountFlags::empty(),
    ));
    refused(aya::maps::MapInfo::from_id(1).map_err(|_| Error::last_os_error()));
}

fn try_to_hold_a_process() {
    let us = rustix::process::getpid();
    let flags = rustix::process::PidfdFlags::empty();
    refused(rustix::process::pidfd_open(us, flags));
}

fn do_what_is_needed() {
    assert!(fs::read("/proc/self/stat").unwrap().len() > 20);
    assert!(fs::metadata("/proc/self/exe").unwrap().len() > 0);
    fs::read_link("/proc/self/ns/net").unwrap();
    socket(
        AddressFamily::NETLINK,
        SocketType::RAW,
        Some(netlink::SOCK_DIAG),
    )
    .unwrap();
    thread::sleep(Duration::from_millis(1));
    drop(vec![1_u8; 8 << 20]);
}

fn do_what_observing_needs() {
    do_what_is_needed();
    assert!(fs::read_dir("/proc/self/task").unwrap().count() > 0);
    let named = thread::Builder::new().name("named".to_owned());
    let thread = named.spawn(|| {
        thread::sleep(Duration::from_millis(1));
        thread::current().name().map(str::to_owned)
    });
    let thread = thread.unwrap().join().unwrap();
    assert_eq!(thread.as_deref(), Some("named"));
    let backtrace = std::backtrace::Backtrace::force_capture().to_string();
    assert!(backtrace.contains("do_what_observing_needs"), "{backtrace}");
    let panicked = thread::spawn(|| panic!("as it should")).join();
    assert!(panicked.is_err());
    let mut text = String::new();
    File::open("/etc/passwd")
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert!(text.contains("root"));
}

#[test]
fn a_watch_does_what_it_needs_and_no_more() {
    for duty in [Duty::Events, Duty::Polling] {
        under(duty, do_what_observing_needs);
        under(duty, try_what_is_forbidden);
        under(duty, try_to_hold_a_process);
    }
    under(Duty::Events, || {
        let door = File::open("/proc/self/ns/net").unwrap();
        let net = rustix::thread::LinkNameSpaceType::Network;
        let entered =
            rustix::thread::move_into_link_name_space(std::os::fd::AsFd::as_fd(&door), Some(net));
        refused(entered);
    });
}

#[test]
fn the_helper_does_what_it_needs_and_no_more() {
    under(Duty::Helper, do_what_is_needed);
    under(Duty::Helper, try_what_is_forbidden);
    under(Duty::Helper, try_to_hold_a_process);
    under(Duty::Helper, || {
        refused(thread::Builder::new().spawn(|| ()));
        refused(fs::read_dir("/proc/self").and_then(|mut entries| entries.next().unwrap()));
    });
}

#[test]
fn who_asks_displays_reaches_nothing_else() {
    use rustix::net::SocketAddrUnix;
    under(Duty::Seats, || {
        let (unix, stream) = (AddressFamily::UNIX, SocketType::STREAM);
        let made = socket(unix, stream, None).unwrap();
        let nobody = SocketAddrUnix::new("/tmp/whocalls-test-nobody").unwrap();
        let refused_by = rustix::net::connect(&made, &nobody).unwrap_err();
        assert_ne!(refused_by, rustix::io::Errno::PERM);
        assert!(fs::read("/proc/self/stat").unwrap().len() > 20);
        for other in [
            AddressFamily::INET,
            AddressFamily::INET6,
            AddressFamily::NETLINK,
        ] {
            refused(socket(other, SocketType::RAW, None::<Protocol>));
            refused(socket(other, stream, None));
        }
        refused(File::create("/tmp/whocalls-test-forbidden"));
        refused(Command::new("/bin/true").spawn());
        refused(thread::Builder::new().spawn(|| ()));
    });
    under(Duty::Seats, try_to_hold_a_process);
}

#[test]
fn the_examiner_does_what_it_needs_and_no_more() {
    use rustix::process::{Signal, kill_process, test_kill_process};
    under(Duty::Examiner, do_what_observing_needs);
    under(Duty::Examiner, try_to_hold_a_process);
    under(Duty::Examiner, || {
        let us = rustix::process::getpid();
        // Asks whether somebody is there.
        test_kill_process(us).unwrap();
        for signal in [Signal::TERM, Signal::KILL, Signal::STOP, Signal::USR1] {
            refused(kill_process(us, signal));
        }
        let map = fs::read("/proc/self/maps").unwrap();
        assert!(map.len() > 100);
        let memory = File::open("/proc/self/mem").unwrap();
        let known = [7_u8; 16];
        let mut read = [0; 16];
        let address = u64::try_from(known.as_ptr().addr()).unwrap();
        std::os::unix::fs::FileExt::read_exact_at(&memory, &mut read, address).unwrap();
        assert_eq!(read, known);
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let folder = rustix::fs::open("/proc", flags, rustix::fs::Mode::empty()).unwrap();
        let resolve = rustix::fs::ResolveFlags::NO_XDEV;
        rustix::fs::openat2(&folder, "self/", flags, rustix::fs::Mode::empty(), resolve).unwrap();
        // Which rights a file gives.
        let asked =
            rustix::fs::getxattr("/proc/self/exe", c"security.capability", &mut [0; 64][..]);
        assert!(asked != Err(rustix::io::Errno::PERM), "{asked:?}");
        for family in [
            AddressFamily::UNIX,
            AddressFamily::INET,
            AddressFamily::INET6,
        ] {
            refused(socket(family, SocketType::STREAM, None));
            refused(socket(family, SocketType::DGRAM, None));
        }
        let (packet, raw) = (AddressFamily::PACKET, SocketType::RAW);
        refused(socket(packet, raw, None::<Protocol>));
        refused(TcpListener::bind("127.0.0.1:0"));
        refused(File::create("/tmp/whocalls-test-forbidden"));
        refused(OpenOptions::new().append(true).open("/dev/null"));
        refused(OpenOptions::new().write(true).open("/proc/self/mem"));
        refused(fs::remove_file("/tmp/whocalls-test-forbidden"));
        refused(fs::create_dir("/tmp/whocalls-test-forbidden"));
        refused(Command::new("/bin/true").spawn());
        refused(rustix::process::chroot("/"));
        refused(rustix::mount::unmount(
            "/proc",
            rustix::mount::UnmountFlags::empty(),
        ));
        let door = File::open("/proc/self/ns/net").unwrap();
        let net = rustix::thread::LinkNameSpaceType::Network;
        let door = std::os::fd::AsFd::as_fd(&door);
        refused(rustix::thread::move_into_link_name_space(door, Some(net)));
        refused(aya::maps::MapInfo::from_id(1).map_err(|_| Error::last_os_error()));
    });
}

#[test]
fn the_opener_does_what_it_needs_and_no_more() {
    // It may not ask any more who it is.
    static IS_ROOT: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    let is_root = rustix::process::geteuid().is_root();
    IS_ROOT.store(is_root, std::sync::atomic::Ordering::Relaxed);
    under(Duty::Opener, || {
        let door = File::open("/proc/self/ns/net").unwrap();
        assert!(door.metadata().unwrap().len() == 0);
        let net = Some(rustix::thread::LinkNameSpaceType::Network);
        let door = std::os::fd::AsFd::as_fd(&door);
        let _ = rustix::thread::move_into_link_name_space(door, net);
        // Only root may have the first.
        for family in [AddressFamily::PACKET, AddressFamily::NETLINK] {
            let opened = socket(family, SocketType::RAW, None);
            let is_root = IS_ROOT.load(std::sync::atomic::Ordering::Relaxed);
            assert!(opened.is_ok() || !is_root);
        }
        for family in [AddressFamily::UNIX, AddressFamily::INET] {
            refused(socket(family, SocketType::STREAM, None));
        }
        refused(File::create("/tmp/whocalls-test-forbidden"));
        refused(OpenOptions::new().append(true).open("/dev/null"));
        refused(TcpListener::bind("127.0.0.1:0"));
        refused(Command::new("/bin/true").spawn());
        refused(rustix::process::chroot("/"));
        refused(thread::Builder::new().spawn(|| ()));
        refused(fs::read_dir("/proc/self").and_then(|mut entries| entries.next().unwrap()));
        try_to_hold_a_process();
    });
}

#[test]
fn whoever_acts_does_what_it_needs_and_no_more() {
    under(Duty::Actions, do_what_is_needed);
    under(Duty::Actions, try_what_is_forbidden);
    let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
    static CHILD: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    CHILD.store(child.id(), std::sync::atomic::Ordering::Relaxed);
    under(Duty::Actions, || {
        use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
        assert!(fs::read_dir("/proc").unwrap().count() > 0);
        thread::spawn(|| ()).join().unwrap();
        let pid = CHILD.load(std::sync::atomic::Ordering::Relaxed);
        let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        let process = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        for signal in [Signal::STOP, Signal::CONT, Signal::INT, Signal::USR1] {
            refused(pidfd_send_signal(&process, signal));
        }
        pidfd_send_signal(&process, Signal::TERM).unwrap();
    });
    child.wait().unwrap();
}

#[test]
fn the_maker_of_case_files_makes_names_and_does_no_more() {
    use rustix::fs::{AtFlags, CWD, Mode, RenameFlags, fstatvfs, fsync, mkdirat, openat};
    use rustix::fs::{renameat_with, rmdir, unlinkat};
    let name = format!("whocalls-filing-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::create_dir(&path).unwrap();
    let folder = openat(CWD, &path, SUBFOLDER, Mode::empty()).unwrap();
    let mode = Mode::RUSR | Mode::WUSR;
    let thread = thread::spawn(move || {
        install(Duty::Folder).unwrap();
        mkdirat(&folder, "a", Mode::RWXU).unwrap();
        let below = openat(&folder, "a", SUBFOLDER, Mode::empty()).unwrap();
        let file = File::from(openat(&below, "b", NEW_FILE, mode).unwrap());
        renameat_with(&below, "b", &folder, "c", RenameFlags::NOREPLACE).unwrap();
        renameat_with(&folder, "c", &folder, "d", RenameFlags::empty()).unwrap();
        fsync(&folder).unwrap();
        assert!(fstatvfs(&folder).unwrap().f_blocks > 0);
        refused((&file).write_all(b"x"));
        for flags in [
            OFlags::RDONLY,
            OFlags::PATH,
            OFlags::WRONLY,
            OFlags::RDWR,
            NEW_FILE.difference(OFlags::EXCL),
            NEW_FILE.difference(OFlags::NOFOLLOW),
            NEW_FILE | OFlags::TRUNC,
            NEW_FILE | OFlags::RDWR,
            SUBFOLDER.difference(OFlags::NOFOLLOW),
            SUBFOLDER | OFlags::PATH,
            OFlags::TMPFILE | OFlags::WRONLY,
        ] {
            refused(openat(&folder, "d", flags, mode));
        }
        let exchange = RenameFlags::EXCHANGE;
        refused(renameat_with(&folder, "a", &folder, "d", exchange));
        refused(unlinkat(&folder, "a", AtFlags::REMOVEDIR));
        refused(rmdir("/tmp/whocalls-test-forbidden"));
        refused(rustix::fs::symlinkat("/", &folder, "link"));
        refused(rustix::fs::linkat(
            &folder,
            "d",
            &folder,
            "e",
            AtFlags::empty(),
        ));
        refused(rustix::fs::fchmod(&file, Mode::RWXU));
        refused(fs::read_dir("/"));
        refused(fs::read("/etc/passwd"));
        try_what_is_forbidden();
        try_to_hold_a_process();
        unlinkat(&folder, "d", AtFlags::empty()).unwrap();
    });
    thread.join().unwrap();
    assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    fs::remove_dir_all(path).unwrap();
}

#[test]
fn the_writer_makes_new_files_in_its_folder_and_does_no_more() {
    use rustix::fs::{AtFlags, CWD, Mode, open, openat, unlinkat};
    let name = format!("whocalls-filter-{}.txt", std::process::id());
    let directory = || {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        open(std::env::temp_dir(), flags, Mode::empty()).unwrap()
    };
    let (folder, other) = (directory(), directory());
    let inside = name.clone();
    let mode = Mode::RUSR | Mode::WUSR;
    let thread = thread::spawn(move || {
        use std::os::fd::AsRawFd;
        install(Duty::Writer(folder.as_raw_fd())).unwrap();
        let mut file = File::from(openat(&folder, &inside, NEW_FILE, mode).unwrap());
        file.write_all(b"x").unwrap();
        file.sync_all().unwrap();
        let again = openat(&folder, &inside, NEW_FILE, mode);
        assert_eq!(again.err(), Some(rustix::io::Errno::EXIST));
        for flags in [
            OFlags::RDONLY,
            OFlags::PATH,
            OFlags::WRONLY,
            OFlags::RDWR,
            NEW_FILE.difference(OFlags::EXCL),
            NEW_FILE.difference(OFlags::NOFOLLOW),
            NEW_FILE | OFlags::TRUNC,
            NEW_FILE | OFlags::RDWR,
        ] {
            refused(openat(&folder, &inside, flags, mode));
        }
        refused(openat(&other, "x.txt", NEW_FILE, mode));
        refused(openat(CWD, "x.txt", NEW_FILE, mode));
        refused(unlinkat(&folder, &inside, AtFlags::empty()));
        refused(fs::metadata("/"));
        refused(fs::read("/etc/passwd"));
        try_what_is_forbidden();
        try_to_hold_a_process();
    });
    thread.join().unwrap();
    let path = std::env::temp_dir().join(name);
    assert_eq!(fs::read(&path).unwrap(), b"x");
    fs::remove_file(path).unwrap();
}
