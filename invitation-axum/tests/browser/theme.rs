//! Themes: an accent of the host alone is readable, in light and in dark.

use invitation_testkit::Look;

use crate::scene::Scene;

/// Accents of every lightness, and of every colour that is far from the default.
const ACCENTS: [&str; 10] = [
    "#000000", "#14144b", "#0b7a4b", "#c8102e", "#767676", "#ff2d9b", "#00b3ff", "#5fd3a0",
    "#ffd500", "#ffffff",
];

/// Returns the pairs of a text and its background whose contrast is below 4.5. The canvas
/// turns a colour of any notation into red, green and blue.
const UNREADABLE: &str = "
    const probe = document.querySelector('.inv').appendChild(document.createElement('p'));
    const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const luminance = (name) => {
        probe.style.color = `var(--inv-${name})`;
        pen.fillStyle = getComputedStyle(probe).color;
        pen.fillRect(0, 0, 1, 1);
        const linear = [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((byte) => byte / 255)
            .map((part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
        return .2126 * linear[0] + .7152 * linear[1] + .0722 * linear[2];
    };
    const contrast = (one, other) => {
        const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
        return (high + .05) / (low + .05);
    };
    const found = [
        ['on-accent', 'accent'], ['on-accent', 'accent-hover'],
        ...['ground', 'surface', 'raised', 'accent-soft'].map((name) => ['accent-text', name]),
        ['focus', 'ground'], ['focus', 'surface'],
    ].map(([text, ground]) => [text, ground, contrast(text, ground)])
     .filter(([, , value]) => !(value >= 4.5));
    probe.remove();
    return found.length === 0 || JSON.stringify(found);";

#[tokio::test]
async fn an_accent_alone_is_readable() {
    let mut scene = Scene::open(Look::default()).await;
    scene.host.fill(3).await;
    scene.sign_in("admin").await;
    for accent in ACCENTS {
        scene.host.set_theme(&format!(".inv, .inv-page {{ --inv-accent: {accent}; }}"));
        for dark in [false, true] {
            scene.window.look(Look { dark, ..Look::default() }).await;
            scene.at("/invitations?status=active").await;
            let scheme = if dark { "dark" } else { "light" };
            scene.until(UNREADABLE).await;
            let name = format!("theme-{}-{scheme}", &accent[1..]);
            scene.is_accessible(&name).await;
            scene.keep(&name).await;
        }
    }
    scene.window.close().await;
}

#[tokio::test]
async fn the_example_of_the_documentation_is_readable() {
    const DOCUMENTED: &str = include_str!("../../docs/theme.md");

    let blocks: Vec<_> = DOCUMENTED.split("```css\n").skip(1).collect();
    let sheets = blocks.iter().map(|block| block.split_once("```").expect("an end").0);
    let [accent, brighter, whole] = sheets.collect::<Vec<_>>()[..] else {
        panic!("{} examples", blocks.len());
    };
    let mut scene = Scene::open(Look::default()).await;
    scene.host.fill(3).await;
    scene.sign_in("admin").await;
    for (name, css) in [("accent", format!("{accent}{brighter}")), ("whole", whole.to_owned())] {
        scene.host.set_theme(&css);
        for dark in [false, true] {
            scene.window.look(Look { dark, ..Look::default() }).await;
            for path in ["/invitations?status=active", "/invitations/new"] {
                scene.at(path).await;
                scene.until(UNREADABLE).await;
                scene.is_accessible(name).await;
            }
            scene.keep(&format!("theme-{name}-{}", if dark { "dark" } else { "light" })).await;
        }
    }
    scene.window.close().await;
}
