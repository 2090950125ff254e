//! Files that appear whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Writes a file under another name and renames it, so that whoever reads `path` sees the old or the new one whole. The
/// new file keeps the permissions of the old one, and a link stays a link.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// As [`write()`], with contents that `fill` writes.
pub fn write_with(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    if is_device(path) {
        return fill(&mut File::create(path)?);
    }
    let path = &real(path);
    let mut file = unfinished_file(folder(path))?;
    fill(file.as_file_mut())?;
    if let Ok(replaced) = path.metadata() {
        file.as_file().set_permissions(replaced.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Writes a file where nothing is: whatever else writes there at the same time, nothing is ever replaced.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if something is there.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = unfinished_file(folder(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    let Err(refused) = file.persist_noclobber(path) else { return Ok(()) };
    if refused.error.kind() == io::ErrorKind::AlreadyExists || path.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    // Some file systems only know how to replace.
    refused.file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Asks whether a file can be written at `path`, before the work that makes its contents.
pub fn check(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if is_device(path) { Ok(()) } else { unfinished_file(folder(&real(path))).map(drop) }
}

/// Whether two paths lead to the same file, which may be yet to be written. A device keeps nothing that could be lost.
pub fn is_same(one: &Path, other: &Path) -> bool {
    !is_device(one) && real(one) == real(other)
}

/// The path without links.
fn real(path: &Path) -> PathBuf {
    // A file that is yet to be written has no real path, but its folder has one.
    path.canonicalize().unwrap_or_else(|_| match (folder(path).canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    })
}

/// Whether something is there that a rename would wrongly replace: a pipe, or /dev/null.
fn is_device(path: &Path) -> bool {
    path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file in `folder` that vanishes unless it is kept; readable by whoever may read new files.
fn unfinished_file(folder: &Path) -> io::Result<NamedTempFile> {
    if !folder.is_dir() {
        let missing = format!("there is no folder {}; make it first", folder.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, missing));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".etude-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_new_file_replaces_none_and_a_file_that_is_refused_leaves_nothing_behind() {
        let place = tempfile::tempdir().unwrap();
        let (file, folder) = (place.path().join("file"), place.path().join("folder"));
        write_new(&file, b"first").unwrap();
        fs::create_dir(&folder).unwrap();
        for there in [&file, &folder] {
            let refused = write_new(there, b"second").unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::read(&file).unwrap(), b"first");
        assert!(write(&folder, b"second").is_err() && check(&folder).is_err());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_can_not_be_filled_leaves_the_old_one() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        write(&file, b"old").unwrap();
        let full = write_with(&file, |file| {
            file.write_all(b"ne")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(full.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&file).unwrap(), b"old");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_replaced_stays_where_its_link_leads_and_as_private_as_it_was() {
        use std::fs::{Permissions, metadata, set_permissions};
        use std::os::unix::fs::{PermissionsExt, symlink};

        let place = tempfile::tempdir().unwrap();
        let (file, link) = (place.path().join("file"), place.path().join("link"));
        fs::write(&file, "old").unwrap();
        set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        symlink(&file, &link).unwrap();
        assert!(is_same(&file, &link));
        write(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    // A pipe of its own: were this wrong, a device of the machine that runs it would be replaced by a file.
    #[cfg(unix)]
    #[test]
    fn what_is_written_to_a_pipe_goes_through_it_and_the_pipe_stays() {
        let place = tempfile::tempdir().unwrap();
        let pipe = place.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        check(&pipe).unwrap();
        assert!(!is_same(&pipe, &pipe), "what goes there is lost anyway");
        let listener = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        write(&pipe, b"new").unwrap();
        assert!(!pipe.is_file());
        assert_eq!(listener.join().unwrap(), b"new");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_does_not_replace_a_link_that_leads_nowhere() {
        let place = tempfile::tempdir().unwrap();
        let link = place.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        assert_eq!(write_new(&link, b"new").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(link.is_symlink());
    }

    #[test]
    fn a_file_that_is_yet_to_be_written_is_the_same_by_whatever_path() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("folder");
        fs::create_dir(&folder).unwrap();
        assert!(is_same(&place.path().join("new"), &folder.join("../new")));
        assert!(!is_same(&place.path().join("new"), &folder.join("new")));
    }
}
