//! The generator thread: from orders to takes, asleep or at work, born and gone in any order.

mod block;
#[path = "../crates/pianist/tests/common/mod.rs"]
mod common;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::random_pianist;
use etude::generator::{Generator, Kept, Order};
use etude::handover::{EditorEnd, PlayerEnd, Status, handover};
use etude::params::Mode;
use etude::pianists;
use etude::player::{Block, Player};
use etude::take::{Place, Take};
use etude_pianist::alphabet::Alphabet;
use etude_pianist::composer::{self, Composer, Request};
use etude_pianist::engine::Device;
use etude_pianist::midi::Action;
use etude_pianist::time::{TimeBase, TimeSignature};
use nice_assert_no_alloc::assert_no_alloc;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};
use tempfile::TempDir;

/// Far longer than anything here takes, even on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// A tiny pianist in a folder that is removed in the end.
fn pianist() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.safetensors");
    random_pianist(Alphabet::Notes, TimeBase::Beats, 0.1, 1).write_file(&path).unwrap();
    (folder, path)
}

fn order(pianist: &Path, seed: u64, mode: Mode) -> Order {
    let request = Request { seed, bars: 8, ..Request::default() };
    let device = Device::Cpu;
    Order { pianist: pianist.into(), device, place: Place { anchor: 0, mode }, request, keep: None, ideas: 1 }
}

/// What the pianist composes for an order, without any thread.
fn composed(order: &Order) -> composer::Take {
    let engine = pianists::engine(&order.pianist, &Device::Cpu).unwrap();
    Composer::new(engine, std::slice::from_ref(&order.request)).unwrap().finish().remove(0)
}

