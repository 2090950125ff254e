//! `cargo xtask bench plugin`: how fast and how big the plugin is, as a host sees it.

use super::BenchError;
use crate::bundle;
use crate::step::{self, cargo};

/// The columns: what they are called, and what the test host calls them.
const FORMATS: [(&str, &str); 2] = [("CLAP", "clap"), ("VST3", "vst3")];

/// Bundles the plugin, measures each format in a process of its own, and prints a table.
pub fn run() -> Result<(), BenchError> {
    bundle::run("etude", true)?;
    let arguments =
        ["run", "--release", "--locked", "--quiet", "--package", "etude-rehearsal", "--", "measure"];
    let mut printed = Vec::new();
    for (name, format) in FORMATS {
        println!("Measuring the {name}");
        printed.push(step::output(name, cargo(&arguments).args(["--format", format]))?);
    }
    print!("{}", table(&printed));
    Ok(())
}

/// A column for each output, whose lines are `name: value`, the same names in all of them.
fn table(printed: &[String]) -> String {
    let names: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
    let mut table = format!(
        "\nThe plugin at 48 kHz, 10 minutes of music for `process`\n\n| | {} |\n| ---{} |\n",
        names.join(" | "),
        " | ---:".repeat(FORMATS.len())
    );
    let mut columns: Vec<_> = printed.iter().map(|output| output.lines()).collect();
    while let Some(rows) = columns.iter_mut().map(Iterator::next).collect::<Option<Vec<_>>>() {
        let cells: Vec<(&str, &str)> = rows.iter().filter_map(|row| row.split_once(": ")).collect();
        let Some((name, _)) = cells.first() else { continue };
        let values: Vec<&str> = cells.iter().map(|(_, value)| *value).collect();
        table.push_str(&format!("| {name} | {} |\n", values.join(" | ")));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_column_for_each_format() {
        let table = table(&["Load: 1 ms\nSize: 2 MB\n".into(), "Load: 3 ms\nSize: 4 MB\n".into()]);
        assert!(
            table.ends_with(
                "| | CLAP | VST3 |\n| --- | ---: | ---: |\n| Load | 1 ms | 3 ms |\n| Size | 2 MB | 4 MB |\n"
            ),
            "{table}"
        );
    }
}
