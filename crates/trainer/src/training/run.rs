//! The training run itself: learn, report, measure, save, until the time is over.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use etude_pianist::alphabet::{Alphabet, Pedal};
use etude_pianist::card::{Card, Training, Validation};
use etude_pianist::kernel::Kernel;
use etude_pianist::model_file::Pianist;
use indicatif::ProgressBar;
use rayon::ThreadPoolBuilder;

use super::augmentation::{Deck, Pedals};
use super::checkpoint::{self, Progress};
use super::curve::{Curve, Point};
use super::start::{Start, checkpoint_path};
use super::{TrainArgs, TrainError, check, draft, schedule};
use crate::backend::Device;
use crate::card;
use crate::corpus::{Corpus, Split};
use crate::interrupt;
use crate::learner::{Learner, Size};
use crate::loss::Loss;
use crate::measuring::measure;
use crate::passage::Passage;
use crate::say;

/// The longest time between two checkpoints: what a crash costs at most.
const CHECKPOINT: Duration = Duration::from_secs(180);
/// The longest time between two measurements, in seconds of learning, as long as measuring is fast.
const LONGEST_STRETCH: f64 = 180.0;
/// Measurements of a short run: enough that the best of them is near the best there was.
const MEASUREMENTS: f64 = 20.0;
/// How much longer learning takes than measuring, at least.
const PATIENCE: f64 = 10.0;
/// Performances that the loss is measured on while training, and seconds or quarter notes of each: a fast estimate.
const MEASURED: (usize, f64) = (64, 90.0);

/// Runs the command.
pub fn run(args: &TrainArgs) -> Result<(), TrainError> {
    check::arguments(args)?;
    interrupt::listen();
    let corpus = Corpus::open(&args.corpus)?;
    if corpus.performances(Split::Train).len() == 0 {
        return Err(TrainError::Empty(args.corpus.clone()));
    }
    check::size(args, &corpus)?;
    // What measures, adds gradients and updates takes threads of the pool that it runs in, so --threads holds for all.
    let threads = ThreadPoolBuilder::new().num_threads(args.threads.unwrap_or(0)).build()?;
    threads.install(|| {
        let mut run = Run::new(args, &corpus)?;
        run.learn()?;
        run.finish()
    })
}

/// A run in progress.
struct Run<'a> {
    args: &'a TrainArgs,
    corpus: &'a Corpus,
    kernel: Kernel,
    threads: usize,
    learner: Learner,
    progress: Progress,
    curve: Curve,
    /// Seconds that the latest measurement took.
    measuring: f64,
    /// When the latest checkpoint was written, or the run begun.
    checkpointed: Instant,
    /// Updates that were made before.
    earlier_updates: u64,
}

