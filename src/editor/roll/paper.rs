//! What the piano roll looks like.

use egui::{Align2, Color32, CornerRadius, Painter, Rect, Stroke, pos2, vec2};
use etude_pianist::note::{Key, Note};

use super::super::{icon, theme};
use super::{Lens, Score};

/// Rows of black keys, of white keys, and the beats between.
const BLACK_ROW: Color32 = Color32::from_rgb(0x15, 0x17, 0x1c);
const WHITE_ROW: Color32 = Color32::from_rgb(0x1b, 0x1e, 0x24);
const BEAT: Color32 = Color32::from_rgb(0x22, 0x26, 0x2d);
const BAR: Color32 = Color32::from_rgb(0x37, 0x3d, 0x48);
/// Keys of the keyboard.
const IVORY: Color32 = Color32::from_rgb(0xc9, 0xcb, 0xcf);
const EBONY: Color32 = Color32::from_rgb(0x24, 0x27, 0x2d);
/// Least distance of two numbers of bars, and of two beats, in points.
const NUMBERS: f32 = 34.0;
const BEATS: f32 = 9.0;
/// Height of a key's name in points.
const NAME: f32 = 12.0;

pub struct Paper<'a> {
    pub painter: Painter,
    pub area: Rect,
    pub header: Rect,
    pub lens: Lens,
    pub score: &'a Score<'a>,
}

