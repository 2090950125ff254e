//! What computes is chosen, and said.

use std::sync::Arc;

use etude::params::EtudeParams;
use etude::pianists;
use etude::session::View;
use etude_pianist::alphabet::Alphabet;
use etude_pianist::engine::{CpuEngine, Device, Engine, Fastest, Precision};
use etude_pianist::time::TimeBase;

use crate::common::random_pianist;
use crate::instance::{Instance, turn};
use crate::slow::slow;

#[test]
fn auto_composes_one_take_and_many_ideas_where_each_is_fastest_and_says_where_and_how_fast() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.safetensors");
    let tiny = random_pianist(Alphabet::Notes, TimeBase::Beats, 0.1, 1);
    tiny.write_file(&path).unwrap();
    let device = |name| Arc::new(slow(CpuEngine::new(tiny.clone(), Precision::Int8), name).0);
    let fastest: Arc<dyn Engine> = Arc::new(Fastest::new(device("CPU"), device("GPU")));
    pianists::share(&path.as_path().into(), &Device::Auto, &fastest);

    let params = Arc::new(EtudeParams::default());
    // The tiny pianist strikes few keys in a bar, and a pace shows after some steps.
    turn(&params.bars, 64);
    let instance = Instance::with(params);
    instance.takes(1);
    let session = &instance.params.session;
    session.choose_device(Device::Auto);
    session.choose_pianist(path.with_extension("").to_str().unwrap());
    let assert_composed_on = |device: &str, view: &View| {
        assert_eq!((view.device.as_str(), &view.warning), (device, &None));
        assert!(view.steps_per_second > 0.0);
    };
    assert_composed_on("CPU", &instance.takes(2));
    session.ideas(16);
    assert_composed_on("GPU", &instance.takes(18));
    session.generate();
    assert_composed_on("CPU", &instance.takes(19));
}
