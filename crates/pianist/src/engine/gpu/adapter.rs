//! The graphics processors of this machine.

use wgpu::{Adapter, Backends, DeviceType, Instance, InstanceDescriptor, InstanceFlags};

use crate::engine::DeviceError;

/// The adapter that `wish` names by its place among [all](find) or by a part of its name, or the best.
pub(super) fn choose(wish: Option<&str>) -> Result<Adapter, DeviceError> {
    let mut adapters = find();
    let name = |adapter: &Adapter| adapter.get_info().name.to_lowercase();
    let place = match wish {
        None => (!adapters.is_empty()).then_some(0),
        Some(wish) => wish
            .parse()
            .ok()
            .filter(|place| *place < adapters.len())
            .or_else(|| adapters.iter().position(|adapter| name(adapter).contains(&wish.to_lowercase()))),
    };
    place.map(|place| adapters.swap_remove(place)).ok_or_else(|| DeviceError {
        device: wish.map_or_else(|| "gpu".to_owned(), |wish| format!("gpu:{wish}")),
        reason: missing(&adapters),
    })
}

/// The adapters that are not the processor in disguise, the likely fastest first.
pub(super) fn hardware() -> impl Iterator<Item = Adapter> {
    find().into_iter().filter(|adapter| adapter.get_info().device_type != DeviceType::Cpu)
}

/// Every adapter, the likely fastest first. This loads their drivers.
pub(super) fn find() -> Vec<Adapter> {
    let instance = Instance::new(InstanceDescriptor {
        backends: Backends::PRIMARY,
        flags: InstanceFlags::empty(),
        ..InstanceDescriptor::new_without_display_handle()
    });
    let mut adapters = pollster::block_on(instance.enumerate_adapters(Backends::PRIMARY));
    adapters.sort_by_key(|adapter| match adapter.get_info().device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    });
    adapters
}

fn missing(adapters: &[Adapter]) -> String {
    if adapters.is_empty() {
        return "no driver for Vulkan, Metal or DirectX 12 found".to_owned();
    }
    let names: Vec<String> = adapters.iter().map(|adapter| adapter.get_info().name).collect();
    format!("no such adapter; there is {}", names.join(", "))
}
