//! Files that say that a process runs. A process holds its own by a lock of the kind that the kernel
//! keeps for a process and lets go when it ends (fcntl(2): `F_SETLK`), and of which it tells others
//! whose it is (`F_GETLK`). It takes the right to write the file.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, fcntl_lock};
use rustix::process::{Flock, FlockType, fcntl_getlk, geteuid};

/// Of root and of services. Nobody else may put anything into `/run`.
const SHARED: &str = "/run/whocalls";
const NAME: &str = "whocalls";
/// What others may do that would make it theirs.
const WRITABLE_BY_OTHERS: u32 = 0o022;

pub(crate) fn folders() -> Vec<PathBuf> {
    let user = geteuid().as_raw();
    let mut folders = Vec::new();
    if Path::new("/run").is_dir() {
        folders.push(PathBuf::from(SHARED));
    }
    // Root takes nothing from a variable that another user may have set.
    if user != 0 {
        let named = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let usual = PathBuf::from(format!("/run/user/{user}"));
        let all = named.filter(|it| it.is_absolute()).into_iter();
        for parent in all.chain([usual]) {
            let folder = parent.join(NAME);
            if parent.is_dir() && !folders.contains(&folder) {
                folders.push(folder);
            }
        }
    }
    folders.push(PathBuf::from(format!("/tmp/{NAME}-{user}")));
    folders
}

pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let mode = if is_shared(folder) { 0o755 } else { 0o700 };
    match DirBuilder::new().mode(0o700).create(folder) {
        // Whatever the umask of this process.
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(mode))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    trust(folder)
}

fn is_shared(folder: &Path) -> bool {
    folder == Path::new(SHARED)
}

pub(crate) fn trust(folder: &Path) -> io::Result<()> {
    // That of a service is a link which systemd has put there.
    let about = if is_shared(folder) {
        fs::metadata(folder)?
    } else {
        fs::symlink_metadata(folder)?
    };
    let is_ours = is_shared(folder) || about.uid() == geteuid().as_raw();
    if about.is_dir() && is_ours && about.mode() & WRITABLE_BY_OTHERS == 0 {
        Ok(())
    } else {
        let why = "it is not believed: others may have made what is in it";
        Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
    }
}

pub(crate) fn make_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(path)?;
    fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

pub(crate) fn open_file(path: &Path) -> io::Result<(File, Option<u32>)> {
    // NONBLOCK: a FIFO in this place must not stop us.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let about = file.metadata()?;
    let folder = path.parent().map(fs::metadata).transpose()?;
    let owners = [Some(0), folder.map(|folder| folder.uid())];
    let is_theirs = owners.contains(&Some(about.uid()));
    if !about.is_file() || !is_theirs || about.mode() & WRITABLE_BY_OTHERS != 0 {
        let why = "it is not believed: others may have written it";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    let holder = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock))?;
    let holder = holder.and_then(|lock| lock.pid);
    let pid = holder.and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
    Ok((file, pid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A folder that goes away with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let name = format!("whocalls-runtime-{test}-{}", std::process::id());
            let path = env::temp_dir().join(name);
            let _ = fs::remove_dir_all(&path);
            make_folder(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    fn refused<T>(result: io::Result<T>) {
        let error = result.err().map(|error| error.kind());
        assert_eq!(error, Some(io::ErrorKind::PermissionDenied));
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_not_believed() {
        let folder = Folder::new("folder");
        let inside = |name: &str| folder.0.join(name);
        make_folder(&folder.0).unwrap();
        assert_eq!(mode(&folder.0), 0o700);
        for open in [0o777, 0o1777, 0o720, 0o702] {
            fs::set_permissions(&folder.0, Permissions::from_mode(open)).unwrap();
            refused(trust(&folder.0));
            refused(make_folder(&folder.0));
        }
        fs::set_permissions(&folder.0, Permissions::from_mode(0o700)).unwrap();
        fs::create_dir(inside("real")).unwrap();
        symlink(inside("real"), inside("link")).unwrap();
        refused(trust(&inside("link")));
        fs::write(inside("file"), "").unwrap();
        refused(trust(&inside("file")));
        let missing = trust(&inside("missing")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        if geteuid().is_root() {
            std::os::unix::fs::chown(inside("real"), Some(65534), None).unwrap();
            refused(trust(&inside("real")));
        }
    }

    #[test]
    fn a_file_that_others_may_have_written_is_not_believed() {
        let folder = Folder::new("file");
        let inside = |name: &str| folder.0.join(name);
        let made = make_file(&inside("made")).unwrap();
        assert!(make_file(&inside("made")).is_err());
        // Who holds it is not told to itself.
        assert_eq!(open_file(&inside("made")).unwrap().1, None);
        drop(made);
        fs::set_permissions(inside("made"), Permissions::from_mode(0o666)).unwrap();
        refused(open_file(&inside("made")));
        symlink("/proc/self/status", inside("link")).unwrap();
        assert!(open_file(&inside("link")).is_err());
        refused(open_file(&folder.0));
        if geteuid().is_root() {
            fs::set_permissions(inside("made"), Permissions::from_mode(0o644)).unwrap();
            std::os::unix::fs::chown(inside("made"), Some(65534), None).unwrap();
            refused(open_file(&inside("made")));
        }
    }

    #[test]
    fn there_is_a_folder_whatever_the_environment_says() {
        let folders = folders();
        let own = format!("/tmp/whocalls-{}", geteuid().as_raw());
        assert_eq!(folders.last(), Some(&PathBuf::from(own)));
    }
}
