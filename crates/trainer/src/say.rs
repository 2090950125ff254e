//! Lines and progress bars for whoever reads along, and who may stop reading at any time.
//!
//! `println!` panics then, which would end a night's training for a closed window.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use indicatif::{ProgressBar, ProgressStyle};

/// A number of things, such as `1 note` or `12 notes`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Prints a line about work whose results are files: if nobody reads it, nothing is lost.
pub(crate) fn progress(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// The same beside the results, on the standard error stream.
pub fn aside(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// A bar on the standard error stream that fills up to `length`; `template` says what it looks like, in the words of
/// [`ProgressStyle`].
pub(crate) fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    ProgressBar::new(length).with_style(style)
}

/// Prints what the work was done for. A reader who left (`| head`) has what they wanted; a full disk is an error.
pub(crate) fn result(text: impl Display) -> io::Result<()> {
    let printed = writeln!(io::stdout(), "{text}");
    printed.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}
