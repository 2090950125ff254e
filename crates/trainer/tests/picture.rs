//! Pictures come out as PNG files, whatever they show.

use etude_pianist::composer::Take;
use etude_pianist::note::{Key, Note, PedalChange, Performance, Velocity};
use etude_trainer::picture::{Curve, loss_chart, piano_roll};

/// Width, height and pixels.
fn decode(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    (frame.width, frame.height, pixels)
}

fn colours(pixels: &[u8]) -> usize {
    pixels.chunks(3).collect::<std::collections::HashSet<_>>().len()
}

fn take(quarters: f64, notes: Vec<Note<f64>>) -> Take {
    let pedal = vec![PedalChange { time: 1.0, down: true }, PedalChange { time: quarters, down: false }];
    Take {
        seed: 1,
        tempo: 100.0,
        time_signature: "4/4".parse().unwrap(),
        quarters,
        performance: Performance { notes, pedal },
    }
}

fn note(onset: f64, index: usize, velocity: u8) -> Note<f64> {
    Note { onset, duration: 1.5, key: Key::from_index(index).unwrap(), velocity: Velocity::new(velocity) }
}

#[test]
fn a_roll_grows_with_its_bars_and_shows_each_velocity() {
    let (width, short, _) = decode(&piano_roll(&take(16.0, vec![note(0.0, 40, 60)]), "one"));
    let (same_width, long, _) = decode(&piano_roll(&take(64.0, vec![note(0.0, 40, 60)]), "one"));
    assert!(width == same_width && long > short);
    let soft = piano_roll(&take(16.0, vec![note(0.0, 40, 10), note(2.0, 40, 10)]), "two");
    let both = piano_roll(&take(16.0, vec![note(0.0, 40, 10), note(2.0, 40, 120)]), "two");
    assert!(colours(&decode(&both).2) > colours(&decode(&soft).2));
}

#[test]
fn extreme_takes_can_be_drawn() {
    let keyboard_ends = vec![note(0.0, 0, 1), note(3.9, 87, 127)];
    for roll in [take(4.0, Vec::new()), take(4.0, keyboard_ends.clone()), take(100_000.0, keyboard_ends)] {
        let (width, height, _) = decode(&piano_roll(&roll, "étude — 練習曲"));
        assert!(width < 4000 && height < 10_000, "{width} x {height}");
    }
}

#[test]
fn losses_are_drawn_even_where_there_are_none() {
    let falling = (0..50).map(|i| (f64::from(i), 8.0 + 5.0 / f64::from(i + 1))).collect();
    let odd = vec![(0.0, f64::NAN), (1.0, f64::INFINITY), (2.0, 9.0)];
    let curves = [Curve { name: "training", points: falling }, Curve { name: "validation", points: odd }];
    let (.., pixels) = decode(&loss_chart("concert", &curves));
    let (.., empty) = decode(&loss_chart("concert", &[]));
    assert!(colours(&pixels) > colours(&empty));
    for points in
        [vec![], vec![(0.0, 0.0)], vec![(5.0, 3.0), (5.0, 3.0)], vec![(0.0, 1e300), (1e-300, -1e300)]]
    {
        decode(&loss_chart("x", &[Curve { name: "y", points }]));
    }
}
