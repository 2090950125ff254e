//! How the editor looks: colours, type and distances. Everything that is drawn takes them from here.

use std::sync::Arc;

use egui::{
    Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Shadow, Stroke,
    TextStyle, Theme, Visuals, vec2,
};
use etude_pianist::note::Velocity;

/// Behind everything.
pub const GROUND: Color32 = Color32::from_rgb(0x12, 0x14, 0x18);
/// Behind a group of things.
pub const PANEL: Color32 = Color32::from_rgb(0x1a, 0x1d, 0x23);
/// What can be pressed.
pub const RAISED: Color32 = Color32::from_rgb(0x27, 0x2b, 0x33);
/// What can be pressed and is pointed at.
pub const LIFTED: Color32 = Color32::from_rgb(0x33, 0x38, 0x42);
/// Between things.
pub const LINE: Color32 = Color32::from_rgb(0x2d, 0x32, 0x3b);
/// What is read first.
pub const TEXT: Color32 = Color32::from_rgb(0xed, 0xee, 0xf0);
/// What is read second.
pub const MUTED: Color32 = Color32::from_rgb(0xa3, 0xab, 0xb7);
/// What is there if one looks for it.
pub const FAINT: Color32 = Color32::from_rgb(0x78, 0x81, 0x8f);
/// What matters now: one warm light.
pub const ACCENT: Color32 = Color32::from_rgb(0xf2, 0xb5, 0x5c);
/// What went wrong.
pub const ERROR: Color32 = Color32::from_rgb(0xf0, 0x7f, 0x6e);
/// What went well.
pub const GOOD: Color32 = Color32::from_rgb(0x7f, 0xc8, 0x9e);

/// Distance between groups, and from the window's edge.
pub const GAP: f32 = 12.0;
/// Radius of a panel's corners.
pub const ROUND: CornerRadius = CornerRadius::same(8);
/// Radius of a button's corners.
pub const SOFT: CornerRadius = CornerRadius::same(5);

/// Loudness from softest to loudest.
const VELOCITIES: [(f32, Color32); 4] = [
    (0.15, Color32::from_rgb(0x4f, 0x74, 0xb3)),
    (0.45, Color32::from_rgb(0x63, 0xb4, 0xa6)),
    (0.65, Color32::from_rgb(0xee, 0xc2, 0x6b)),
    (0.9, Color32::from_rgb(0xf0, 0x76, 0x58)),
];

/// Plain type of a size.
pub fn plain(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

/// Strong type of a size.
pub fn strong(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("strong".into()))
}

/// The colour of a note struck so hard.
pub fn velocity(velocity: Velocity) -> Color32 {
    let loud = f32::from(velocity.midi()) / 127.0;
    let above = VELOCITIES.iter().position(|(at, _)| *at > loud).unwrap_or(VELOCITIES.len());
    let (from, below) = VELOCITIES[above.max(1) - 1];
    let (to, above) = VELOCITIES[above.min(VELOCITIES.len() - 1)];
    if to <= from { above } else { below.lerp_to_gamma(above, ((loud - from) / (to - from)).clamp(0.0, 1.0)) }
}

/// Dresses egui.
pub fn apply(context: &Context) {
    context.set_fonts(fonts());
    context.set_theme(Theme::Dark);
    context.all_styles_mut(|style| {
        style.text_styles = [
            (TextStyle::Heading, strong(17.0)),
            (TextStyle::Body, plain(13.0)),
            (TextStyle::Button, plain(13.0)),
            (TextStyle::Monospace, plain(13.0)),
            (TextStyle::Small, plain(11.0)),
        ]
        .into();
        style.visuals = visuals();
        style.spacing.item_spacing = vec2(8.0, 6.0);
        style.spacing.button_padding = vec2(12.0, 6.0);
        style.spacing.menu_margin = Margin::same(6);
        style.spacing.tooltip_width = 260.0;
        style.interaction.selectable_labels = false;
        style.interaction.tooltip_delay = 0.6;
        style.animation_time = 0.0;
    });
}

/// Inter, and what egui brings for letters that it lacks here.
fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let faces = [
        ("Inter", FontFamily::Proportional, &include_bytes!("fonts/Inter-Regular.otf")[..]),
        (
            "Inter SemiBold",
            FontFamily::Name("strong".into()),
            &include_bytes!("fonts/Inter-SemiBold.otf")[..],
        ),
    ];
    let fallback = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    for (name, family, face) in faces {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(face)));
        let names = std::iter::once(name.to_owned()).chain(fallback.iter().cloned()).collect();
        fonts.families.insert(family, names);
    }
    fonts
}

fn visuals() -> Visuals {
    let mut visuals = Visuals::dark();
    visuals.panel_fill = GROUND;
    visuals.window_fill = RAISED;
    visuals.window_stroke = Stroke::new(1.0, LIFTED);
    visuals.window_corner_radius = ROUND;
    visuals.menu_corner_radius = ROUND;
    visuals.popup_shadow =
        Shadow { offset: [0, 6], blur: 18, spread: 0, color: Color32::from_black_alpha(110) };
    visuals.extreme_bg_color = GROUND;
    visuals.faint_bg_color = PANEL;
    visuals.hyperlink_color = ACCENT;
    visuals.error_fg_color = ERROR;
    visuals.selection.bg_fill = ACCENT.gamma_multiply(0.35);
    visuals.selection.stroke = Stroke::new(1.0, TEXT);
    let widgets = &mut visuals.widgets;
    for (widget, fill, text) in [
        (&mut widgets.noninteractive, PANEL, TEXT),
        (&mut widgets.inactive, RAISED, TEXT),
        (&mut widgets.hovered, LIFTED, TEXT),
        (&mut widgets.active, LIFTED, ACCENT),
        (&mut widgets.open, LIFTED, TEXT),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::NONE;
        widget.fg_stroke = Stroke::new(1.0, text);
        widget.corner_radius = SOFT;
        widget.expansion = 0.0;
    }
    visuals.widgets.noninteractive.bg_stroke = Stroke::new(1.0, LINE);
    visuals
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as WCAG 2 defines it.
    fn luminance(colour: Color32) -> f64 {
        let linear = |channel: u8| {
            let channel = f64::from(channel) / 255.0;
            if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
    }

    fn contrast(text: Color32, ground: Color32) -> f64 {
        (luminance(text) + 0.05) / (luminance(ground) + 0.05)
    }

    #[test]
    fn text_can_be_read_on_whatever_is_behind_it() {
        for text in [TEXT, MUTED, ACCENT, ERROR, GOOD] {
            for ground in [GROUND, PANEL, RAISED] {
                assert!(contrast(text, ground) > 4.5, "{text:?} on {ground:?}: {}", contrast(text, ground));
            }
        }
        assert!(contrast(FAINT, PANEL) > 3.0);
    }

    #[test]
    fn every_loudness_has_a_colour_that_stands_out() {
        for midi in 1..=127 {
            assert!(contrast(velocity(Velocity::new(midi)), GROUND) > 3.0, "{midi}");
        }
    }
}
