//! Pianists as files: what is written comes back, and what is damaged is refused.

use std::sync::LazyLock;

use etude_pianist::alphabet::Alphabet;
use etude_pianist::card::{Card, Training, Validation};
use etude_pianist::model_file::{LARGEST_MIB, Pianist, PianistError, PianistFileError};
use etude_pianist::network::Layout;
use etude_pianist::time::TimeBase;
use half::f16;
use proptest::prelude::*;

/// A small pianist whose parameters are exact in f16.
fn pianist(alphabet: Alphabet) -> Pianist {
    let count = Layout::new(&alphabet.blueprint(2, 3)).len();
    let parameters = (0..count).map(|i| (i % 512) as f32 / 256.0 - 1.0).collect();
    let card = Card {
        name: "étude".to_owned(),
        data: "a | b".to_owned(),
        training: Training { minutes: 12.5, steps: 1 << 40, notes: 7, setup: String::new() },
        validation: Some(Validation {
            nats_per_step: 2.5,
            nats_per_note: 8.25,
            attributes: vec![("key".to_owned(), 3.5)],
        }),
        ..Card::default()
    };
    Pianist::new(alphabet, TimeBase::Beats, 2, 3, parameters, card)
}

/// Bytes of the number before the header.
const LENGTH_BYTES: usize = 8;

/// The header of [`BYTES`].
fn header() -> &'static [u8] {
    let (length, rest) = BYTES.split_first_chunk::<LENGTH_BYTES>().unwrap();
    &rest[..u64::from_le_bytes(*length) as usize]
}

/// [`BYTES`] with another header.
fn with_header(other: &[u8]) -> Vec<u8> {
    let values = &BYTES[LENGTH_BYTES + header().len()..];
    [&(other.len() as u64).to_le_bytes(), other, values].concat()
}

static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| pianist(Alphabet::Notes).to_bytes().unwrap());

#[test]
fn what_is_written_comes_back() {
    for alphabet in [Alphabet::Notes, Alphabet::Events] {
        let written = pianist(alphabet);
        let bytes = written.to_bytes().unwrap();
        let read = Pianist::read(&bytes).unwrap();
        assert_eq!((read.alphabet, read.time_base), (alphabet, TimeBase::Beats));
        assert_eq!(read.blueprint, written.blueprint);
        assert_eq!(read.card, written.card);
        assert!(read.parameters == written.parameters);
        assert!(read.to_bytes().unwrap() == bytes, "the same pianist gives the same bytes");
    }
}

