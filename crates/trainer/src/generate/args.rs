//! What `generate` is asked on the command line.

use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use etude_pianist::alphabet::Pedal;
use etude_pianist::composer::{Knobs, Request};
use etude_pianist::engine::Device;
use etude_pianist::locks::{Locks, Scale, Tonic};
use etude_pianist::note::{Key, Performance};
use etude_pianist::sampler::{Freedom, Temperatures};
use etude_pianist::time::TimeSignature;

use crate::args;

/// Compose clips with a trained pianist
///
/// The same arguments give the same files, byte for byte, on every machine, as long as the processor
/// composes (--device cpu). For something else, change the seed.
#[derive(Debug, Clone, clap::Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "\
Examples:
  Eight ideas to choose from, each with a picture:
    etude-trainer generate --model models/concert.safetensors --count 8 --output idea.mid --picture idea.png
  A calm walk in D dorian, one hand's worth of notes, in three:
    etude-trainer generate --model models/songbook.safetensors --seed 7 --bars 32 --tempo 84 --time-signature 3/4 \\
      --key D --scale dorian --polyphony 4 --temperature 0.9 --output walk.mid
  Go on from what you played:
    etude-trainer generate --model models/concert.safetensors --primer mine.mid --tempo 100 --output more.mid

Temperatures bend chance: 1 plays as the pianist learned, 0.8 safer, 1.2 wilder, 0 always the likeliest. If it wanders,
try --temperature 0.9 or --min-p 0.05 before anything else."
)]
pub struct GenerateArgs {
    /// The pianist: a .safetensors file that `train` wrote, or one under models/
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// Where to write the clip; with --count above 1, FILE-1.mid, FILE-2.mid and so on
    #[arg(long, value_name = "FILE.mid")]
    pub output: PathBuf,
    /// Also draw the clip as a piano roll
    #[arg(long, value_name = "FILE.png")]
    pub picture: Option<PathBuf>,
    /// Where chance comes from
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// How many clips to compose, with this seed and those after it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::new().range(1..=1000))]
    pub count: usize,
    /// What computes: cpu, gpu (the best), gpu: and an adapter's number or a part of its name, or auto (what is fastest)
    ///
    /// On the processor a seed gives the same clip on every machine. A graphics processor computes a little
    /// differently, so a seed can give another clip there, the same each time on one adapter. Where there is no such
    /// device or it fails, the processor composes. What composes is said.
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub device: Device,
    /// Length of each clip in bars
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub bars: u32,
    /// Tempo in quarter notes per minute
    #[arg(long, value_name = "BPM", default_value_t = 120.0)]
    pub tempo: f64,
    /// Time signature of all bars
    #[arg(long, value_name = "N/D", default_value_t = TimeSignature::COMMON)]
    pub time_signature: TimeSignature,

    /// How wild every choice is; multiplies the four below
    #[arg(long, value_name = "T", default_value_t = 1.0, help_heading = "Freedom")]
    pub temperature: f32,
    /// How wild the choice of keys is
    #[arg(long, value_name = "T", default_value_t = 1.0, help_heading = "Freedom")]
    pub temperature_pitch: f32,
    /// How wild the rhythm is
    #[arg(long, value_name = "T", default_value_t = 1.0, help_heading = "Freedom")]
    pub temperature_time: f32,
    /// How wild the loudness is
    #[arg(long, value_name = "T", default_value_t = 1.0, help_heading = "Freedom")]
    pub temperature_dynamics: f32,
    /// How wild the lengths of the notes are
    #[arg(long, value_name = "T", default_value_t = 1.0, help_heading = "Freedom")]
    pub temperature_length: f32,
    /// Keep only the likeliest symbols that together have this probability; 1 keeps all
    #[arg(long, value_name = "P", default_value_t = 1.0, help_heading = "Freedom")]
    pub top_p: f32,
    /// Drop symbols that are less likely than this share of the likeliest; 0 drops none
    #[arg(long, value_name = "P", default_value_t = Freedom::default().min_p, help_heading = "Freedom")]
    pub min_p: f32,

    /// Only play a scale on this note (C, F#, Bb ...), for every note
    #[arg(long, value_name = "NOTE", help_heading = "Locks")]
    pub key: Option<Tonic>,
    /// The scale on --key: chromatic, major, minor (natural), harmonic-minor, melodic-minor, dorian, phrygian, lydian,
    /// mixolydian, locrian, whole-tone, pentatonic-major, pentatonic-minor or blues
    #[arg(long, value_name = "SCALE", default_value_t = Scale::Major, requires = "key", help_heading = "Locks")]
    pub scale: Scale,
    /// The lowest key to play: a name (C4 is middle C) or a MIDI number
    #[arg(long, value_name = "KEY", help_heading = "Locks")]
    pub lowest: Option<Key>,
    /// The highest key to play
    #[arg(long, value_name = "KEY", help_heading = "Locks")]
    pub highest: Option<Key>,
    /// Most keys down at once; where there would be more, the one that would end first is let go
    #[arg(long, value_name = "N", help_heading = "Locks")]
    pub polyphony: Option<usize>,

    /// Notes per second to aim at (per quarter note for a pianist in beats)
    ///
    /// The music is steered to it, and mostly comes near: less so, the further it is from what the pianist learned from.
    #[arg(long, value_name = "D", help_heading = "Wishes")]
    pub density: Option<f32>,
    /// A MIDI file to continue; the clip begins with the bar after its last note
    #[arg(long, value_name = "FILE.mid", help_heading = "Wishes")]
    pub primer: Option<PathBuf>,
    /// The sustain pedal: as pedal changes (CC64), or folded into longer notes
    #[arg(long, value_name = "keep|fold", default_value = "keep", value_parser = args::pedal(), help_heading = "Wishes")]
    pub pedal: Pedal,
}

impl GenerateArgs {
    /// The request for the first clip.
    pub(super) fn request(&self, primer: Option<Performance<f64>>) -> Request {
        let all = Locks::default();
        let locks = Locks {
            scale: self.key.map(|tonic| (tonic, self.scale)),
            lowest: self.lowest.unwrap_or(all.lowest),
            highest: self.highest.unwrap_or(all.highest),
            polyphony: self.polyphony.unwrap_or(all.polyphony),
        };
        let temperatures = Temperatures {
            master: self.temperature,
            pitch: self.temperature_pitch,
            time: self.temperature_time,
            dynamics: self.temperature_dynamics,
            length: self.temperature_length,
        };
        let freedom = Freedom { temperatures, top_p: self.top_p, min_p: self.min_p };
        Request {
            seed: self.seed,
            bars: self.bars,
            tempo: self.tempo,
            time_signature: self.time_signature,
            knobs: Knobs { freedom, density: self.density, pitch_classes: None, locks, pedal: self.pedal },
            primer,
        }
    }
}
