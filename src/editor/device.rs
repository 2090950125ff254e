//! What computes: a line with a menu.

use egui::{Align2, Rect, Role, Ui, WidgetInfo, pos2};
use etude_pianist::engine::Device;

use crate::session::{Session, View};

use super::{button, icon, text, theme};

const TIP: &str = "What computes the music, from the next take on. The processor gives the same take from the same seed on \
                   every machine; a graphics processor may give another one. Auto tries which is faster.";

/// Draws the line.
pub fn show(ui: &mut Ui, at: Rect, view: &View, session: &Session) {
    let response = button::opener(ui, at, "device");
    let y = at.center().y;
    let title = ui.painter().text(
        pos2(at.left() + 14.0, y),
        Align2::LEFT_CENTER,
        "Composes on",
        theme::plain(11.0),
        theme::MUTED,
    );
    let left = title.right() + 8.0;
    let name = name(&view.wanted_device);
    text::elided(
        ui.painter(),
        pos2(left, y),
        &name,
        theme::plain(12.0),
        theme::TEXT,
        at.right() - 32.0 - left,
    );
    icon::arrow(ui.painter(), pos2(at.right() - 20.0, y), theme::MUTED);
    response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, format!("Composes on {name}")));
    if response.clicked() {
        session.find_adapters();
    }
    button::menu(&response, at.width() - 12.0).show(|ui| {
        for device in devices(view) {
            let chosen = device == view.wanted_device;
            if button::entry(ui, &self::name(&device), chosen, at.width() - 24.0).clicked() {
                session.choose_device(device);
                ui.close();
            }
        }
        let note = match &view.adapters {
            None => "Looking for graphics processors",
            Some(Err(error)) => &format!("No graphics processor: {}", error.reason),
            Some(Ok(adapters)) if adapters.is_empty() => {
                "There is no graphics processor with a driver for Vulkan, Metal or DirectX 12"
            }
            Some(Ok(_)) => return,
        };
        button::note(ui, note);
    });
    response.on_hover_text(TIP);
}

/// What there is to choose from; a graphics processor that the project wants stays, though it may not be there.
fn devices(view: &View) -> Vec<Device> {
    let mut devices = vec![Device::Cpu, Device::Auto];
    let adapters = view.adapters.iter().flatten().flatten();
    devices.extend(adapters.map(|adapter| Device::Gpu(Some(adapter.clone()))));
    if !devices.contains(&view.wanted_device) {
        devices.push(view.wanted_device.clone());
    }
    devices
}

fn name(device: &Device) -> String {
    match device {
        Device::Cpu => "Processor".to_owned(),
        Device::Auto => "Auto".to_owned(),
        Device::Gpu(None) => "Graphics processor".to_owned(),
        Device::Gpu(Some(adapter)) => adapter.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_gone_can_still_be_seen_and_left() {
        let gone = Device::Gpu(Some("Radeon".to_owned()));
        let view = View {
            wanted_device: gone.clone(),
            adapters: Some(Ok(vec!["GeForce".to_owned()])),
            ..View::default()
        };
        let here = Device::Gpu(Some("GeForce".to_owned()));
        assert_eq!(devices(&view), [Device::Cpu, Device::Auto, here, gone]);
    }
}