impl Paper<'_> {
    /// Draws everything; `pointed` is the bar whose header is pointed at.
    pub fn draw(&self, pointed: Option<u32>) {
        self.painter.rect_filled(self.area, theme::ROUND, theme::PANEL);
        let inside = self.painter.with_clip_rect(self.lens.area.intersect(self.area));
        self.rows(&inside);
        self.bars(&inside, pointed);
        self.undecided(&inside);
        self.score.performance.notes.iter().for_each(|note| self.note(&inside, note));
        self.pedal();
        self.keyboard();
        self.playhead();
    }

    fn rows(&self, painter: &Painter) {
        let Lens { area, .. } = self.lens;
        painter.rect_filled(area, 0.0, WHITE_ROW);
        for key in Key::all() {
            let y = self.lens.y(f32::from(key.midi()));
            let row = Rect::from_min_size(pos2(area.left(), y), vec2(area.width(), self.lens.key));
            if key.is_black() {
                painter.rect_filled(row, 0.0, BLACK_ROW);
            } else if key.pitch_class() == 0 {
                painter.hline(area.x_range(), y + self.lens.key, Stroke::new(1.0, BEAT));
            }
        }
    }

    fn bars(&self, inside: &Painter, pointed: Option<u32>) {
        let Score { time_signature, quarters, .. } = *self.score;
        let bar = time_signature.quarters_per_bar();
        let beat = 4.0 / f64::from(time_signature.denominator());
        let first = (self.lens.start / bar).floor().max(0.0) as u32;
        let count = (quarters / bar - 1e-6).ceil() as u32;
        let every = ((NUMBERS / (bar as f32 * self.lens.quarter)).ceil() as u32).max(1).next_power_of_two();
        let header = self.painter.with_clip_rect(self.header);
        header.rect_filled(self.header, CornerRadius { ne: 8, ..CornerRadius::ZERO }, theme::PANEL);
        for number in first..count {
            let at = f64::from(number) * bar;
            let (left, right) = (self.lens.x(at), self.lens.x((at + bar).min(quarters)));
            if left > self.lens.area.right() {
                break;
            }
            let locked = self.score.locks.contains(&number);
            let head = Rect::from_x_y_ranges(left..=right, self.header.y_range());
            if locked {
                let tint = theme::ACCENT.gamma_multiply(0.07);
                inside.rect_filled(Rect::from_x_y_ranges(left..=right, self.lens.area.y_range()), 0.0, tint);
                header.rect_filled(head.shrink2(vec2(1.0, 2.0)), 4.0, theme::ACCENT.gamma_multiply(0.22));
            } else if pointed == Some(number) {
                header.rect_filled(head.shrink2(vec2(1.0, 2.0)), 4.0, theme::RAISED);
            }
            if beat as f32 * self.lens.quarter >= BEATS {
                for beats in 1..time_signature.numerator() {
                    let x = self.painter.round_to_pixel_center(self.lens.x(at + f64::from(beats) * beat));
                    inside.vline(x, self.lens.area.y_range(), Stroke::new(1.0, BEAT));
                }
            }
            let x = self.painter.round_to_pixel_center(left);
            inside.vline(x, self.lens.area.y_range(), Stroke::new(1.0, BAR));
            self.bar_header(&header, head, number, locked, pointed, every);
        }
    }

    fn bar_header(
        &self,
        header: &Painter,
        head: Rect,
        number: u32,
        locked: bool,
        pointed: Option<u32>,
        every: u32,
    ) {
        let color = if locked { theme::ACCENT } else { theme::MUTED };
        if number.is_multiple_of(every) {
            let text = (self.score.first_bar + i64::from(number)).to_string();
            let font = theme::strong(11.0);
            header.text(pos2(head.left() + 7.0, head.center().y), Align2::LEFT_CENTER, text, font, color);
        }
        if (locked || pointed == Some(number)) && head.width() > 40.0 {
            icon::lock(header, pos2(head.right() - 12.0, head.center().y), locked, color);
        }
    }

    /// What is not composed yet is in shade.
    fn undecided(&self, painter: &Painter) {
        let Score { decided, quarters, .. } = *self.score;
        if decided < quarters {
            let (from, to) = (self.lens.x(decided.max(0.0)), self.lens.x(quarters));
            let shade = Rect::from_x_y_ranges(from..=to, self.lens.area.y_range());
            painter.rect_filled(shade, 0.0, theme::GROUND.gamma_multiply(0.6));
        }
    }

    fn note(&self, painter: &Painter, note: &Note<f64>) {
        let key = note.key.midi();
        let rect = self.lens.note(note.onset, note.end(), key);
        if rect.right() < self.lens.area.left() || rect.left() > self.lens.area.right() {
            return;
        }
        let width = (rect.width() - 1.0).max(2.5);
        let rect =
            Rect::from_min_size(rect.min + vec2(0.5, 0.5), vec2(width, (rect.height() - 1.0).max(2.0)));
        let color = theme::velocity(note.velocity);
        let sounds =
            self.score.playhead.is_some_and(|(at, rolls)| rolls && (note.onset..note.end()).contains(&at));
        let round = (rect.height() / 3.0).min(3.0);
        painter.rect_filled(
            rect,
            round,
            if sounds { color.lerp_to_gamma(Color32::WHITE, 0.55) } else { color },
        );
    }

    fn pedal(&self) {
        let lane = Rect::from_min_max(pos2(self.area.left(), self.lens.area.bottom()), self.area.max);
        let low = CornerRadius { sw: 8, se: 8, ..CornerRadius::ZERO };
        self.painter.rect_filled(lane, low, theme::PANEL);
        self.painter.hline(lane.x_range(), lane.top(), Stroke::new(1.0, theme::LINE));
        let name = pos2(self.lens.area.left() - 8.0, lane.center().y);
        self.painter.text(name, Align2::RIGHT_CENTER, "Pedal", theme::plain(10.0), theme::FAINT);
        let painter =
            self.painter.with_clip_rect(Rect::from_x_y_ranges(self.lens.area.x_range(), lane.y_range()));
        let mut down: Option<f64> = None;
        let up = etude_pianist::note::PedalChange { time: self.score.quarters, down: false };
        for change in self.score.performance.pedal.iter().copied().chain([up]) {
            match (down, change.down) {
                (None, true) => down = Some(change.time),
                (Some(since), false) => {
                    let (left, right) = (self.lens.x(since), self.lens.x(change.time) - 1.5);
                    let held =
                        Rect::from_x_y_ranges(left..=right.max(left + 1.5), lane.shrink(7.5).y_range());
                    painter.rect_filled(held, 3.0, Color32::from_rgb(0x7b, 0x86, 0xa6));
                    down = None;
                }
                _ => (),
            }
        }
    }

    fn keyboard(&self) {
        let left = self.area.left();
        let strip = Rect::from_min_max(pos2(left, self.lens.area.top()), self.lens.area.left_bottom());
        let painter = self.painter.with_clip_rect(strip);
        painter.rect_filled(strip, 0.0, IVORY);
        let sounding = self.sounding();
        for key in Key::all() {
            let y = self.lens.y(f32::from(key.midi()));
            let black = key.is_black();
            let width = if black { strip.width() * 0.6 } else { strip.width() };
            let rect = Rect::from_min_size(pos2(left, y), vec2(width, self.lens.key));
            let lit = sounding.iter().find(|(sounds, _)| *sounds == key).map(|(_, color)| *color);
            if let Some(color) = lit.or(black.then_some(EBONY)) {
                painter.rect_filled(rect, CornerRadius { ne: 2, se: 2, ..CornerRadius::ZERO }, color);
            }
            if matches!(key.pitch_class(), 0 | 5) {
                painter.hline(strip.x_range(), y + self.lens.key, Stroke::new(1.0, theme::FAINT));
            }
            // In its middle, or above its lower edge where it is narrow: the line there would cross the name out.
            let middle = (y + self.lens.key / 2.0).min(y + self.lens.key + 1.0 - NAME / 2.0);
            if key.pitch_class() == 0 && strip.y_range().shrink(NAME / 2.0).contains(middle) {
                let at = pos2(strip.right() - 4.0, middle);
                painter.text(at, Align2::RIGHT_CENTER, key, theme::strong(9.0), theme::GROUND);
            }
        }
        self.painter.vline(strip.right(), self.area.y_range(), Stroke::new(1.0, theme::GROUND));
    }

    /// Keys that are down at the playhead.
    fn sounding(&self) -> Vec<(Key, Color32)> {
        let Some((at, true)) = self.score.playhead else { return Vec::new() };
        let notes = self.score.performance.notes.iter();
        let down = notes.filter(|note| (note.onset..note.end()).contains(&at));
        down.map(|note| (note.key, theme::velocity(note.velocity))).collect()
    }

    fn playhead(&self) {
        let Some((at, rolls)) = self.score.playhead else { return };
        let x = self.lens.x(at);
        if !self.lens.area.x_range().contains(x) {
            return;
        }
        let color = if rolls { theme::TEXT } else { theme::FAINT };
        let x = self.painter.round_to_pixel_center(x);
        self.painter.vline(x, self.header.bottom()..=self.area.bottom(), Stroke::new(1.5, color));
        let tip = self.header.bottom();
        let mark = vec![pos2(x - 5.0, tip - 7.0), pos2(x + 5.0, tip - 7.0), pos2(x, tip)];
        self.painter.add(egui::Shape::convex_polygon(mark, color, Stroke::NONE));
    }
}
