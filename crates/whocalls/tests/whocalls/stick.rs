//! The static program runs from a stick, which has no Unix rights and forbids set-uid programs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::program::{Look, Run, WHOCALLS};
use crate::setting::{Folder, Need, command, find, lacks, run, skip};

#[test]
fn it_runs_from_an_exfat_stick() {
    let Some(stick) = Stick::new(
        &[Need::Program("mkfs.exfat")],
        &[
            (
                "exfat",
                "mkfs.exfat IMAGE && mount -t exfat -o loop,nosuid,nodev IMAGE STICK",
            ),
            (
                "fuse",
                // The driver wants a device, and keeps it after the loop has been detached.
                "mkfs.exfat IMAGE && loop=$(losetup --find --show IMAGE) && \
             { mount.exfat-fuse -o nosuid,nodev $loop STICK; done=$?; losetup --detach $loop; \
             test $done = 0; }",
            ),
        ],
    ) else {
        return;
    };
    stick.check();
}

#[test]
fn it_runs_from_a_vfat_stick() {
    let Some(stick) = Stick::new(
        &[Need::Program("mkfs.vfat")],
        &[(
            "vfat",
            "mkfs.vfat IMAGE && mount -t vfat -o loop,nosuid,nodev IMAGE STICK",
        )],
    ) else {
        return;
    };
    stick.check();
}

#[test]
fn doctor_tells_how_its_file_system_is_mounted() {
    if lacks(&[Need::Root, Need::Program("unshare")]) {
        return;
    }
    let folder = Folder::new();
    for (options, said) in [
        ("nosuid,ro", &["nosuid", "read-only"][..]),
        ("nosuid", &["nosuid"]),
        ("suid", &[]),
    ] {
        let script = format!(
            "mount -t tmpfs none STICK && cp PROGRAM STICK/whocalls && \
             mount -o remount,{options} none STICK && STICK/whocalls doctor"
        );
        let Some(doctor) = on_a_mount(&script, folder.path(), Path::new(WHOCALLS)) else {
            skip("no mounts here");
            return;
        };
        assert_eq!(doctor.code, Some(0), "{}", doctor.talk());
        let text = doctor.text();
        let line = text.lines().find(|line| line.contains("program file"));
        let line = line.unwrap();
        for word in ["nosuid", "read-only", "noexec"] {
            assert_eq!(
                line.contains(word),
                said.contains(&word),
                "{options}: {line}"
            );
        }
    }
}

/// A way to mount an image; the script is to mount IMAGE on STICK.
struct Stick {
    folder: Folder,
    program: PathBuf,
    script: String,
}

impl Stick {
    /// The first way that the kernel knows. `None` where there is none; that has been said.
    fn new(needs: &[Need], ways: &[(&str, &str)]) -> Option<Self> {
        if lacks(&[Need::Root, Need::Program("unshare")]) || lacks(needs) {
            return None;
        }
        let Some(program) = static_program() else {
            skip("there is no static program; packaging/static.sh makes it");
            return None;
        };
        let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
        let works = |(kind, _): &&(&str, &str)| match *kind {
            "fuse" => {
                known.contains("\tfuse\n")
                    && find("mount.exfat-fuse").is_some()
                    && find("losetup").is_some()
            }
            kind => known.contains(&format!("\t{kind}\n")),
        };
        let Some((_, script)) = ways.iter().find(works) else {
            let kinds: Vec<_> = ways.iter().map(|(kind, _)| *kind).collect();
            skip(&format!("this kernel has no {}", kinds.join(", no ")));
            return None;
        };
        Some(Self {
            folder: Folder::new(),
            program,
            script: (*script).to_owned(),
        })
    }

    fn check(&self) {
        let image = self.folder.file("image");
        let file = fs::File::create(&image).unwrap();
        file.set_len(32 * 1024 * 1024).unwrap();
        let mount = self.script.replace("IMAGE", image.to_str().unwrap());
        let run = |arguments: &str| {
            let script = format!(
                "{{ {mount} && cp PROGRAM STICK/whocalls; }} >&2 && \
                 {{ STICK/whocalls {arguments}; code=$?; umount STICK; exit $code; }}"
            );
            on_a_mount(&script, self.folder.path(), &self.program).unwrap()
        };
        let list = Look(run("list --all --json").json());
        assert!(["full", "polling"].contains(&list.tier()));
        assert!(list.gap("no_ebpf").is_none() || list.tier() == "polling");
        let doctor = run("doctor");
        assert_eq!(doctor.code, Some(0), "{}", doctor.talk());
        assert!(doctor.text().contains("nosuid"), "{}", doctor.text());
    }
}

/// Runs a script in a mount namespace of its own, which takes all its mounts with it.
fn on_a_mount(script: &str, folder: &Path, program: &Path) -> Option<Run> {
    if run("unshare", &["--mount", "true"]).is_err() {
        return None;
    }
    let stick = folder.join("stick");
    fs::create_dir_all(&stick).unwrap();
    let script = script
        .replace("STICK", stick.to_str().unwrap())
        .replace("PROGRAM", program.to_str().unwrap());
    let mut unshare = command("unshare");
    unshare.args(["--mount", "sh", "-c", &script]);
    unshare.env("PATH", path_of_root());
    Some(Run::of(&mut unshare))
}

fn path_of_root() -> std::ffi::OsString {
    let mut path = env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}

/// What packaging/static.sh made, or what WHOCALLS_STATIC names.
fn static_program() -> Option<PathBuf> {
    if let Some(named) = env::var_os("WHOCALLS_STATIC") {
        return Some(PathBuf::from(named));
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/static");
    let folders = fs::read_dir(target).ok()?;
    folders
        .filter_map(|entry| Some(entry.ok()?.path().join("release/whocalls")))
        .find(|file| Command::new(file).arg("--version").output().is_ok())
}
