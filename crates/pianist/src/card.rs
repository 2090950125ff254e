//! The model card: what a pianist was made from, how, and how good it is.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model_file::{Pianist, PianistError};

/// What a pianist's file says of its making. Alphabet, time base and size are the pianist's own fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Card {
    /// Its name, as in `models/NAME.safetensors`.
    pub name: String,
    /// What it was trained on, and where that comes from.
    pub data: String,
    /// Who may use the data, and so the pianist, for what.
    pub licence: String,
    /// How the validation pieces were set aside.
    pub split: String,
    /// How long it was trained.
    pub training: Training,
    /// How well it predicts the validation pieces, once measured.
    pub validation: Option<Validation>,
    /// The longest passage that its music has in common with the training data, once measured, in words.
    pub copied: Option<String>,
    /// Anything else worth knowing.
    pub notes: String,
}

/// How long a pianist was trained.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Training {
    /// Wall-clock minutes.
    pub minutes: f64,
    /// Steps of the alphabet that it learned from, counting repetitions.
    pub steps: u64,
    /// Notes in those steps.
    pub notes: u64,
    /// On what machine and with which settings, in words.
    pub setup: String,
}

/// Losses on the validation pieces.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Validation {
    /// Nats per step.
    pub nats_per_step: f64,
    /// Nats per note.
    pub nats_per_note: f64,
    /// Each head's share of the nats per note, by its name.
    pub attributes: Vec<(String, f64)>,
}

impl Pianist {
    /// The model card as a Markdown page, with the hash of the pianist's file.
    ///
    /// # Errors
    /// If the pianist can't be written, see [`Pianist::to_bytes`].
    pub fn card_page(&self) -> Result<String, PianistError> {
        let bytes = self.to_bytes()?;
        Ok(self.render(bytes.len(), &hex(&Sha256::digest(&bytes))))
    }

    fn render(&self, file_size: usize, hash: &str) -> String {
        let Card { name, data, licence, split, training, validation, copied, notes } = &self.card;
        let Training { minutes, steps, notes: notes_heard, setup } = training;
        let (layers, units) = (self.blueprint.layers, self.blueprint.units);
        let millions = self.layout.len() as f64 / 1e6;
        let mebibytes = file_size as f64 / f64::from(1 << 20);
        let mut page = Page(format!("# The pianist `{name}`\n\n| | |\n| --- | --- |\n"));
        page.row("Data", data);
        page.row("Licence", licence);
        page.row("Split", split);
        page.row("Alphabet", &format!("`{}` in {}", self.alphabet, self.time_base));
        page.row(
            "Size",
            &format!("{layers} LSTM layers of {units} units, {millions:.1} M parameters, {mebibytes:.1} MiB"),
        );
        page.row("Training", &format!("{minutes:.0} minutes, {steps} steps, {notes_heard} notes"));
        page.row("Setup", setup);
        page.row("Copied passages", copied.as_deref().unwrap_or("not measured"));
        page.row("SHA-256", &format!("`{hash}`"));
        page.losses(validation.as_ref());
        if !notes.is_empty() {
            page.0 += &format!("\n{notes}\n");
        }
        page.0
    }
}

/// A Markdown page being written.
struct Page(String);

impl Page {
    /// A row of the table; what is not known is left out.
    fn row(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            let value = value.replace('|', "\\|").replace('\n', " ");
            self.0 += &format!("| {name} | {value} |\n");
        }
    }

    fn losses(&mut self, validation: Option<&Validation>) {
        let Some(validation) = validation else {
            self.0 += "\nIts loss on the validation pieces has not been measured.\n";
            return;
        };
        self.0 += "\n| Loss on the validation pieces | nats per note |\n| --- | --- |\n";
        for (name, nats) in &validation.attributes {
            self.row(name, &format!("{nats:.3}"));
        }
        self.row("all", &format!("**{:.3}**", validation.nats_per_note));
        self.0 += &format!("\nThat is {:.4} nats per step.\n", validation.nats_per_step);
    }
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
