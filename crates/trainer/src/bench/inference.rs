//! How fast a network of Performance RNN's size plays. The counterpart of `benches/peers/inference.py`, with the network
//! of the `events` alphabet: Performance RNN's LSTM and symbols, and one hidden layer more between them.

use std::hint::black_box;
use std::time::Instant;

use etude_pianist::alphabet::Alphabet;
use etude_pianist::card::Card;
use etude_pianist::engine::{CpuEngine, Device, DeviceError, Precision, adapters};
use etude_pianist::kernel::{self, Kernel};
use etude_pianist::model_file::Pianist;
use etude_pianist::sampler::{Attribute, Freedom, Sampler};
use etude_pianist::time::TimeBase;
use etude_pianist::vectorised;
use memmap2::MmapMut;

use super::Fingerprint;
use crate::weights::initial_parameters;

const LAYERS: usize = 3;
const UNITS: usize = 512;

/// Play a 3 x 512 network and print the steps per second of each turn.
#[derive(Debug, Clone, clap::Args)]
pub struct InferenceArgs {
    /// What plays
    #[arg(long)]
    device: Device,
    /// Weights of the processor
    #[arg(long)]
    precision: Precision,
    /// Sequences side by side
    #[arg(long)]
    streams: usize,
    /// Steps of each sequence in a turn
    #[arg(long)]
    steps: usize,
    /// Turns to measure, after one to warm up
    #[arg(long)]
    turns: usize,
    /// Play the reference network in candle instead
    #[cfg(feature = "candle")]
    #[arg(long)]
    candle: bool,
}

/// Runs the command. It prints the device, the speed of each turn, the share of what memory would allow, and a hash; and
/// nothing if a graphics processor is asked for and there is none.
pub fn run(args: &InferenceArgs) -> Result<(), DeviceError> {
    if args.device == Device::Gpu(None) && adapters()?.is_empty() {
        return Ok(());
    }
    let blueprint = Alphabet::Events.blueprint(LAYERS, UNITS);
    let parameters = initial_parameters(&blueprint, 0);
    let pianist =
        Pianist::new(Alphabet::Events, TimeBase::Seconds, LAYERS, UNITS, parameters, Card::default());
    let mut choices = Choices::new(args.streams, pianist.blueprint.heads[0].symbols);
    #[cfg(feature = "candle")]
    if args.candle {
        return candle::play(args, &pianist, &mut choices);
    }
    let engine = args.device.engine(pianist.clone(), args.precision)?;
    let engine = engine.fastest_for(args.streams).unwrap_or(engine);
    println!("device {}", engine.device());
    let mut batch = engine.batch(args.streams)?;
    let all: Vec<usize> = (0..args.streams).collect();
    let fastest = choices.play(args, |symbols, choose| {
        for (row, &symbol) in symbols.iter().enumerate() {
            batch.input_row(row).categories[0] = symbol;
        }
        batch.advance(&all)?;
        batch.head(0, &all)?;
        symbols.iter_mut().enumerate().for_each(|(row, symbol)| *symbol = choose(row, batch.logits(row)));
        Ok(())
    })?;
    if args.device == Device::Cpu {
        let bytes = CpuEngine::new(pianist, args.precision).bytes_per_step();
        // However many streams a step has, it reads the weights once.
        let limit = read_speed(bytes) / bytes as f64 * args.streams as f64;
        println!("share {}", fastest / limit);
    }
    println!("output {:016x}", choices.fingerprint.0);
    Ok(())
}

/// What the streams chose last, and how they choose.
struct Choices {
    symbols: Vec<u16>,
    samplers: Vec<Sampler>,
    allowed: Vec<bool>,
    fingerprint: Fingerprint,
}

impl Choices {
    fn new(streams: usize, symbols: usize) -> Choices {
        Choices {
            symbols: vec![0; streams],
            samplers: (0..streams as u64).map(Sampler::new).collect(),
            allowed: vec![true; symbols],
            fingerprint: Fingerprint::new(),
        }
    }

