//! What pages look like: style sheet, script and logo under names that change with their content.

pub(crate) mod accent;

use aws_lc_rs::digest;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use octroi_config::settings::{Brand, Logo, LogoFormat};

use self::accent::{Accents, Colour};

/// A brand's files and name.
pub(crate) struct Look {
    name: String,
    stylesheet: Asset,
    script: Asset,
    icon: Asset,
    logo_dark: Option<Asset>,
}

/// One file that pages are made of. It never changes under its name, so browsers may keep it.
#[derive(Clone)]
pub(crate) struct Asset {
    /// Where it is served.
    pub(crate) path: String,
    /// What it is.
    pub(crate) content_type: &'static str,
    /// Its content.
    pub(crate) bytes: Bytes,
}

impl Look {
    /// The look of a brand.
    pub(crate) fn of(brand: &Brand) -> Self {
        let icon = brand.logo.as_ref().map_or_else(
            || Asset::new("icon", "svg", Bytes::from_static(ICON)),
            |logo| logo_asset("logo", logo),
        );
        Self {
            name: brand.name.clone(),
            stylesheet: stylesheet(brand),
            script: Asset::new("portal", "js", Bytes::from_static(SCRIPT)),
            icon,
            logo_dark: brand
                .logo_dark
                .as_ref()
                .map(|logo| logo_asset("logo-dark", logo)),
        }
    }

    /// The name in titles and headers.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where the style sheet is.
    pub(crate) fn stylesheet(&self) -> &str {
        &self.stylesheet.path
    }

    /// Where the script is.
    pub(crate) fn script(&self) -> &str {
        &self.script.path
    }

    /// Where the logo is; it is the page's icon, too.
    pub(crate) fn icon(&self) -> &str {
        &self.icon.path
    }

    /// Where the logo for dark pages is, if it is another one.
    pub(crate) fn logo_dark(&self) -> Option<&str> {
        self.logo_dark.as_ref().map(|asset| asset.path.as_str())
    }

    /// Every file.
    pub(crate) fn assets(&self) -> impl Iterator<Item = &Asset> {
        [&self.stylesheet, &self.script, &self.icon]
            .into_iter()
            .chain(&self.logo_dark)
    }

    /// The file that is served at `path`.
    pub(crate) fn asset(&self, path: &str) -> Option<&Asset> {
        self.assets().find(|asset| asset.path == path)
    }
}

impl Asset {
    /// A file named after its kind and its content.
    fn new(kind: &str, extension: &str, bytes: Bytes) -> Self {
        let hash = HEXLOWER.encode(digest::digest(&digest::SHA256, &bytes).as_ref());
        let hash = hash.get(..HASH_DIGITS).unwrap_or(&hash);
        Self {
            path: format!("{ASSETS}{kind}.{hash}.{extension}"),
            content_type: match extension {
                "css" => "text/css; charset=utf-8",
                "js" => "text/javascript; charset=utf-8",
                "png" => "image/png",
                _ => "image/svg+xml",
            },
            bytes,
        }
    }
}

/// The sheet, with the brand's accent at its end where there is one: still one request.
fn stylesheet(brand: &Brand) -> Asset {
    let Some(wanted) = brand.accent else {
        return Asset::new("portal", "css", Bytes::from_static(STYLESHEET.as_bytes()));
    };
    let Accents { light, dark } =
        Accents::derive(Colour::new(wanted.red, wanted.green, wanted.blue));
    let sheet = format!(
        "{STYLESHEET}\n:root {{\n  --accent: {light};\n}}\n\n@media (prefers-color-scheme: dark) {{\n  :root {{\n    --accent: {dark};\n  }}\n}}\n"
    );
    Asset::new("brand", "css", sheet.into())
}

fn logo_asset(kind: &str, logo: &Logo) -> Asset {
    let extension = match logo.format {
        LogoFormat::Png => "png",
        LogoFormat::Svg => "svg",
    };
    Asset::new(kind, extension, Bytes::copy_from_slice(&logo.bytes))
}

/// Under which all files are served, on every host: pages of refusal stand on application hosts.
pub(crate) const ASSETS: &str = "/.octroi/assets/";
/// Enough of a SHA-256 that two contents of ours never share a name.
const HASH_DIGITS: usize = 16;

const STYLESHEET: &str = include_str!("../../assets/portal.css");
const SCRIPT: &[u8] = include_bytes!("../../assets/portal.js");
const ICON: &[u8] = include_bytes!("../../assets/icon.svg");

#[cfg(test)]
mod tests;