impl<'a> Run<'a> {
    fn new(args: &'a TrainArgs, corpus: &'a Corpus) -> Result<Run<'a>, TrainError> {
        let kernel = Kernel::best(args.precision);
        let threads = rayon::current_num_threads();
        let Start { progress, parameters, optimizer } = Start::new(args, corpus, kernel)?;
        let blueprint = progress.alphabet.blueprint(progress.layers, progress.units);
        let size = Size { streams: args.streams, steps: args.window, threads, dropout: args.dropout };
        let seed = args.seed.wrapping_add(progress.updates);
        let backends = args.device.backends(&blueprint, kernel, size, seed)?;
        let learner = Learner::new(&blueprint, parameters, optimizer, kernel, size, backends);
        let curve = Curve::open(&args.output, args.resume)?;
        Ok(Run {
            earlier_updates: progress.updates,
            checkpointed: Instant::now(),
            measuring: 0.0,
            args,
            corpus,
            kernel,
            threads,
            learner,
            progress,
            curve,
        })
    }

    fn learn(&mut self) -> Result<(), TrainError> {
        let bar = say::bar(0, "Training {bar:30} {msg}, {eta} left");
        let decks: Vec<Mutex<Deck>> = self.decks().map(Mutex::new).collect();
        // Each worker locks its own deck only, so no lock is ever waited for, and none is poisoned.
        let deck = |i: usize| decks[i].lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut recent = Loss::default();
        let mut saved_at = self.progress.seconds;
        while self.progress.seconds < self.args.minutes * 60.0 && !interrupt::requested() {
            let started = Instant::now();
            let progress = self.progress.seconds / (self.args.minutes * 60.0);
            let rate = schedule::learning_rate(progress) as f32 * self.args.learning_rate;
            let faithfulness = schedule::faithfulness(progress);
            let next = |i| deck(i).next_passage(faithfulness);
            let condition = |i, passage: &mut _| deck(i).condition(passage);
            let loss = self.learner.learn(rate, next, condition)?;
            let elapsed = started.elapsed().as_secs_f64();
            self.progress.seconds += elapsed;
            self.progress.updates += 1;
            self.progress.steps += loss.steps as u64;
            self.progress.notes += loss.notes as u64;
            recent.add(&loss);
            self.show(&bar, &recent, loss.steps as f64 / elapsed);
            if self.progress.seconds >= saved_at + self.stretch() {
                saved_at = self.progress.seconds;
                self.save(&std::mem::take(&mut recent), &bar)?;
            } else if self.checkpointed.elapsed() >= CHECKPOINT {
                self.write_checkpoint()?;
            }
        }
        if recent.notes > 0 {
            self.save(&recent, &bar)?;
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Passages for each thread.
    fn decks(&self) -> impl Iterator<Item = Deck<'a>> + use<'a> {
        let Run { corpus, args, .. } = *self;
        let (alphabet, seed) = (self.progress.alphabet, args.seed.wrapping_add(self.progress.updates) << 8);
        (0..self.threads as u64).map(move |i| Deck::new(corpus, alphabet, args.pedal, args.streams, seed + i))
    }

    fn show(&self, bar: &ProgressBar, recent: &Loss, speed: f64) {
        let minutes = self.progress.seconds / 60.0;
        bar.set_length((self.args.minutes * 60.0) as u64);
        bar.set_position(self.progress.seconds as u64);
        bar.set_message(format!(
            "{minutes:.1} of {} min, {:.2} nats/note, {speed:.0} steps/s",
            self.args.minutes,
            recent.nats_per_note()
        ));
    }

    /// Seconds of learning until the next measurement.
    fn stretch(&self) -> f64 {
        (self.args.minutes * 60.0 / MEASUREMENTS).min(LONGEST_STRETCH).max(self.measuring * PATIENCE)
    }

    /// Measures, keeps the pianist if it is the best so far, writes the checkpoint and a line of the curve.
    fn save(&mut self, recent: &Loss, bar: &ProgressBar) -> Result<(), TrainError> {
        if self.checkpointed.elapsed().as_secs_f64() + self.measuring > CHECKPOINT.as_secs_f64() {
            self.write_checkpoint()?;
        }
        let started = Instant::now();
        let validation = self.measure();
        self.measuring = started.elapsed().as_secs_f64();
        let nats = validation.as_ref().map(Loss::nats_per_note);
        let best = self.progress.best.unwrap_or(f64::INFINITY);
        if let Some(nats) = nats.filter(|nats| *nats < best) {
            self.progress.best = Some(nats);
            self.write_pianist(validation.as_ref())?;
        }
        self.write_checkpoint()?;
        let point = Point {
            minutes: self.progress.seconds / 60.0,
            updates: self.progress.updates,
            notes: self.progress.notes,
            train: recent.nats_per_note(),
            valid: nats,
        };
        // A bar that can't be shown would swallow the line: logs want it too.
        if bar.is_hidden() {
            say::progress(point)
        } else {
            bar.println(point.to_string())
        }
        self.curve.add(point)
    }

    /// The loss on the beginnings of some validation pieces, the pedal folded; `None` if there are none.
    fn measure(&self) -> Option<Loss> {
        let (alphabet, base) = (self.progress.alphabet, self.progress.time_base);
        let pedal = if self.args.pedal == Pedals::Keep { Pedal::Keep } else { Pedal::Fold };
        let entries: Vec<_> = self.corpus.performances(Split::Valid).collect();
        let stride = entries.len().div_ceil(MEASURED.0).max(1);
        let chosen: Vec<_> = entries.into_iter().step_by(stride).collect();
        let passages = chosen.iter().map(|entry| {
            let mut performance = entry.performance();
            performance.notes.retain(|note| note.onset < MEASURED.1);
            performance.pedal.retain(|change| change.time < MEASURED.1);
            Passage::new(alphabet, base, &performance, &entry.bars(), pedal)
        });
        let blueprint = alphabet.blueprint(self.progress.layers, self.progress.units);
        let loss = measure(&blueprint, self.learner.network(), self.kernel, self.threads, passages.collect());
        (loss.notes > 0).then_some(loss)
    }

    /// Draws the curve, and says what came of the run. Where nothing could be measured, the last weights are the pianist.
    fn finish(mut self) -> Result<(), TrainError> {
        let is_new = self.progress.updates > self.earlier_updates || !self.args.output.exists();
        if self.progress.best.is_none() && is_new {
            self.write_pianist(None)?;
        }
        self.curve.draw()?;
        let (output, minutes) = (self.args.output.display(), self.progress.seconds / 60.0);
        let best = self.progress.best.map(|nats| format!(", with {nats:.3} nats per note the best measured"));
        say::progress(match is_new {
            true => format!("Wrote {output}{}, and its model card", best.unwrap_or_default()),
            false => format!(
                "{output} stays as it is, after {minutes:.1} minutes; --resume goes on where --minutes is more than that"
            ),
        });
        Ok(())
    }

    fn write_checkpoint(&mut self) -> Result<(), TrainError> {
        let (path, network) = (checkpoint_path(self.args), self.learner.network());
        checkpoint::write(&path, &self.progress, network.parameters(), self.learner.optimizer())?;
        self.checkpointed = Instant::now();
        Ok(())
    }

    /// Writes the pianist as it is now, and its card.
    fn write_pianist(&mut self, validation: Option<&Loss>) -> Result<(), TrainError> {
        // A pianist without a checkpoint could not be resumed, should the run be killed between the two.
        if !checkpoint_path(self.args).exists() {
            self.write_checkpoint()?;
        }
        let Progress { alphabet, time_base, layers, units, .. } = self.progress;
        let parameters = self.learner.network().parameters().to_vec();
        let pianist = Pianist::new(alphabet, time_base, layers, units, parameters, self.card(validation));
        pianist.write_file(&self.args.output)?;
        card::write_page(&pianist, &self.args.output)?;
        Ok(())
    }

    fn card(&self, measured: Option<&Loss>) -> Card {
        let Progress { alphabet, seconds, earlier_seconds, steps, notes, updates, .. } = self.progress;
        let setup = format!(
            "{updates} updates of {} x {} steps on {}, peak learning rate {}, dropout {}",
            self.args.streams,
            self.args.window,
            self.machine(),
            self.args.learning_rate,
            self.args.dropout
        );
        Card {
            training: Training { minutes: (earlier_seconds + seconds) / 60.0, steps, notes, setup },
            validation: measured.map(|loss| validation(alphabet, loss)),
            ..draft::card(&self.args.output, self.args.from.as_deref(), self.corpus)
        }
    }

    /// What it was trained on.
    fn machine(&self) -> String {
        match self.args.device {
            Device::Cpu => format!("{}, {:?}", say::count(self.threads, "thread"), self.kernel),
            device => device.to_string(),
        }
    }
}

fn validation(alphabet: Alphabet, loss: &Loss) -> Validation {
    let nats: f64 = loss.nats.iter().sum();
    Validation {
        nats_per_step: nats / loss.steps as f64,
        nats_per_note: loss.nats_per_note(),
        attributes: loss.by_attribute(&alphabet.blueprint(1, 1).heads),
    }
}
