//! Both alphabets through their public door: what is spelled comes back, and whatever is spelled is music.

use etude_pianist::alphabet::{Alphabet, Conditions, InputRow, MAX_HEADS, Metre, Pedal, Step, VELOCITY_BINS};
use etude_pianist::network::{Blueprint, Inputs};
use etude_pianist::note::{Key, Note, PedalChange, Performance, Velocity};
use etude_pianist::time::{MAX_TICKS, Ticks, TimeBase};
use proptest::prelude::*;

const ALPHABETS: [Alphabet; 2] = [Alphabet::Notes, Alphabet::Events];
const BASES: [TimeBase; 2] = [TimeBase::Seconds, TimeBase::Beats];

/// Any music: dense or sparse, with repeated keys, chords, and gaps beyond the longest shift.
fn performances() -> impl Strategy<Value = Performance<f64>> {
    let note = (0.0..60.0f64, 0.0..15.0f64, 0..Key::COUNT, 1..=127u8).prop_map(
        |(onset, duration, key, velocity)| Note {
            onset,
            duration,
            key: Key::from_index(key).expect("within the keyboard"),
            velocity: Velocity::new(velocity),
        },
    );
    let change = (0.0..70.0f64, any::<bool>()).prop_map(|(time, down)| PedalChange { time, down });
    (prop::collection::vec(note, 0..80), prop::collection::vec(change, 0..20)).prop_map(
        |(mut notes, mut pedal)| {
            notes.sort_by(|a, b| a.onset.total_cmp(&b.onset).then(a.key.cmp(&b.key)));
            pedal.sort_by(|a, b| a.time.total_cmp(&b.time));
            Performance { notes, pedal }
        },
    )
}

fn binned(mut performance: Performance<Ticks>) -> Performance<Ticks> {
    for note in &mut performance.notes {
        note.velocity = Velocity::from_bin(note.velocity.bin());
    }
    performance
}

/// Steps of symbols that the heads could choose, in any order and combination.
fn steps(alphabet: Alphabet) -> impl Strategy<Value = Vec<Step>> {
    let heads = alphabet.blueprint(1, 1).heads;
    let symbols: [u16; MAX_HEADS] =
        std::array::from_fn(|i| heads.get(i).map_or(1, |head| head.symbols as u16));
    prop::collection::vec(symbols.map(|count| prop_oneof![9 => 0..count, 1 => Just(Step::NOTHING)]), 0..200)
        .prop_map(|steps| steps.into_iter().map(Step).collect())
}

fn assert_valid(performance: &Performance<Ticks>) {
    let mut ends = [0; Key::COUNT];
    assert!(performance.notes.is_sorted_by_key(|note| (note.onset, note.key)));
    for note in &performance.notes {
        assert!((1..=MAX_TICKS).contains(&note.duration), "every note ends");
        assert!(note.onset >= ends[note.key.index()], "a key is struck only after it was released");
        ends[note.key.index()] = note.onset + note.duration;
    }
    for (i, change) in performance.pedal.iter().enumerate() {
        assert_eq!(change.down, i % 2 == 0, "the pedal alternates, beginning with a press");
    }
    assert!(performance.pedal.is_sorted_by(|a, b| a.time < b.time));
}

proptest! {
    #[test]
    fn a_quantised_performance_comes_back_exactly(performance in performances(), fold in any::<bool>()) {
        let performance = if fold { performance.fold_pedal() } else { performance };
        for base in BASES {
            let quantised = binned(performance.quantise(base));
            for alphabet in ALPHABETS {
                let steps = alphabet.encode(&quantised);
                prop_assert_eq!(&alphabet.decode(&steps), &quantised, "{} in {}", alphabet, base);
                let struck = steps.iter().filter_map(|step| alphabet.struck(*step));
                prop_assert!(struck.eq(quantised.notes.iter().map(|note| note.key)));
            }
        }
    }

    #[test]
    fn any_note_steps_spell_a_valid_performance(steps in steps(Alphabet::Notes)) {
        assert_valid(&Alphabet::Notes.decode(&steps));
    }

    #[test]
    fn any_events_spell_a_valid_performance(steps in steps(Alphabet::Events)) {
        assert_valid(&Alphabet::Events.decode(&steps));
    }

    #[test]
    fn a_context_asks_for_exactly_the_symbols_that_the_spelling_has(performance in performances()) {
        for alphabet in ALPHABETS {
            let quantised = performance.quantise(TimeBase::Seconds);
            let mut reader = Reader::new(alphabet);
            for step in alphabet.encode(&quantised) {
                reader.read(step);
            }
            let last_onset = quantised.notes.last().map_or(0, |note| note.onset);
            prop_assert!(reader.context.now() >= last_onset);
        }
    }
}

