//! Which files `generate` reads and writes.

use std::path::{Path, PathBuf};

use etude_pianist::atomic;

use super::{GenerateArgs, GenerateError};

/// Refuses, before there are clips to lose, what would overwrite a file that is read, or can't be written.
pub(super) fn check(args: &GenerateArgs) -> Result<(), GenerateError> {
    let written = [("output", Some(&args.output)), ("picture", args.picture.as_ref())];
    let written = || written.iter().filter_map(|&(name, path)| Some((name, path?)));
    let read = [("model", Some(&args.model)), ("primer", args.primer.as_ref())];
    if let Some(picture) = args.picture.as_ref().filter(|picture| atomic::is_same(picture, &args.output)) {
        return Err(GenerateError::SameFile { one: "output", other: "picture", path: picture.clone() });
    }
    for (other, path) in read.iter().filter_map(|&(name, path)| Some((name, path?))) {
        let is_read = |written: &Path| {
            (1..=args.count).any(|number| atomic::is_same(&numbered(written, number, args.count), path))
        };
        if let Some((one, _)) = written().find(|(_, written)| is_read(written)) {
            return Err(GenerateError::SameFile { one, other, path: path.clone() });
        }
    }
    for (_, path) in written() {
        let path = numbered(path, 1, args.count);
        atomic::check(&path).map_err(|source| GenerateError::Unwritable { path, source })?;
    }
    Ok(())
}

/// The file of clip `number` of `count`: of several, `clip.mid` becomes `clip-1.mid`.
pub(super) fn numbered(path: &Path, number: usize, count: usize) -> PathBuf {
    if count == 1 {
        return path.to_owned();
    }
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}
