//! A take as a piano roll.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::RgbColor;
use embedded_graphics::text::Alignment;
use etude_pianist::composer::Take;
use etude_pianist::note::{Key, Velocity};

use super::{Canvas, FAINT, INK, PAPER};

const WIDTH: i32 = 1440;
const TITLE: i32 = 32;
const KEYBOARD: i32 = 48;
const RIGHT: i32 = WIDTH - 16;
/// Height of a key's row, of the pedal's lane, and of the space between two systems.
const ROW: i32 = 5;
const PEDAL: i32 = 10;
const GAP: i32 = 28;
/// Bars in a system of a short take, and most systems of a long one.
const BARS: u32 = 8;
const MOST_SYSTEMS: u32 = 12;
/// Narrowest distance of two bar lines.
const BAR_LINES: f64 = 14.0;

const BLACK_ROW: Rgb888 = Rgb888::new(240, 238, 233);
const BAR_LINE: Rgb888 = Rgb888::new(168, 166, 160);
const PEDAL_DOWN: Rgb888 = Rgb888::new(120, 140, 120);

/// Draws a take and returns the PNG file: systems of bars below one another, each with the keyboard at its left, the
/// notes coloured from blue (soft) to red (loud), and the pedal in a lane below.
pub fn piano_roll(take: &Take, title: &str) -> Vec<u8> {
    let bar = take.time_signature.quarters_per_bar();
    let bars = (take.quarters / bar).round().max(1.0) as u32;
    let bars_per_system = BARS.max(bars.div_ceil(MOST_SYSTEMS)).min(bars);
    let systems = bars.div_ceil(bars_per_system);
    let (lowest, highest) = range(take);
    let rows = (highest - lowest + 1) as i32;
    let height = rows * ROW + PEDAL + GAP;
    let mut canvas = Canvas::new(WIDTH as u32, (TITLE + systems as i32 * height) as u32);
    let heading = format!("{title}   {} at {} BPM, seed {}", take.time_signature, take.tempo, take.seed);
    canvas.text(&heading, (KEYBOARD, TITLE / 2), Alignment::Left);
    for system in 0..systems {
        let first_bar = system * bars_per_system;
        let mut system = System {
            top: TITLE + system as i32 * height,
            lowest,
            rows,
            start: f64::from(first_bar) * bar,
            quarters: f64::from(bars_per_system) * bar,
            end: f64::from((first_bar + bars_per_system).min(bars)) * bar,
            canvas: &mut canvas,
        };
        system.draw_keys();
        system.draw_time(take, first_bar);
        system.draw_notes(take);
        system.draw_pedal(take);
    }
    canvas.png()
}

/// The lowest and the highest key that are shown: whole octaves from C around the notes.
fn range(take: &Take) -> (usize, usize) {
    /// Index of the lowest C.
    const C1: usize = 3;
    let keys = || take.performance.notes.iter().map(|note| note.key.index());
    let lowest = keys().min().unwrap_or(C1 + 36);
    let highest = keys().max().unwrap_or(C1 + 47);
    let lowest = if lowest < C1 { 0 } else { lowest - (lowest - C1) % 12 };
    let top = (highest + 12 - C1) / 12 * 12 + C1 - 1;
    (lowest, top.min(Key::COUNT - 1))
}

/// One line of bars.
struct System<'a> {
    canvas: &'a mut Canvas,
    top: i32,
    lowest: usize,
    rows: i32,
    /// First quarter note, and how many would fill the width; the last system may end before.
    start: f64,
    quarters: f64,
    end: f64,
}

