//! The files that processes run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use model::{PathState, Text};
use rustix::fs::MemfdFlags;

use super::{
    Running, SLEEP, is_root, look, processes, skipped, sleeping, text, wait_for_state, wait_until,
};

/// A directory that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "whocalls-process-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    fn program(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::copy(SLEEP, &path).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn knows_a_deleted_program() {
    let scratch = Scratch::new();
    let path = scratch.program("gone");
    let running = sleeping(&path);
    assert_eq!(look(running.pid()).path_state, PathState::Present);
    fs::remove_file(&path).unwrap();
    let read = look(running.pid());
    assert_eq!(
        (read.path, read.path_state),
        (Some(text(&path)), PathState::Deleted)
    );
}

#[test]
fn knows_a_deleted_program_that_has_another_name() {
    let scratch = Scratch::new();
    let path = scratch.program("gone");
    fs::hard_link(&path, scratch.0.join("other")).unwrap();
    let running = sleeping(&path);
    fs::remove_file(&path).unwrap();
    let read = look(running.pid());
    assert_eq!(
        (read.path, read.path_state),
        (Some(text(&path)), PathState::Deleted)
    );
}

#[test]
fn leaves_a_file_its_name() {
    let scratch = Scratch::new();
    let path = scratch.program("x (deleted)");
    let running = sleeping(&path);
    let read = look(running.pid());
    assert_eq!(
        (read.path, read.path_state),
        (Some(text(&path)), PathState::Present)
    );
    fs::remove_file(&path).unwrap();
    let read = look(running.pid());
    assert_eq!(
        (read.path, read.path_state),
        (Some(text(&path)), PathState::Deleted)
    );
}

#[test]
fn knows_a_memfd() {
    use std::io::Write;
    let memfd = rustix::fs::memfd_create("no file", MemfdFlags::CLOEXEC).unwrap();
    let mut file = fs::File::from(memfd);
    file.write_all(&fs::read(SLEEP).unwrap()).unwrap();
    let link = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    let running = sleeping(Path::new(&link));
    let read = look(running.pid());
    assert_eq!(
        (read.path, read.path_state),
        (Some("/memfd:no file".into()), PathState::Memfd)
    );
}

#[test]
fn sees_through_an_ended_first_thread() {
    let script = "
import ctypes, platform, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
print('ready', flush=True)
ctypes.CDLL(None).syscall({'x86_64': 60, 'aarch64': 93}[platform.machine()], 0)";
    let mut python = Command::new("python3");
    if python.arg("--version").output().is_err() {
        return skipped("sees_through_an_ended_first_thread", "no python3");
    }
    let Some(running) = Running::ready(Command::new("python3").args(["-c", script])) else {
        return skipped(
            "sees_through_an_ended_first_thread",
            "python3 without ctypes",
        );
    };
    wait_for_state(running.pid(), 'Z');
    let read = look(running.pid());
    assert_eq!(read.path_state, PathState::Present);
    assert_eq!(read.command_line.unwrap().last(), Some(&Text::from(script)));
    assert!(read.netns.is_some());
}

#[test]
fn reads_a_program_of_another_mount_namespace() {
    let script = "mount -t tmpfs none /mnt && cp /bin/sleep '/mnt/x (deleted)' && echo ready \
                  && exec '/mnt/x (deleted)' 60";
    if !is_root() {
        return skipped("reads_a_program_of_another_mount_namespace", "needs root");
    }
    let mut unshare = Command::new("unshare");
    let Some(running) = Running::ready(unshare.args(["-m", "sh", "-c", script])) else {
        return skipped(
            "reads_a_program_of_another_mount_namespace",
            "no new namespace, or no tmpfs",
        );
    };
    wait_until(|| look(running.pid()).name == Text::from("x (deleted)"));
    let read = look(running.pid());
    assert_eq!(
        (read.path, read.path_state),
        (Some("/mnt/x (deleted)".into()), PathState::Present)
    );
}

#[test]
fn knows_a_program_deleted_from_an_overlay() {
    let script = "mount -t tmpfs none /mnt && cd /mnt && mkdir low up work all \
                  && cp /bin/sleep low/x \
                  && mount -t overlay all -o lowerdir=low,upperdir=up,workdir=work all \
                  && { all/x 60 & } && sleep 0.1 && rm all/x && echo ready && read x; kill $!";
    if !is_root() {
        return skipped("knows_a_program_deleted_from_an_overlay", "needs root");
    }
    let mut unshare = Command::new("unshare");
    let Some(mut running) = Running::ready(unshare.args(["-m", "sh", "-c", script])) else {
        return skipped(
            "knows_a_program_deleted_from_an_overlay",
            "no new namespace, or no overlay",
        );
    };
    let mut processes = processes();
    for pid in processes.pids().unwrap() {
        processes.read(pid);
    }
    let all = processes.into_processes();
    let child = all
        .iter()
        .find(|it| it.parents.first().is_some_and(|it| it.pid == running.pid()));
    let read = child.unwrap();
    assert_eq!(read.path, Some("/mnt/all/x".into()));
    assert_eq!(read.path_state, PathState::Deleted);
    // The shell ends its child when nothing more can come.
    drop(running.0.stdin.take());
    running.0.wait().unwrap();
}

#[test]
fn says_that_a_path_is_too_long() {
    let scratch = Scratch::new();
    let script = "d=$(printf %0250d 0); for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do \
                  mkdir $d && cd -P ./$d 2>/dev/null || exit; done; \
                  cp /bin/sleep x && echo ready && exec ./x 60";
    let mut shell = Command::new("sh");
    let Some(running) = Running::ready(shell.args(["-c", script]).current_dir(&scratch.0)) else {
        return skipped("says_that_a_path_is_too_long", "this shell goes no deeper");
    };
    wait_until(|| look(running.pid()).name == Text::from("x"));
    let mut processes = processes();
    let id = processes.read(running.pid()).unwrap();
    let read = processes.known(id).unwrap();
    assert_eq!((&read.path, read.path_state), (&None, PathState::Unknown));
    assert!(processes.gaps().iter().any(|gap| gap.id == "path_too_long"));
}