fn wait(editor: &EditorEnd, done: impl Fn(&Status) -> bool) -> Status {
    let start = Instant::now();
    loop {
        let status = editor.status();
        if done(&status) {
            return status;
        }
        assert!(start.elapsed() < LONG, "nothing comes of it: {status:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn wait_until_ready(editor: &EditorEnd) -> Arc<Take> {
    let status = wait(editor, |status| !status.composing);
    assert_eq!(status.error, None);
    status.take.expect("there is a take")
}

fn block(quarter: u32) -> Block {
    block::quarter(f64::from(quarter))
}

/// The order, with some bars of a take kept.
fn keeping(order: Order, take: &Arc<Take>, bars: Vec<Range<u32>>) -> Order {
    Order { keep: Some(Kept { take: take.clone(), bars }), ..order }
}

/// The onsets of a take before `end`, in quarter notes, with their keys.
fn onsets(take: &composer::Take, end: f64) -> Vec<(f64, u8)> {
    let notes = take.performance.notes.iter().filter(|note| note.onset < end);
    notes.map(|note| (note.onset, note.key.midi())).collect()
}

#[test]
fn an_order_becomes_the_take_that_its_pianist_composes() {
    let (_folder, pianist) = pianist();
    let (generator, mut player) = Generator::start().unwrap();
    player.wait_at_most(Duration::MAX);
    assert!(player.take(&block(0)).is_none(), "without an order nobody waits");
    let order = order(&pianist, 3, Mode::Loop);
    generator.editor().order(order.clone());
    let take = wait_until_ready(&generator.editor());
    assert_eq!(take.music(), &composed(&order));
    assert_eq!(player.take(&block(0)).map(Take::id), Some(take.id()));
}

#[test]
fn a_pianist_stays_ready_for_the_next_order_and_for_other_instances() {
    let (_folder, pianist) = pianist();
    let (generator, _player) = Generator::start().unwrap();
    generator.editor().order(order(&pianist, 3, Mode::Loop));
    wait_until_ready(&generator.editor());
    let in_use =
        || Arc::strong_count(&pianists::engine(&pianist.as_path().into(), &Device::Cpu).unwrap()) > 1;
    assert!(in_use());
    drop(generator);
    assert!(!in_use());
}

#[test]
fn the_last_of_many_orders_is_met() {
    let (_folder, pianist) = pianist();
    let (generator, _player) = Generator::start().unwrap();
    for seed in 0..50 {
        generator.editor().order(order(&pianist, seed, Mode::Loop));
    }
    assert_eq!(wait_until_ready(&generator.editor()).music().seed, 49);
}

#[test]
fn an_offline_bounce_waits_for_every_note_up_to_the_bar_line() {
    let (_folder, pianist) = pianist();
    let (generator, mut player) = Generator::start().unwrap();
    player.wait_at_most(Duration::MAX);
    generator.editor().order(order(&pianist, 4, Mode::Endless));
    for quarter in 0..200 {
        let take = player.take(&block(quarter)).expect("it waits for the first one");
        assert!(
            // Where another take would follow.
            take.is_decided(i64::from((quarter / 4 + 1) * 4) * 960),
            "quarter {quarter} is played before its bar is composed"
        );
    }
}

#[test]
fn a_bounce_that_may_be_live_play_waits_only_so_long_all_in_all() {
    let (_folder, pianist) = pianist();
    let (editor, _idle_generator, mut player) = handover();
    editor.order(order(&pianist, 4, Mode::Loop));
    player.wait_at_most(Duration::from_millis(100));
    let start = Instant::now();
    for quarter in 0..1_000 {
        assert!(player.take(&block(quarter)).is_none());
    }
    assert!(start.elapsed() < LONG, "it waits {:?}", start.elapsed());
}

#[test]
fn an_endless_take_grows_ahead_of_the_playhead_and_what_was_composed_stays() {
    let (_folder, pianist) = pianist();
    let (generator, mut player) = Generator::start().unwrap();
    generator.editor().order(order(&pianist, 5, Mode::Endless));
    let decided = |status: &Status| status.take.as_ref().map_or(0.0, |take| take.decided());
    let first = wait(&generator.editor(), |status| decided(status) > 28.0).take.unwrap();
    for quarter in (0..100).chain(20..30).chain(90..110) {
        player.take(&block(quarter));
        let ahead = wait(&generator.editor(), |status| decided(status) > f64::from(quarter) + 16.0);
        let take = ahead.take.unwrap();
        assert_eq!(onsets(take.music(), first.decided()), onsets(first.music(), first.decided()));
        assert!(take.decided() < f64::from(quarter.max(110)) + 80.0, "it is not composed for nobody");
    }
}

#[test]
fn what_is_kept_of_a_take_is_continued() {
    let (_folder, pianist) = pianist();
    let (generator, _player) = Generator::start().unwrap();
    let editor = generator.editor();
    editor.order(order(&pianist, 6, Mode::Loop));
    let first = wait_until_ready(&editor);
    let mut next = order(&pianist, 7, Mode::Loop);
    next.request.bars = 12;
    editor.order(keeping(next, &first, std::iter::once(0..3).collect()));
    let take = wait_until_ready(&editor);
    assert_eq!(take.music().quarters, 48.0);
    assert_eq!(onsets(take.music(), 12.0), onsets(first.music(), 12.0));
    let new = onsets(take.music(), 48.0).len() - onsets(take.music(), 12.0).len();
    assert!(new > 0 && onsets(take.music(), 32.0) != onsets(first.music(), 32.0));
    assert!(take.music().performance.notes.is_sorted_by_key(|note| (note.onset, note.key)));
}

#[test]
fn an_order_that_cannot_be_met_gives_a_message_and_keeps_the_take() {
    let (folder, pianist) = pianist();
    let (generator, mut player) = Generator::start().unwrap();
    player.wait_at_most(Duration::MAX);
    let editor = generator.editor();
    editor.order(order(&pianist, 8, Mode::Loop));
    let take = wait_until_ready(&editor);

    let bad = folder.path().join("bad.safetensors");
    std::fs::write(&bad, b"not a pianist").unwrap();
    let mut too_long = order(&pianist, 9, Mode::Loop);
    too_long.request.bars = u32::MAX;
    for (impossible, hint) in [(order(&bad, 9, Mode::Loop), "bad.safetensors"), (too_long, "bars")] {
        editor.order(impossible);
        let status = wait(&editor, |status| !status.composing);
        let message = status.error.expect("it says what is wrong");
        assert!(message.contains(hint), "{message}");
        assert_eq!(status.take.map(|take| take.id()), Some(take.id()));
        assert_eq!(player.take(&block(0)).map(Take::id), Some(take.id()));
    }
    editor.order(order(&pianist, 10, Mode::Loop));
    assert_eq!(wait_until_ready(&editor).music().seed, 10);
}

#[test]
fn a_generator_at_work_is_gone_within_50_milliseconds() {
    let (_folder, pianist) = pianist();
    let gone_after = || {
        let (generator, _player) = Generator::start().unwrap();
        let mut long = order(&pianist, 11, Mode::Loop);
        long.request.bars = 20_000;
        generator.editor().order(long);
        wait(&generator.editor(), |status| status.take.is_some());
        let start = Instant::now();
        drop(generator);
        start.elapsed()
    };
    // The machine may be busy: some of several times will do.
    let fastest = (0..10).map(|_| gone_after()).min().unwrap();
    assert!(fastest < Duration::from_millis(50), "{fastest:?}");
}

#[test]
fn generators_come_and_go_in_any_order_in_any_state() {
    let (_folder, pianist) = pianist();
    let mut random = Pcg64Mcg::seed_from_u64(12);
    let mut alive: Vec<(Option<Generator>, Option<PlayerEnd>)> = Vec::new();
    for i in 0..200 {
        if alive.len() < 16 && random.next_u32() % 5 < 3 {
            let (generator, mut player) = Generator::start().unwrap();
            player.wait_at_most(Duration::MAX);
            alive.push((Some(generator), Some(player)));
        } else if !alive.is_empty() {
            let at = random.next_u32() as usize % alive.len();
            let (generator, player) = &mut alive[at];
            match random.next_u32() % 4 {
                0 => drop(generator.take()),
                1 => drop(player.take()),
                2 => drop(alive.swap_remove(at)),
                _ => {
                    let mode = if i % 2 == 0 { Mode::Loop } else { Mode::Endless };
                    generator.iter().for_each(|generator| {
                        generator.editor().order(order(&pianist, i, mode));
                    });
                    player.iter_mut().for_each(|player| {
                        player.take(&block(0));
                    });
                }
            }
        }
    }
}

#[test]
fn orders_after_the_end_are_ignored() {
    let (_folder, pianist) = pianist();
    let (generator, mut player) = Generator::start().unwrap();
    player.wait_at_most(Duration::MAX);
    let editor = generator.editor();
    drop(generator);
    editor.order(order(&pianist, 13, Mode::Loop));
    assert!(!editor.status().composing);
    assert!(player.take(&block(0)).is_none(), "nobody waits for a generator that is gone");
}

#[test]
fn all_instances_share_the_weights_and_the_last_one_frees_them() {
    let (_folder, pianist) = pianist();
    let one = pianists::engine(&pianist.as_path().into(), &Device::Cpu).unwrap();
    let other = pianists::engine(&pianist.as_path().into(), &Device::Cpu).unwrap();
    assert!(Arc::ptr_eq(&one, &other));
    let watch = Arc::downgrade(&one);
    drop((one, other));
    assert!(watch.upgrade().is_none());
}

#[test]
fn taking_a_take_never_allocates_or_frees() {
    let (_folder, pianist) = pianist();
    let (generator, mut player) = Generator::start().unwrap();
    for seed in 0..20 {
        generator.editor().order(order(&pianist, seed, Mode::Loop));
        wait_until_ready(&generator.editor());
        assert_no_alloc(|| {
            (0..10).for_each(|quarter| {
                player.take(&block(quarter));
            });
        });
    }
}

/// Plays quarter notes from `from` up to `to`; the onsets of what is struck, and the keys.
fn struck(player: &mut Player, end: &mut PlayerEnd, quarters: Range<u32>) -> Vec<(u32, u8)> {
    let mut struck = Vec::new();
    for quarter in quarters {
        let block = block(quarter);
        player.process(&block, end.take(&block), |event| {
            if let Action::Strike(key, _) = event.action {
                struck.push((quarter * block.samples + event.sample, key.midi()));
            }
            true
        });
    }
    struck
}

#[test]
fn takes_that_follow_one_another_within_a_bar_leave_the_bar_as_it_sounds() {
    let (_folder, pianist) = pianist();
    let from = |seed| {
        let (generator, mut end) = Generator::start().unwrap();
        generator.editor().order(order(&pianist, seed, Mode::Loop));
        wait_until_ready(&generator.editor());
        struck(&mut Player::default(), &mut end, 0..64)
    };
    let (first, last) = (from(14), from(16));

    let (generator, mut end) = Generator::start().unwrap();
    let editor = generator.editor();
    editor.order(order(&pianist, 14, Mode::Loop));
    wait_until_ready(&editor);
    let mut player = Player::default();
    // Into the last bar.
    let mut heard = struck(&mut player, &mut end, 0..30);
    for seed in [15, 16] {
        editor.order(order(&pianist, seed, Mode::Loop));
        assert_eq!(wait_until_ready(&editor).music().seed, seed);
    }
    heard.extend(struck(&mut player, &mut end, 30..64));
    let line = 32 * block(0).samples;
    let is_before = |strike: &&(u32, u8)| strike.0 < line;
    let before = first.iter().filter(is_before);
    let wanted: Vec<_> = before.chain(last.iter().filter(|strike| !is_before(strike))).copied().collect();
    assert_eq!(heard, wanted);
}

#[test]
fn an_endless_take_of_very_long_bars_is_there_in_time() {
    let (_folder, pianist) = pianist();
    let (generator, mut player) = Generator::start().unwrap();
    player.wait_at_most(Duration::MAX);
    let mut long_bars = order(&pianist, 17, Mode::Endless);
    long_bars.request.time_signature = TimeSignature::new(33, 4).unwrap();
    generator.editor().order(long_bars);
    for quarter in 0..100 {
        assert!(player.take(&block(quarter)).is_some());
    }
    let played = 100.0;
    wait(&generator.editor(), |status| {
        status.take.as_ref().is_some_and(|take| take.decided() > played + 8.0)
    });
}

#[test]
fn ideas_for_an_endless_take_are_one() {
    let (_folder, pianist) = pianist();
    let (generator, mut player) = Generator::start().unwrap();
    player.wait_at_most(Duration::MAX);
    generator.editor().order(Order { ideas: 4, ..order(&pianist, 18, Mode::Endless) });
    for quarter in 0..50 {
        assert!(player.take(&block(quarter)).is_some(), "a bounce would wait for ever");
    }
}

#[test]
fn what_is_composed_between_kept_bars_rings_on_into_the_next_one() {
    let (_folder, pianist) = pianist();
    let (generator, _player) = Generator::start().unwrap();
    let editor = generator.editor();
    editor.order(order(&pianist, 19, Mode::Loop));
    let first = wait_until_ready(&editor);
    let rings = |seed| {
        editor.order(keeping(order(&pianist, seed, Mode::Loop), &first, vec![0..1, 2..8]));
        let take = wait_until_ready(&editor);
        let after = |take: &composer::Take| onsets(take, 32.0).split_off(onsets(take, 8.0).len());
        assert_eq!(after(take.music()), after(first.music()), "nothing is added to what is kept");
        take.music()
            .performance
            .notes
            .iter()
            .any(|note| note.onset < 8.0 && note.onset >= 4.0 && note.end() > 8.0)
    };
    assert!((20..40).any(rings), "no note of twenty bars wants to sound longer than its bar");
}

#[test]
fn the_last_notes_of_a_take_end_with_it_and_ring_on_where_it_is_continued() {
    let (_folder, pianist) = pianist();
    let (generator, _player) = Generator::start().unwrap();
    let editor = generator.editor();
    let rings = |seed| {
        editor.order(order(&pianist, seed, Mode::Loop));
        let first = wait_until_ready(&editor);
        assert!(first.played().notes.iter().all(|note| note.end() <= 32.0));
        let mut longer = order(&pianist, seed, Mode::Loop);
        longer.request.bars = 12;
        editor.order(keeping(longer, &first, std::iter::once(0..8).collect()));
        let longer = wait_until_ready(&editor);
        assert_eq!(onsets(longer.music(), 32.0), onsets(first.music(), 32.0));
        assert!(longer.played().notes.iter().all(|note| note.end() <= 48.0));
        longer.played().notes.iter().any(|note| note.onset < 32.0 && note.end() > 32.0)
    };
    assert!((20..40).any(rings), "no note of twenty takes wants to sound longer than its take");
}

#[test]
fn an_endless_take_that_was_composed_far_beyond_the_playhead_comes_back_at_once() {
    let (_folder, pianist) = pianist();
    let (generator, mut player) = Generator::start().unwrap();
    let editor = generator.editor();
    let mut long = order(&pianist, 20, Mode::Loop);
    long.request.bars = 40;
    editor.order(long);
    let first = wait_until_ready(&editor);
    let all = std::iter::once(0..40).collect();
    let number = editor.order(keeping(order(&pianist, 20, Mode::Endless), &first, all));
    let status = wait(&editor, |status| status.order == number);
    assert_eq!(onsets(status.take.unwrap().music(), 160.0), onsets(first.music(), 160.0));
    player.wait_at_most(Duration::MAX);
    assert!(player.take(&block(0)).is_some(), "a bounce from the start would wait for ever");
}
