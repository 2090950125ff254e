//! The loss over time, one line of a CSV file for each measurement.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use etude_pianist::atomic;

use super::TrainError;
use crate::picture;

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Minutes of learning so far.
    pub minutes: f64,
    /// Updates so far.
    pub updates: u64,
    /// Notes learned from so far.
    pub notes: u64,
    /// Nats per note on what was learned from since the last point.
    pub train: f64,
    /// Nats per note on validation pieces.
    pub valid: Option<f64>,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Point { minutes, updates, notes, train, valid } = self;
        write!(f, "{minutes:.1} min, {updates} updates, {notes} notes: train {train:.3}")?;
        match valid {
            Some(valid) => write!(f, ", valid {valid:.3} nats per note"),
            None => write!(f, " nats per note"),
        }
    }
}

/// The CSV file of a run.
pub struct Curve {
    path: PathBuf,
    file: File,
}

impl Curve {
    /// Opens the curve beside `output`; goes on with an earlier one if `resume`.
    pub fn open(output: &Path, resume: bool) -> Result<Curve, TrainError> {
        let path = output.with_extension("csv");
        let goes_on = resume && path.exists();
        let mut options = OpenOptions::new();
        let options =
            if goes_on { options.append(true) } else { options.write(true).create(true).truncate(true) };
        let file = options.open(&path).map_err(|source| TrainError::Report { path: path.clone(), source })?;
        let mut curve = Curve { path, file };
        if !goes_on {
            curve.write("minutes,updates,notes,train_nats_per_note,valid_nats_per_note")?;
        }
        Ok(curve)
    }

    /// Adds a point.
    pub fn add(&mut self, point: Point) -> Result<(), TrainError> {
        let Point { minutes, updates, notes, train, valid } = point;
        let valid = valid.map(|valid| format!("{valid:.4}")).unwrap_or_default();
        self.write(&format!("{minutes:.2},{updates},{notes},{train:.4},{valid}"))
    }

    /// Draws what the file holds, in a PNG file beside it.
    pub fn draw(&self) -> Result<(), TrainError> {
        let report = |path: &Path| {
            let path = path.to_owned();
            move |source| TrainError::Report { path, source }
        };
        let text = fs::read_to_string(&self.path).map_err(report(&self.path))?;
        let line = |name, column| picture::Curve { name, points: column_by_minutes(&text, column) };
        let title = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let chart = picture::loss_chart(&title, &[line("training", 3), line("validation", 4)]);
        let path = self.path.with_extension("png");
        atomic::write(&path, &chart).map_err(report(&path))
    }

    fn write(&mut self, line: &str) -> Result<(), TrainError> {
        let written = writeln!(self.file, "{line}").and_then(|()| self.file.flush());
        written.map_err(|source| TrainError::Report { path: self.path.clone(), source })
    }
}

/// The points of (minutes, value of `column`) of a CSV file; a line cut off by a crash is left out.
fn column_by_minutes(text: &str, column: usize) -> Vec<(f64, f64)> {
    let point = |line: &str| {
        let value = |index: usize| line.split(',').nth(index)?.parse().ok();
        Some((value(0)?, value(column)?))
    };
    text.lines().skip(1).filter_map(point).collect()
}