/// Walks a context along given steps, checking every input that the network would read.
struct Reader {
    blueprint: Blueprint,
    context: Box<dyn etude_pianist::alphabet::Context>,
    conditions: Conditions,
}

impl Reader {
    fn new(alphabet: Alphabet) -> Reader {
        let conditions = Conditions {
            pedal: Some(Pedal::Keep),
            density: Some(5.0),
            pitch_classes: Some([1.0 / 12.0; 12]),
            metre: Some(Metre::regular(96)),
        };
        Reader { blueprint: alphabet.blueprint(2, 8), context: alphabet.context(), conditions }
    }

    fn read(&mut self, step: Step) {
        self.context.begin();
        check_row(&self.blueprint.inputs, |row| self.context.listen(&self.conditions, row));
        while let Some(head) = self.context.asks() {
            check_row(&self.blueprint.heads[head].inputs, |row| self.context.read(&self.conditions, row));
            let symbol = step.get(head).expect("the spelling has every symbol that is asked for");
            assert!(usize::from(symbol) < self.blueprint.heads[head].symbols);
            self.context.choose(symbol);
        }
        assert_eq!(self.context.step(), step, "nothing is left that was not asked for");
    }
}

fn check_row(inputs: &Inputs, fill: impl FnOnce(InputRow)) {
    let (mut categories, mut dense) = (vec![u16::MAX; inputs.categories.len()], vec![f32::NAN; inputs.dense]);
    fill(InputRow { categories: &mut categories, dense: &mut dense });
    for (symbol, category) in categories.iter().zip(&inputs.categories) {
        assert!(usize::from(*symbol) < category.symbols, "every category has a table row");
    }
    assert!(
        dense.iter().all(|x| (0.0..=2.0).contains(x)),
        "every dense input is written, and of moderate size"
    );
}

#[test]
fn velocities_change_by_less_than_a_bin() {
    for midi in 1..=127 {
        let velocity = Velocity::new(midi);
        let back = Velocity::from_bin(velocity.bin());
        assert!(back.midi().abs_diff(midi) <= 2 && back.bin() == velocity.bin());
    }
    assert_eq!(Velocity::new(127).bin(), VELOCITY_BINS - 1);
    let loudest = Velocity::from_bin(VELOCITY_BINS - 1);
    for beyond in [VELOCITY_BINS, 2 * VELOCITY_BINS, usize::MAX] {
        assert_eq!(Velocity::from_bin(beyond), loudest);
    }
}

#[test]
fn an_alphabet_is_read_by_the_name_it_is_shown_with() {
    for alphabet in ALPHABETS {
        assert_eq!(alphabet.to_string().parse(), Ok(alphabet));
    }
    assert!("letters".parse::<Alphabet>().is_err());
}

#[test]
fn events_use_the_symbols_of_performance_rnn() {
    let key = Key::from_midi(60).expect("middle C");
    let note = Note { onset: 150, duration: 20, key, velocity: Velocity::new(64) };
    let steps = Alphabet::Events.encode(&Performance { notes: vec![note], pedal: vec![] });
    let symbols: Vec<u16> = steps.iter().map(|step| step.0[0]).collect();
    // 100 ticks, 50 ticks, velocity bin 16, note on, 20 ticks, note off.
    assert_eq!(symbols, [256 + 99, 256 + 49, 356 + 16, 60, 256 + 19, 128 + 60]);
}
