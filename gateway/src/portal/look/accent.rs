//! A brand's accent colour made readable: hue kept, lightness moved until the contrast is enough.
//!
//! Any colour is accepted. The arithmetic is Oklab's (Björn Ottosson, 2020), as CSS Color 4,
//! section 8.4, has it; contrast is that of WCAG 2.2, "relative luminance" and "contrast ratio".

use std::fmt;

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Colour {
    /// Red, green, blue.
    pub(crate) channels: [u8; 3],
}

/// The accent that a brand asked for, as it is used on light and on dark pages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Accents {
    /// On light pages; white text on it is readable.
    pub(crate) light: Colour,
    /// On dark pages; text in the dark ground's colour is readable on it.
    pub(crate) dark: Colour,
}

impl Accents {
    /// The accents that follow from `wanted`: the colour itself where it can be read, else darker
    /// on light pages and lighter on dark ones.
    pub(crate) fn derive(wanted: Colour) -> Self {
        Self {
            light: readable_on(wanted, &LIGHT_GROUNDS, -LIGHTNESS_STEP),
            dark: readable_on(wanted, &DARK_GROUNDS, LIGHTNESS_STEP),
        }
    }
}

impl Colour {
    /// A colour of three channels.
    pub(crate) const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self {
            channels: [red, green, blue],
        }
    }

    /// Relative luminance, 0 to 1.
    pub(crate) fn luminance(self) -> f64 {
        let [red, green, blue] = self.channels.map(to_linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast ratio with `other`, 1 to 21.
    pub(crate) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.channels;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

fn readable_on(wanted: Colour, grounds: &[Colour], step: f64) -> Colour {
    let is_readable = |colour: Colour| {
        grounds
            .iter()
            .all(|ground| colour.contrast(*ground) >= CONTRAST_MIN)
    };
    let tone = Tone::of(wanted);
    let mut colour = wanted;
    let mut lightness = tone.lightness;
    while !is_readable(colour) && (0.0..=1.0).contains(&lightness) {
        lightness += step;
        colour = tone.at(lightness);
    }
    colour
}

/// A colour by lightness, chroma and hue.
struct Tone {
    lightness: f64,
    chroma: f64,
    hue: f64,
}

#[expect(
    clippy::many_single_char_names,
    reason = "the letters are those of the definition: cone responses and opponent axes"
)]
impl Tone {
    fn of(colour: Colour) -> Self {
        let [red, green, blue] = colour.channels.map(to_linear);
        let l = (0.412_221_470_8 * red + 0.536_332_536_3 * green + 0.051_445_992_9 * blue).cbrt();
        let m = (0.211_903_498_2 * red + 0.680_699_545_1 * green + 0.107_396_956_6 * blue).cbrt();
        let s = (0.088_302_461_9 * red + 0.281_718_837_6 * green + 0.629_978_700_5 * blue).cbrt();
        let a = 1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s;
        let b = 0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s;
        Self {
            lightness: 0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
            chroma: a.hypot(b),
            hue: b.atan2(a),
        }
    }

    /// The same hue at another lightness, with as much of the chroma as sRGB can show.
    fn at(&self, lightness: f64) -> Colour {
        let can_show = |chroma: f64| is_in_srgb(self.linear(lightness, chroma));
        let (mut shown, mut out_of_reach) = (0.0, self.chroma);
        if can_show(self.chroma) {
            shown = self.chroma;
        }
        for _ in 0..CHROMA_HALVINGS {
            let middle = f64::midpoint(shown, out_of_reach);
            if can_show(middle) {
                shown = middle;
            } else {
                out_of_reach = middle;
            }
        }
        Colour {
            channels: self.linear(lightness, shown).map(to_channel),
        }
    }

    /// Linear red, green, blue; outside 0 to 1 where sRGB cannot show the colour.
    fn linear(&self, lightness: f64, chroma: f64) -> [f64; 3] {
        let (a, b) = (chroma * self.hue.cos(), chroma * self.hue.sin());
        let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
        let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
        let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
        [
            4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
            -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
            -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
        ]
    }
}

fn is_in_srgb(linear: [f64; 3]) -> bool {
    linear
        .iter()
        .all(|channel| (-1e-6..=1.0 + 1e-6).contains(channel))
}

fn to_linear(channel: u8) -> f64 {
    let value = f64::from(channel) / 255.0;
    if value <= 0.040_45 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

/// The nearest channel to a linear value.
fn to_channel(linear: f64) -> u8 {
    let linear = linear.clamp(0.0, 1.0);
    let encoded = if linear <= 0.003_130_8 {
        12.92 * linear
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    };
    let nearest = (encoded * 255.0).round();
    (0..=u8::MAX)
        .find(|channel| f64::from(*channel) >= nearest)
        .unwrap_or(u8::MAX)
}

/// The least contrast of text (WCAG 2.2, 1.4.3).
const CONTRAST_MIN: f64 = 4.5;
/// How far lightness moves at a time, of 1.
const LIGHTNESS_STEP: f64 = 0.005;
/// Halvings of the chroma: the last is far below what a channel can tell.
const CHROMA_HALVINGS: u8 = 24;
/// `--card` and `--ground` of light pages.
const LIGHT_GROUNDS: [Colour; 2] = [Colour::new(0xff, 0xff, 0xff), Colour::new(0xf4, 0xf6, 0xf8)];
/// `--card` and `--ground` of dark pages.
const DARK_GROUNDS: [Colour; 2] = [Colour::new(0x1b, 0x22, 0x2b), Colour::new(0x12, 0x17, 0x1d)];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_accent_that_can_be_read_stays_and_any_other_keeps_its_hue() {
        let derived = |red, green, blue| {
            let accents = Accents::derive(Colour::new(red, green, blue));
            (accents.light.to_string(), accents.dark.to_string())
        };
        let pair = |light: &str, dark: &str| (light.to_owned(), dark.to_owned());
        assert_eq!(derived(0x1f, 0x4f, 0xa3), pair("#1f4fa3", "#5487e0"));
        assert_eq!(derived(0xff, 0xd6, 0x00), pair("#856e00", "#ffd600"));
        assert_eq!(derived(0x00, 0xd1, 0xb2), pair("#007f6c", "#00d1b2"));
    }

    #[test]
    fn black_and_white_have_the_contrast_that_the_standard_says() {
        let ratio = Colour::new(0, 0, 0).contrast(Colour::new(255, 255, 255));
        assert!((ratio - 21.0).abs() < 1e-9, "{ratio}");
    }

    proptest! {
        #[test]
        fn every_accent_becomes_readable(red: u8, green: u8, blue: u8) {
            let accents = Accents::derive(Colour::new(red, green, blue));
            for ground in LIGHT_GROUNDS {
                prop_assert!(accents.light.contrast(ground) >= CONTRAST_MIN);
            }
            for ground in DARK_GROUNDS {
                prop_assert!(accents.dark.contrast(ground) >= CONTRAST_MIN);
            }
        }
    }
}
