//! Losses over time as a line chart.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::text::Alignment;

use super::{Canvas, FAINT, INK};

const WIDTH: i32 = 960;
const HEIGHT: i32 = 540;
const LEFT: i32 = 70;
const RIGHT: i32 = WIDTH - 24;
const TOP: i32 = 48;
const BOTTOM: i32 = HEIGHT - 48;

const COLOURS: [Rgb888; 4] = [
    Rgb888::new(31, 110, 180),
    Rgb888::new(208, 82, 33),
    Rgb888::new(52, 140, 72),
    Rgb888::new(140, 80, 170),
];

/// One line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve<'a> {
    /// Its name in the legend.
    pub name: &'a str,
    /// Points of (minutes, nats per note), from left to right. What is not finite is left out.
    pub points: Vec<(f64, f64)>,
}

/// Draws losses in nats per note over minutes of training, and returns the PNG file.
pub fn loss_chart(title: &str, curves: &[Curve]) -> Vec<u8> {
    let finite = |&(minutes, nats): &(f64, f64)| minutes.is_finite() && nats.is_finite();
    let lines: Vec<Vec<(f64, f64)>> =
        curves.iter().map(|curve| curve.points.iter().copied().filter(finite).collect()).collect();
    let across = Axis::around(lines.iter().flatten().map(|point| point.0), (LEFT, RIGHT));
    let up = Axis::around(lines.iter().flatten().map(|point| point.1), (BOTTOM, TOP));

    let mut canvas = Canvas::new(WIDTH as u32, HEIGHT as u32);
    canvas.text(title, (LEFT, TOP / 2), Alignment::Left);
    canvas.text("minutes", (RIGHT, HEIGHT - 14), Alignment::Right);
    canvas.text("nats per note", (LEFT, TOP - 8), Alignment::Left);
    for tick in across.ticks() {
        canvas.fill(across.place(tick), TOP, 1, BOTTOM - TOP, FAINT);
        canvas.text(&across.label(tick), (across.place(tick), BOTTOM + 14), Alignment::Center);
    }
    for tick in up.ticks() {
        canvas.fill(LEFT, up.place(tick), RIGHT - LEFT, 1, FAINT);
        canvas.text(&up.label(tick), (LEFT - 8, up.place(tick)), Alignment::Right);
    }
    canvas.fill(LEFT, BOTTOM, RIGHT - LEFT, 1, INK);
    canvas.fill(LEFT, TOP, 1, BOTTOM - TOP, INK);

    for (i, (curve, points)) in curves.iter().zip(&lines).enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        let place = |point: (f64, f64)| (across.place(point.0), up.place(point.1));
        for pair in points.windows(2) {
            canvas.line(place(pair[0]), place(pair[1]), colour);
        }
        let legend = TOP + 12 + 18 * i as i32;
        canvas.fill(RIGHT - 170, legend - 1, 24, 3, colour);
        canvas.text(curve.name, (RIGHT - 138, legend), Alignment::Left);
    }
    canvas.png()
}

/// A range of values and the pixels that show it.
struct Axis {
    first: f64,
    last: f64,
    step: f64,
    pixels: (i32, i32),
}

impl Axis {
    /// An axis from the lowest to the highest of `values`, both rounded outwards to a step of 1, 2 or 5.
    fn around(values: impl Iterator<Item = f64> + Clone, pixels: (i32, i32)) -> Axis {
        let lowest = values.clone().fold(f64::INFINITY, f64::min);
        let highest = values.fold(f64::NEG_INFINITY, f64::max);
        let (lowest, highest) = if lowest < highest { (lowest, highest) } else { (0.0, highest.max(1.0)) };
        let rough = (highest - lowest) / 6.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|step| step * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(10.0 * power);
        Axis { first: (lowest / step).floor() * step, last: (highest / step).ceil() * step, step, pixels }
    }

    fn ticks(&self) -> Vec<f64> {
        let count = ((self.last - self.first) / self.step).round().min(20.0) as usize;
        (0..=count).map(|i| self.first + i as f64 * self.step).collect()
    }

    fn place(&self, value: f64) -> i32 {
        let (first, last) = (f64::from(self.pixels.0), f64::from(self.pixels.1));
        (first + (value - self.first) / (self.last - self.first) * (last - first)).round() as i32
    }

    fn label(&self, value: f64) -> String {
        let decimals = (-self.step.log10().floor()).clamp(0.0, 6.0) as usize;
        format!("{value:.decimals$}")
    }
}