impl System<'_> {
    fn x(&self, quarter: f64) -> i32 {
        let share = (quarter.clamp(self.start, self.end) - self.start) / self.quarters;
        KEYBOARD + (share * f64::from(RIGHT - KEYBOARD)).round() as i32
    }

    fn y(&self, key: usize) -> i32 {
        self.top + (self.rows - 1 - (key as i32 - self.lowest as i32)) * ROW
    }

    fn bottom(&self) -> i32 {
        self.top + self.rows * ROW
    }

    fn draw_keys(&mut self) {
        let width = self.x(self.end) - KEYBOARD;
        for key in (0..self.rows as usize).filter_map(|row| Key::from_index(self.lowest + row)) {
            let (y, is_c) = (self.y(key.index()), key.pitch_class() == 0);
            if key.is_black() {
                self.canvas.fill(KEYBOARD, y, width, ROW, BLACK_ROW);
                self.canvas.fill(KEYBOARD - 16, y, 10, ROW, INK);
            }
            if is_c {
                self.canvas.fill(KEYBOARD, y + ROW - 1, width, 1, FAINT);
                self.canvas.text(&key.to_string(), (KEYBOARD - 20, y + ROW / 2), Alignment::Right);
            }
        }
        self.canvas.fill(KEYBOARD - 17, self.top, 1, self.rows * ROW, BAR_LINE);
    }

    fn draw_time(&mut self, take: &Take, first_bar: u32) {
        let bar = take.time_signature.quarters_per_bar();
        let height = self.rows * ROW + PEDAL + 2;
        let pixels_per_bar = f64::from(RIGHT - KEYBOARD) * bar / self.quarters;
        let step = (BAR_LINES / pixels_per_bar).ceil().max(1.0) as usize;
        let beats = u32::from(take.time_signature.numerator());
        for (i, start) in (0..).map(|i| (i, self.start + f64::from(i) * bar)).step_by(step) {
            if start > self.end + 1e-6 {
                break;
            }
            let x = self.x(start);
            let in_bar = start < self.end - 1e-6;
            for beat in (1..beats).filter(|_| in_bar && pixels_per_bar >= BAR_LINES * f64::from(beats)) {
                let x = self.x(start + bar * f64::from(beat) / f64::from(beats));
                self.canvas.fill(x, self.top, 1, height, FAINT);
            }
            self.canvas.fill(x, self.top, 1, height, BAR_LINE);
            if in_bar && pixels_per_bar * step as f64 >= BAR_LINES * 2.0 {
                let number = (first_bar + i + 1).to_string();
                self.canvas.text(&number, (x + 2, self.bottom() + PEDAL + 9), Alignment::Left);
            }
        }
    }

    fn draw_notes(&mut self, take: &Take) {
        for note in &take.sounding().notes {
            if note.end() > self.start && note.onset < self.end {
                let (left, right) = (self.x(note.onset), self.x(note.end()));
                let y = self.y(note.key.index());
                let colour = colour(note.velocity);
                self.canvas.fill(left, y, right - left - 1, ROW, colour);
                self.canvas.fill(left, y, 1, ROW, mix(colour, INK, 0.6));
            }
        }
    }

    fn draw_pedal(&mut self, take: &Take) {
        for pair in take.performance.pedal.windows(2).filter(|pair| pair[0].down) {
            if pair[1].time > self.start && pair[0].time < self.end {
                let (left, right) = (self.x(pair[0].time), self.x(pair[1].time));
                self.canvas.fill(left, self.bottom() + 4, right - left - 1, PEDAL - 4, PEDAL_DOWN);
            }
        }
    }
}

/// Blue for the softest over violet to red for the loudest.
fn colour(velocity: Velocity) -> Rgb888 {
    let loudness = f64::from(velocity.midi()) / 127.0;
    let (soft, middle, loud) =
        (Rgb888::new(110, 165, 215), Rgb888::new(95, 75, 165), Rgb888::new(215, 50, 45));
    let colour = if loudness < 0.5 {
        mix(soft, middle, 2.0 * loudness)
    } else {
        mix(middle, loud, 2.0 * loudness - 1.0)
    };
    mix(colour, PAPER, 0.1)
}

/// The colour at `share` of the way from one to another.
fn mix(from: Rgb888, to: Rgb888, share: f64) -> Rgb888 {
    let part = |from: u8, to: u8| (f64::from(from) + share * (f64::from(to) - f64::from(from))).round() as u8;
    Rgb888::new(part(from.r(), to.r()), part(from.g(), to.g()), part(from.b(), to.b()))
}