#[test]
fn a_file_is_replaced_whole() {
    let folder = std::env::temp_dir().join(format!("etude-model-file-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("p.safetensors");
    for _ in 0..2 {
        pianist(Alphabet::Notes).write_file(&path).unwrap();
        assert_eq!(Pianist::read_file(&path).unwrap().card.name, "étude");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left behind");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn errors_name_the_file_and_what_to_do() {
    let missing = Pianist::read_file("no/such.safetensors").unwrap_err().to_string();
    assert!(missing.contains("no/such.safetensors"), "{missing}");
    assert!(matches!(Pianist::read_file(std::env::temp_dir()), Err(PianistFileError::NotAFile { .. })));
    let place = tempfile::tempdir().unwrap();
    let huge = place.path().join("huge.safetensors");
    std::fs::File::create(&huge).unwrap().set_len((LARGEST_MIB << 20) + 1).unwrap();
    assert!(matches!(Pianist::read_file(&huge), Err(PianistFileError::TooLarge { .. })));
    let unwritable = pianist(Alphabet::Notes).write_file("/no/such/folder/p").unwrap_err();
    assert!(matches!(unwritable, PianistFileError::Unwritable { .. }));
}

#[test]
fn parameters_that_are_no_numbers_are_not_written() {
    for bad in [f32::NAN, f32::INFINITY, 1e6] {
        let mut broken = pianist(Alphabet::Notes);
        *broken.parameters.last_mut().unwrap().last_mut().unwrap() = f16::from_f32(bad);
        assert!(matches!(broken.to_bytes(), Err(PianistError::NotFinite(_))));
    }
}

#[test]
fn a_file_with_a_changed_weight_is_refused() {
    let mut bytes = BYTES.clone();
    // The last byte holds the sign of the last parameter, and the upper bits of its exponent.
    *bytes.last_mut().unwrap() ^= 0x80;
    assert!(matches!(Pianist::read(&bytes), Err(PianistError::Hash)));
}

#[test]
fn a_file_without_its_hash_is_refused() {
    let header = String::from_utf8(header().to_vec()).unwrap();
    let at = header.find(r#"\"hash\":\""#).unwrap() + r#"\"hash\":"#.len();
    let digits = at..at + r#"\""#.len() + 64 + r#"\""#.len();
    for other in ["null".to_owned(), r#"\"\""#.to_owned(), header[digits.clone()].to_uppercase()] {
        let mut header = header.clone();
        header.replace_range(digits.clone(), &other);
        let error = Pianist::read(&with_header(header.as_bytes())).unwrap_err();
        assert!(matches!(error, PianistError::Hash | PianistError::Description(_)), "{error}");
    }
}

#[test]
fn what_a_message_quotes_of_a_file_is_short_and_harmless() {
    let header = String::from_utf8(header().to_vec()).unwrap();
    for evil in ["Z".repeat(20_000), r"\u001b[31m\n\u0007".to_owned()] {
        let in_json = evil.replace('\\', r"\\");
        for header in [
            header.replacen("notes", &in_json, 1),
            header.replacen("F16", &evil, 1),
            format!(r#"{{"{evil}":{{"dtype":"F16","shape":[1],"data_offsets":[5,7]}}}}"#),
        ] {
            let message = Pianist::read(&with_header(header.as_bytes())).unwrap_err().to_string();
            assert!(message.len() < 400 && !message.contains(char::is_control), "{message}");
            assert!(message.contains("ZZZ") || message.contains("[31m"), "{message} quotes nothing");
        }
    }
}

#[test]
fn a_header_that_parsing_would_blow_up_is_refused_before() {
    let lists = vec!["[[[[[[[[[[0]]]]]]]]]]"; 10_000].join(",");
    let bytes = with_header(format!(r#"{{"a":[{lists}]}}"#).as_bytes());
    let mut error = None;
    let counts = allocation_counter::measure(|| error = Pianist::read(&bytes).err());
    assert!(matches!(error, Some(PianistError::Damaged(_))));
    assert!(counts.bytes_max < 1 << 20, "{} bytes at once", counts.bytes_max);
}

#[test]
fn a_card_that_could_not_be_read_again_is_not_written() {
    let mut wordy = pianist(Alphabet::Notes);
    wordy.card.notes = "word ".repeat(20_000);
    let message = wordy.to_bytes().unwrap_err().to_string();
    assert!(message.contains("card is too long"), "{message}");
    wordy.card.notes.truncate(40_000);
    assert_eq!(Pianist::read(&wordy.to_bytes().unwrap()).unwrap().card, wordy.card);
}

#[test]
fn a_card_is_read_without_the_parameters() {
    let mut bytes = BYTES.clone();
    *bytes.last_mut().unwrap() ^= 0x80;
    assert_eq!(Card::read(&bytes).unwrap(), pianist(Alphabet::Notes).card);
    assert!(matches!(Card::read(&bytes[..bytes.len() - 1]), Err(PianistError::Damaged(_))));
    let missing = Card::read_file("no/such.safetensors").unwrap_err().to_string();
    assert!(missing.contains("no/such.safetensors"), "{missing}");
}

#[test]
fn a_file_that_claims_another_network_is_refused() {
    let replaced = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = BYTES.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let mut bytes = BYTES.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        Pianist::read(&bytes).unwrap_err()
    };
    assert!(matches!(replaced("\\\"layers\\\":2", "\\\"layers\\\":0"), PianistError::Size { layers: 0, .. }));
    assert!(matches!(replaced("\\\"layers\\\":2", "\\\"layers\\\":9"), PianistError::Size { layers: 9, .. }));
    assert!(matches!(replaced("\\\"layers\\\":2", "\\\"layers\\\":1"), PianistError::TooMany(3)));
    assert!(matches!(replaced("\\\"units\\\":3", "\\\"units\\\":8"), PianistError::Parameter { .. }));
    assert!(matches!(replaced("\\\"version\\\":1", "\\\"version\\\":2"), PianistError::Version(2)));
    assert!(matches!(replaced("etude", "other"), PianistError::NotAPianist));
    assert!(matches!(replaced("lstm.bias_ih_l0", "lstm.bias_ih_l7"), PianistError::Parameter { .. }));
}

#[test]
fn the_card_page_says_what_a_user_must_know() {
    let page = pianist(Alphabet::Notes).card_page().unwrap();
    for fact in [
        "étude",
        "a \\| b",
        "`notes` in beats",
        "2 LSTM layers of 3 units",
        "8.250",
        "| key | 3.500 |",
        "SHA-256",
    ] {
        assert!(page.contains(fact), "{fact} is missing in\n{page}");
    }
}

#[test]
fn the_card_page_says_how_large_a_pianist_is_and_ends_with_what_was_noted() {
    let count = Layout::new(&Alphabet::Notes.blueprint(2, 64)).len();
    let card = |notes: &str| Card { notes: notes.to_owned(), ..Card::default() };
    let sized = |notes| Pianist::new(Alphabet::Notes, TimeBase::Beats, 2, 64, vec![0.0; count], card(notes));
    let page = sized("It likes waltzes.").card_page().unwrap();
    let file_size = sized("It likes waltzes.").to_bytes().unwrap().len();
    let (millions, mebibytes) = (count as f64 / 1_000_000.0, file_size as f64 / 1_048_576.0);
    assert!(millions > 0.1 && mebibytes > 0.1, "enough to be seen in one decimal place");
    let size = format!("{millions:.1} M parameters, {mebibytes:.1} MiB");
    assert!(page.contains(&size) && page.ends_with("\n\nIt likes waltzes.\n"), "{size} in\n{page}");
    let page = sized("").card_page().unwrap();
    assert!(page.ends_with("measured.\n"), "{page}");
}

proptest! {
    #[test]
    fn damaged_bytes_are_refused_or_read_but_never_panic(
        changes in prop::collection::vec((0..8000usize, any::<u8>()), 1..8),
        length in prop_oneof![Just(usize::MAX), 0..9000usize],
    ) {
        let mut bytes = BYTES.clone();
        for (at, value) in changes {
            bytes[at] = value;
        }
        bytes.truncate(length);
        let _ = Pianist::read(&bytes).map_err(|error| error.to_string());
    }

    #[test]
    fn any_bytes_are_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..200), header in 0..300u64) {
        prop_assert!(Pianist::read(&bytes).is_err());
        if let Some(length) = bytes.first_chunk_mut() {
            *length = header.to_le_bytes();
        }
        prop_assert!(Pianist::read(&bytes).is_err());
    }
}
