//! Telling names for files.

/// Longest part of a name that comes from elsewhere, in characters.
const LONGEST: usize = 60;

/// What a clip's name tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// Who plays.
    pub pianist: String,
    /// The take's seed.
    pub seed: u64,
    /// The key, if there is one.
    pub key: Option<String>,
    /// In quarter notes per minute.
    pub tempo: f64,
}

/// A file's name that every system takes, such as `songbook 4711 - G major - 120 bpm.mid`.
pub fn file_name(named: &Named) -> String {
    let Named { pianist, seed, key, tempo } = named;
    let pianist = safe(pianist);
    let tempo = (tempo * 100.0).round() / 100.0;
    let key = key.as_ref().map(|key| format!(" - {}", safe(key))).unwrap_or_default();
    format!("{pianist} {seed}{key} - {tempo} bpm.mid")
}

/// Without what some system forbids in names.
fn safe(text: &str) -> String {
    let allowed = |letter: char| match letter {
        '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*' => '-',
        letter if letter.is_control() => ' ',
        letter => letter,
    };
    let text: String = text.chars().map(allowed).take(LONGEST).collect();
    let text = text.trim_matches([' ', '.']);
    if text.is_empty() { "pianist".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_tells_pianist_seed_key_and_tempo() {
        let named = Named { pianist: "songbook".into(), seed: 7, key: Some("F# minor".into()), tempo: 92.5 };
        assert_eq!(file_name(&named), "songbook 7 - F# minor - 92.5 bpm.mid");
        assert_eq!(file_name(&Named { key: None, tempo: 120.0, ..named }), "songbook 7 - 120 bpm.mid");
    }

    proptest! {
        #[test]
        fn whatever_a_pianist_is_called_the_name_stays_in_its_folder(pianist in ".*", seed: u64, tempo in 1.0f64..1000.0) {
            let name = file_name(&Named { pianist, seed, key: None, tempo });
            prop_assert!(!name.contains(['/', '\\', ':', '\0', '\n']) && !name.starts_with('.'), "{}", name);
            prop_assert!(name.ends_with(" bpm.mid") && name.chars().count() < 130);
        }
    }
}
