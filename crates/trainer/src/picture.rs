//! Pictures of takes and of losses, and how a picture becomes a PNG file.

mod chart;
mod roll;

pub use chart::{Curve, loss_chart};
pub use roll::piano_roll;

use std::convert::Infallible;

use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::iso_8859_1::FONT_7X13;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Line, PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Alignment, Baseline, Text, TextStyleBuilder};

/// A PNG file of pixels row by row from the top, red, green and blue of each.
///
/// # Errors
/// If the picture has no pixels, or there are not as many as it is big.
pub fn png(width: u32, height: u32, pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(bytes)
}

const PAPER: Rgb888 = Rgb888::new(250, 249, 246);
const INK: Rgb888 = Rgb888::new(40, 40, 48);
const FAINT: Rgb888 = Rgb888::new(222, 220, 214);

/// A picture being drawn, three bytes a pixel.
struct Canvas {
    size: Size,
    pixels: Vec<u8>,
}

impl Canvas {
    fn new(width: u32, height: u32) -> Canvas {
        let mut canvas = Canvas { size: Size::new(width, height), pixels: Vec::new() };
        canvas.pixels.resize((width * height * 3) as usize, 0);
        canvas.fill(0, 0, width as i32, height as i32, PAPER);
        canvas
    }

    /// Fills a rectangle; at least one pixel wide and high.
    fn fill(&mut self, left: i32, top: i32, width: i32, height: i32, colour: Rgb888) {
        let size = Size::new(width.max(1) as u32, height.max(1) as u32);
        let Ok(()) = self.fill_solid(&Rectangle::new(Point::new(left, top), size), colour);
    }

    fn line(&mut self, from: (i32, i32), to: (i32, i32), colour: Rgb888) {
        let style = PrimitiveStyle::with_stroke(colour, 2);
        let Ok(()) = Line::new(from.into(), to.into()).into_styled(style).draw(self);
    }

    /// Writes a line of Latin text from, around or up to a point, which is at half its height.
    fn text(&mut self, text: &str, at: (i32, i32), alignment: Alignment) {
        let layout = TextStyleBuilder::new().alignment(alignment).baseline(Baseline::Middle).build();
        let font = MonoTextStyle::new(&FONT_7X13, INK);
        let Ok(_) = Text::with_text_style(text, at.into(), font, layout).draw(self);
    }

    fn png(&self) -> Vec<u8> {
        png(self.size.width, self.size.height, &self.pixels).expect("the pixels fill the picture")
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        self.size
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(at, colour) in pixels {
            self.fill_solid(&Rectangle::new(at, Size::new(1, 1)), colour)?;
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, colour: Rgb888) -> Result<(), Infallible> {
        let area = area.intersection(&self.bounding_box());
        let (left, width) = (area.top_left.x as usize, area.size.width as usize);
        for y in area.rows() {
            let start = y as usize * self.size.width as usize + left;
            for pixel in self.pixels[start * 3..][..width * 3].as_chunks_mut::<3>().0 {
                *pixel = [colour.r(), colour.g(), colour.b()];
            }
        }
        Ok(())
    }
}
