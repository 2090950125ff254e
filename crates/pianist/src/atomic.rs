//! Files that appear whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Writes a file under another name and renames it, so that whoever reads `path` sees the old or the new one whole. A
/// file that is replaced hands on who may read it; a link stays one.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// The same with contents that `fill` writes.
pub(crate) fn write_with(path: &Path, fill: impl FnOnce(&mut fs::File) -> io::Result<()>) -> io::Result<()> {
    if is_device(path) {
        return fill(&mut fs::File::create(path)?);
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

/// Asks whether a file can be written at `path`, before the work that makes its contents.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if is_device(path) { Ok(()) } else { unfinished_file(folder(&real(path))).map(drop) }
}

/// Whether two paths lead to the same file, be it there or yet to be written. A device keeps nothing that could be lost.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
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
