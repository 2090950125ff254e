//! The graphics processors of this machine.

use wgpu::{Adapter, Backends, DeviceType, Instance, InstanceDescriptor, InstanceFlags};

use crate::engine::DeviceError;

/// The adapter that `wish` names by its place among [all](find) or by a part of its name; without a wish all, the best
/// first, and those in software only where there are no others.
pub(super) fn choose(wish: Option<&str>) -> Result<Vec<Adapter>, DeviceError> {
    let mut adapters = find();
    let Some(wish) = wish else {
        if adapters.iter().any(is_hardware) {
            adapters.retain(is_hardware);
        }
        return Ok(adapters);
    };
    let name = |adapter: &Adapter| adapter.get_info().name.to_lowercase();
    let place = wish.parse().ok().filter(|place| *place < adapters.len());
    place
        .or_else(|| adapters.iter().position(|adapter| name(adapter).contains(&wish.to_lowercase())))
        .map(|place| vec![adapters.swap_remove(place)])
        .ok_or_else(|| missing(&format!("gpu:{wish}"), &adapters))
}

/// The adapters that are not the processor in disguise, the likely fastest first.
pub(super) fn hardware() -> Vec<Adapter> {
    find().into_iter().filter(is_hardware).collect()
}

fn is_hardware(adapter: &Adapter) -> bool {
    adapter.get_info().device_type != DeviceType::Cpu
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

/// Why none of the adapters will do.
pub(super) fn missing(device: &str, adapters: &[Adapter]) -> DeviceError {
    let names: Vec<String> = adapters.iter().map(|adapter| adapter.get_info().name).collect();
    let reason = match names.is_empty() {
        true => "no driver for Vulkan, Metal or DirectX 12 found".to_owned(),
        false => format!("no such adapter; there is {}", names.join(", ")),
    };
    DeviceError { device: device.to_owned(), reason }
}
