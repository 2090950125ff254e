//! Several instances, born, playing and dying in any order.

use std::env;
use std::fs;
use std::process::Command;
use std::thread;

use etude_rehearsal::bundle::Format;
use etude_rehearsal::music::compare;
use etude_rehearsal::plugin::Plugin;
use etude_rehearsal::script::{Script, Stretch};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::common::{listen, open, perform, restored, saved};

fn song() -> Script {
    Script::new(48_000.0, [Stretch::roll(6 * 48_000, 120.0, 0.0)])
}

#[test]
fn sixteen_instances_play_and_die_in_any_order() {
    for format in Format::ALL {
        let chance = &mut Pcg64::seed_from_u64(3);
        let mut plugins: Vec<Box<dyn Plugin>> = (0..16).map(|_| restored(format)).collect();
        plugins.shuffle(chance);
        while let Some(mut last) = plugins.pop() {
            let heard = perform(&mut *last, &song(), &[480]);
            compare(&saved(format).music.expected(&song()), &heard).unwrap();
            drop(last);
            if chance.random_bool(0.3) {
                plugins.insert(0, restored(format));
                let first = plugins.remove(chance.random_range(0..plugins.len()));
                drop(first);
            }
        }
    }
}

#[test]
fn instances_die_while_they_compose() {
    for format in Format::ALL {
        for _ in 0..8 {
            let mut plugins = [(); 3].map(|()| open(format));
            for plugin in &mut plugins {
                perform(&mut **plugin, &Script::new(48_000.0, [Stretch::roll(4_800, 120.0, 0.0)]), &[480]);
            }
        }
    }
}

#[test]
fn instances_play_beside_each_other_in_threads_of_their_own() {
    for format in Format::ALL {
        let expected = saved(format).music.expected(&song());
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    for _ in 0..3 {
                        let heard = perform(&mut *restored(format), &song(), &[64]);
                        compare(&expected, &heard).unwrap();
                    }
                });
            }
        });
    }
}

/// Run by the test after it, in a process of its own.
#[test]
#[ignore = "looks at all that its process has loaded"]
fn instances_that_compose_on_the_processor_have_loaded_no_graphics_driver() {
    for format in Format::ALL {
        listen(&mut *open(format));
    }
    let loaded = fs::read_to_string("/proc/self/maps").unwrap();
    assert!(loaded.contains("/Etude.clap") && loaded.contains("/Etude.vst3/"), "{loaded}");
    assert!(!loaded.contains("vulkan"), "{loaded}");
}

#[test]
#[cfg(target_os = "linux")]
fn neither_scanning_nor_composing_loads_a_graphics_driver_that_nobody_asked_for() {
    let alone = "instances::instances_that_compose_on_the_processor_have_loaded_no_graphics_driver";
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command.args(["--exact", "--ignored", alone]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}
