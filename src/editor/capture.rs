//! Which keys the host gets while the window has the keyboard.

use egui::Ui;
use nice_plug_egui::{Key, KeyCapture};

use super::dial;

/// What is kept from the host. Its shortcuts go on working unless something is typed, and its space bar unless that would
/// press what has the focus here.
pub fn keys(ui: &Ui, helping: bool) -> KeyCapture {
    let typing = helping || ui.ctx().text_edit_focused();
    let shortcut = ui.input(|input| input.modifiers.command || input.modifiers.ctrl);
    let focused = ui.memory(|memory| memory.focused());
    let space_presses = focused.is_some() && focused != dial::turned_last(ui);
    match (typing, shortcut, space_presses) {
        (true, ..) => KeyCapture::CaptureAll,
        (_, true, _) => KeyCapture::IgnoreAll,
        (.., true) => KeyCapture::CaptureAll,
        _ => KeyCapture::IgnoreKeys(vec![Key::Character(" ".to_owned())]),
    }
}

#[cfg(test)]
mod tests {
    use egui::{Context, Event, Id, Modifiers, RawInput};

    use super::*;

    #[test]
    fn the_host_gets_its_space_bar_and_shortcuts_unless_they_are_for_the_window() {
        let captured = |focus: bool, helping: bool, modifiers: Modifiers| {
            let mut captured = KeyCapture::CaptureAll;
            let events = vec![Event::ModifiersChanged(modifiers)];
            let output = Context::default().run_ui(RawInput { events, ..RawInput::default() }, |ui| {
                if focus {
                    ui.memory_mut(|memory| memory.request_focus(Id::unique("button")));
                }
                captured = keys(ui, helping);
            });
            output.drop_without_applying_deltas();
            captured
        };
        let space = KeyCapture::IgnoreKeys(vec![Key::Character(" ".to_owned())]);
        assert_eq!(captured(false, false, Modifiers::NONE), space);
        assert_eq!(captured(true, false, Modifiers::NONE), KeyCapture::CaptureAll);
        assert_eq!(captured(true, false, Modifiers::COMMAND), KeyCapture::IgnoreAll);
        assert_eq!(captured(false, true, Modifiers::COMMAND), KeyCapture::CaptureAll);
    }
}
