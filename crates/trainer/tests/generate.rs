//! The `generate` command, from its arguments to the files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use etude_pianist::alphabet::Alphabet;
use etude_pianist::card::Card;
use etude_pianist::midi;
use etude_pianist::model_file::Pianist;
use etude_pianist::network::Layout;
use etude_pianist::time::TimeBase;
use etude_trainer::generate::{GenerateArgs, GenerateError, Written, generate};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: GenerateArgs,
}

/// A folder with an untrained pianist in it, gone with the test.
struct Studio(tempfile::TempDir);

impl Studio {
    fn new(time_base: TimeBase) -> Studio {
        let folder = tempfile::tempdir().unwrap();
        let (layers, units) = (1, 8);
        let mut random = Pcg64Mcg::seed_from_u64(1);
        let count = Layout::new(&Alphabet::Notes.blueprint(layers, units)).len();
        let parameters = (0..count).map(|_| random.random_range(-0.2..0.2)).collect();
        let pianist = Pianist::new(Alphabet::Notes, time_base, layers, units, parameters, Card::default());
        pianist.write_file(folder.path().join("novice.safetensors")).unwrap();
        Studio(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn args(&self, output: &str, more: &str) -> GenerateArgs {
        let (model, output) = (self.path("novice.safetensors"), self.path(output));
        let command = ["generate", "--model", model.to_str().unwrap(), "--output", output.to_str().unwrap()];
        Cli::try_parse_from(command.into_iter().chain(more.split_whitespace())).unwrap().args
    }

    fn generate(&self, output: &str, more: &str) -> Result<Vec<Written>, GenerateError> {
        generate(&self.args(output, more))
    }
}

fn png_size(path: &Path) -> (u32, u32) {
    let decoder = png::Decoder::new(std::io::Cursor::new(fs::read(path).unwrap()));
    let reader = decoder.read_info().unwrap();
    (reader.info().width, reader.info().height)
}

#[test]
fn the_same_seed_gives_the_same_files() {
    let studio = Studio::new(TimeBase::Seconds);
    for output in ["a.mid", "b.mid", "c.mid"] {
        let seed = if output == "c.mid" { 4 } else { 3 };
        studio.generate(output, &format!("--bars 2 --seed {seed}")).unwrap();
    }
    let bytes = |name| fs::read(studio.path(name)).unwrap();
    assert_eq!(bytes("a.mid"), bytes("b.mid"));
    assert_ne!(bytes("a.mid"), bytes("c.mid"));
}

#[test]
fn several_clips_are_numbered_and_each_is_that_of_its_seed() {
    let studio = Studio::new(TimeBase::Beats);
    let mut args = studio.args("many.mid", "--bars 2 --seed 10 --count 3 --time-signature 3/4");
    args.picture = Some(studio.path("many.png"));
    let written = generate(&args).unwrap();
    studio.generate("single.mid", "--bars 2 --seed 12 --time-signature 3/4").unwrap();
    assert_eq!(written.iter().map(|clip| clip.take.seed).collect::<Vec<_>>(), [10, 11, 12]);
    assert!(written.iter().all(|clip| (0.0..=1.0).contains(&clip.score)));
    assert_eq!(written[2].path, studio.path("many-3.mid"));
    assert_eq!(fs::read(&written[2].path).unwrap(), fs::read(studio.path("single.mid")).unwrap());
    assert!((1..=3).all(|number| png_size(&studio.path(&format!("many-{number}.png"))).0 > 1000));
}

#[test]
fn a_clip_reads_back_as_it_was_composed() {
    let studio = Studio::new(TimeBase::Seconds);
    let knobs = "--bars 3 --tempo 90 --key Eb --scale dorian --polyphony 3 --lowest C3 --highest 84 --seed 2";
    let Written { path, take, .. } = studio.generate("clip.mid", knobs).unwrap().remove(0);
    let recording = midi::read_file(&path).unwrap();
    assert_eq!(recording.performance.notes.len(), take.performance.notes.len());
    assert!(!recording.performance.notes.is_empty());
    assert!(recording.performance.last_event() <= 3.0 * 4.0 * 60.0 / 90.0 + 1e-3);
    for (read, composed) in recording.performance.notes.iter().zip(&take.performance.notes) {
        assert_eq!((read.key, read.velocity), (composed.key, composed.velocity));
        assert!((recording.beat_map.to_quarters(read.onset) - composed.onset).abs() < 1e-3);
        assert!([3, 5, 6, 8, 10, 0, 1].contains(&read.key.pitch_class()));
        assert!((48..=84).contains(&read.key.midi()));
    }
}

#[test]
fn a_primer_is_continued() {
    let studio = Studio::new(TimeBase::Beats);
    let primer = studio.generate("primer.mid", "--bars 1").unwrap().remove(0).path;
    let plain = studio.generate("plain.mid", "--bars 2 --seed 1").unwrap().remove(0).take;
    let more = format!("--bars 2 --seed 1 --primer {}", primer.display());
    let continued = studio.generate("more.mid", &more).unwrap().remove(0).take;
    assert_ne!(continued.performance, plain.performance);
    assert_eq!(continued.quarters, 8.0);
}

#[test]
fn the_processor_composes_where_there_is_no_such_device_and_says_so() {
    let studio = Studio::new(TimeBase::Seconds);
    let expected = studio.generate("cpu.mid", "--bars 2").unwrap().remove(0).path;
    let no_driver = [("VK_ICD_FILENAMES", "/none"), ("VK_DRIVER_FILES", "/none")];
    let ways: [(&str, &[(&str, &str)]); 3] = [
        ("gpu:Voodoo", &[]),
        ("gpu:Voodoo", &no_driver),
        // Other systems have drivers that no variable takes away.
        (if cfg!(target_os = "linux") { "gpu" } else { "gpu:Voodoo" }, &no_driver),
    ];
    for (device, variables) in ways {
        let clip = studio.path("instead.mid");
        let mut command = Command::new(env!("CARGO_BIN_EXE_etude-trainer"));
        command.args(["generate", "--bars", "2", "--device", device]).envs(variables.iter().copied());
        command.arg("--model").arg(studio.path("novice.safetensors")).arg("--output").arg(&clip);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(said.contains(&format!("{device}: no ")), "{said}");
        assert!(
            said.contains("The processor composes instead") && said.contains("Composing on CPU"),
            "{said}"
        );
        assert_eq!(fs::read(&clip).unwrap(), fs::read(&expected).unwrap());
        fs::remove_file(clip).unwrap();
    }
}

#[test]
fn no_file_is_overwritten_by_what_is_made_from_it() {
    let studio = Studio::new(TimeBase::Seconds);
    studio.generate("primer.mid", "--bars 1").unwrap();
    studio.generate("primer-2.mid", "--bars 1").unwrap();
    let bytes = |name: &str| fs::read(studio.path(name)).unwrap();
    let before = ["primer.mid", "primer-2.mid", "novice.safetensors"].map(bytes);
    let named = |option: &str, name: &str| format!("--bars 1 {option} {}", studio.path(name).display());
    let primer = |name: &str| named("--primer", name);
    for (output, more, names) in [
        ("primer.mid", primer("primer.mid"), ["--output", "--primer"]),
        ("./primer.mid", primer("primer.mid"), ["--output", "--primer"]),
        ("primer.mid", format!("--count 3 {}", primer("primer-2.mid")), ["--output", "--primer"]),
        ("novice.safetensors", "--bars 1".to_owned(), ["--output", "--model"]),
        ("new.mid", named("--picture", "new.mid"), ["--output", "--picture"]),
        ("new.mid", named("--picture", "novice.safetensors"), ["--picture", "--model"]),
    ] {
        let error = studio.generate(output, &more).unwrap_err();
        assert!(matches!(error, GenerateError::SameFile { .. }), "{output} {more}: {error}");
        assert!(names.iter().all(|name| error.to_string().contains(name)), "{error}");
    }
    assert_eq!(["primer.mid", "primer-2.mid", "novice.safetensors"].map(bytes), before);
    assert!(!studio.path("new.mid").exists());
}

#[test]
fn a_folder_that_is_not_there_is_told_before_the_pianist_is_read() {
    let studio = Studio::new(TimeBase::Seconds);
    fs::write(studio.path("novice.safetensors"), "no pianist").unwrap();
    let unwritable = |output: &str, more: &str| {
        let error = studio.generate(output, more).unwrap_err();
        let text = error.to_string();
        matches!(error, GenerateError::Unwritable { .. })
            && text.contains("no folder")
            && !text.contains(".etude-")
    };
    assert!(unwritable("no/such/clip.mid", "--bars 1"));
    assert!(unwritable("clip.mid", &format!("--picture {}", studio.path("no/such/clip.png").display())));
}

#[test]
fn what_is_not_possible_is_refused_with_the_file_or_the_knob() {
    let studio = Studio::new(TimeBase::Seconds);
    let refusal = |more: &str| studio.generate("never.mid", more).unwrap_err().to_string();
    assert!(refusal("--tempo=-3").contains("-3"));
    assert!(refusal("--primer no/such.mid").contains("no/such.mid"));
    assert!(refusal("--lowest C5 --highest C4").contains("C5, is above the highest, C4"));
    assert!(refusal("--key C --lowest Eb4 --highest Eb4").contains("from Eb4 to Eb4"));
    assert!(refusal("--temperature -1").contains("-1"));
    fs::write(studio.path("odd.mid"), b"MThd").unwrap();
    assert!(refusal(&format!("--primer {}", studio.path("odd.mid").display())).contains("odd.mid"));
    assert!(
        studio.generate("no/such/folder.mid", "--bars 1").unwrap_err().to_string().contains("folder.mid")
    );
    assert!(!studio.path("never.mid").exists());

    let mut args = studio.args("never.mid", "");
    args.model = studio.path("odd.mid");
    assert!(generate(&args).unwrap_err().to_string().contains("odd.mid"));
    let parse = |more: &str| Cli::try_parse_from(format!("g --model m --output o {more}").split(' ')).err();
    for wrong in [
        "--scale major",
        "--key H",
        "--key C --scale mayor",
        "--lowest 5",
        "--count 0",
        "--pedal half",
        "--device tpu",
    ] {
        assert!(parse(wrong).is_some(), "{wrong}");
    }
}

#[cfg(unix)]
#[test]
fn a_clip_that_is_written_again_stays_where_its_link_leads_and_as_private_as_it_was() {
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    let studio = Studio::new(TimeBase::Beats);
    let (clip, link) = (studio.path("real.mid"), studio.path("latest.mid"));
    std::fs::write(&clip, "old").unwrap();
    set_permissions(&clip, Permissions::from_mode(0o600)).unwrap();
    symlink(&clip, &link).unwrap();
    studio.generate("latest.mid", "").unwrap();
    assert!(link.is_symlink());
    assert!(std::fs::read(&clip).unwrap().starts_with(b"MThd"));
    assert_eq!(metadata(&clip).unwrap().permissions().mode() & 0o777, 0o600);
    studio.generate("/dev/null", "--picture /dev/null").unwrap();
}