    /// Times turns of steps; `step` hears the symbols and puts the next ones, chosen from logits, in their place. Gives
    /// the highest speed, in steps per second.
    fn play(
        &mut self,
        args: &InferenceArgs,
        mut step: impl FnMut(&mut [u16], &mut dyn FnMut(usize, &[f32]) -> u16) -> Result<(), DeviceError>,
    ) -> Result<f64, DeviceError> {
        let Choices { symbols, samplers, allowed, fingerprint } = self;
        let kinds = [(Attribute::Pitch, allowed.len())];
        let mut choose =
            |row: usize, logits: &[f32]| samplers[row].choose(logits, allowed, &kinds, &Freedom::default());
        let mut fastest: f64 = 0.0;
        for turn in 0..=args.turns {
            let started = Instant::now();
            for _ in 0..args.steps {
                step(symbols, &mut choose)?;
                symbols.iter().for_each(|symbol| fingerprint.add(&symbol.to_le_bytes()));
            }
            let speed = (args.steps * args.streams) as f64 / started.elapsed().as_secs_f64();
            if turn > 0 {
                println!("{speed}");
                fastest = fastest.max(speed);
            }
        }
        Ok(fastest)
    }
}

/// How many bytes per second can be read at best if these are read over and over, in pages as large as the engine's.
fn read_speed(bytes: usize) -> f64 {
    const ROUNDS: usize = 100;
    const TURNS: usize = 5;
    let mut values = MmapMut::map_anon(bytes).expect("there is memory for as much as a pianist");
    #[cfg(target_os = "linux")]
    let _ = values.advise(memmap2::Advice::HugePage);
    values.fill(1);
    let kernel = Kernel::best(kernel::Precision::F32);
    let turn = |_| {
        let started = Instant::now();
        (0..ROUNDS).for_each(|_| {
            black_box(read(kernel, black_box(&values)));
        });
        (ROUNDS * bytes) as f64 / started.elapsed().as_secs_f64()
    };
    (0..TURNS).map(turn).fold(0.0, f64::max)
}

vectorised! {
fn read(values: &[u8]) -> u8 {
    // Four registers, so that no sum waits for the one before.
    const WIDTH: usize = 64;
    let [mut a, mut b, mut c, mut d] = [[0u8; WIDTH]; 4];
    for block in values.as_chunks::<{ 4 * WIDTH }>().0 {
        for i in 0..WIDTH {
            a[i] ^= block[i];
            b[i] ^= block[WIDTH + i];
            c[i] ^= block[2 * WIDTH + i];
            d[i] ^= block[3 * WIDTH + i];
        }
    }
    [a, b, c, d].as_flattened().iter().fold(0, |all, value| all ^ value)
}
}

#[cfg(feature = "candle")]
mod candle {
    use candle_core::{Device, Result};
    use etude_pianist::engine::DeviceError;
    use etude_pianist::model_file::Pianist;
    use etude_pianist::network::reference::{InputRows, Reference};

    use super::{Choices, InferenceArgs};

    pub fn play(
        args: &InferenceArgs,
        pianist: &Pianist,
        choices: &mut Choices,
    ) -> std::result::Result<(), DeviceError> {
        let failed = |error: candle_core::Error| DeviceError {
            device: "candle".to_owned(),
            reason: error.to_string(),
        };
        let inputs = &pianist.blueprint.inputs;
        let load = || {
            let network = Reference::new(&pianist.blueprint, &Device::Cpu)?;
            network.load(&pianist.weights())?;
            let state = network.silence(args.streams)?;
            Ok((network, state))
        };
        let (network, mut state) = load().map_err(failed)?;
        let mut categories = vec![0; args.streams * inputs.categories.len()];
        let dense = vec![0.0; args.streams * inputs.dense];
        choices.play(args, |symbols, choose| {
            for (row, symbol) in categories.chunks_exact_mut(inputs.categories.len()).zip(&*symbols) {
                row[0] = *symbol;
            }
            let mut hear = || -> Result<Vec<Vec<f32>>> {
                let rows = InputRows { categories: &categories, dense: &dense };
                let (outputs, after) = network.listen(rows, &state, 0.0)?;
                state = after;
                network.logits(0, &outputs, InputRows { categories: &[], dense: &[] })?.to_vec2()
            };
            let logits = hear().map_err(failed)?;
            let rows = symbols.iter_mut().zip(&logits).enumerate();
            rows.for_each(|(row, (symbol, logits))| *symbol = choose(row, logits));
            Ok(())
        })?;
        Ok(())
    }
}
