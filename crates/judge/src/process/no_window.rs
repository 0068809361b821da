//! A browser, or another program that lives in a window, uses the network and shows none. Tests and
//! scripts run browsers so, and say so in the arguments; chat and mail go on in the tray.

use model::{Check, Confidence, Display, Severity, Sign};

use super::looked::{Looked, path_of};
use super::programs::{has_a_window, is_browser, is_driver, is_interpreter, is_shell, is_wrapper};
use super::{Raised, Reason, paths};

const HEADLESS: [&str; 8] = [
    "--headless",
    "-headless",
    "--ozone-platform=headless",
    "--screenshot",
    "-screenshot",
    "--print-to-pdf",
    "--dump-dom",
    "--remote-debugging-pipe",
];

const LITTLE: (Severity, Confidence) = (Severity::Low, Confidence::Low);

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let program = process.program();
    let engines = process.signs(Check::ExecutableMemory, Sign::Engine);
    let has_engine = engines
        .iter()
        .any(|it| paths::file_name(&path_of(it)) == "libxul.so");
    if !process.life.talks || !(is_browser(&program) || has_a_window(&program) || has_engine) {
        return Vec::new();
    }
    let weight = match process.examined().display {
        Some(Display::NoConnection | Display::NoWindow) if is_wanted(process) => LITTLE,
        Some(Display::NoConnection) => (Severity::Medium, Confidence::Medium),
        // Nobody closes a browser and lets it run; some do so by themselves.
        Some(Display::NoWindow) if is_browser(&program) => (Severity::Medium, Confidence::Low),
        // In the tray.
        Some(Display::NoWindow) => LITTLE,
        Some(Display::Shown | Display::NotTestable) | None => return Vec::new(),
    };
    let display = process.examined().display.map(Display::word);
    vec![
        Reason::new("", weight, &["T1564.003"])
            .raised(Raised::BesideGrave)
            .text("display", display.unwrap_or_default())
            .text(
                "started",
                if is_headless(process) {
                    "headless"
                } else {
                    "as usual"
                },
            ),
    ]
}

/// By its own arguments, or those of the first process of the browser.
fn is_headless(process: &Looked<'_>) -> bool {
    let is_one = |it: &String| {
        let name = it.split('=').next().unwrap_or_default();
        HEADLESS.contains(&it.as_str()) || HEADLESS.contains(&name)
    };
    let first = process.life.first.iter();
    let of_first = first.flat_map(|it| it.command_line.iter().flatten());
    let of_first = of_first.map(|it| it.lossy().into_owned());
    process
        .arguments()
        .into_iter()
        .chain(of_first)
        .any(|it| is_one(&it))
}

/// Whether it was told to be without a window by a shell, a script or a driver of tests that still
/// runs. One whose starter has gone belongs to nobody.
fn is_wanted(process: &Looked<'_>) -> bool {
    let own = process.path();
    let parents = process.parents();
    // The processes of a browser are below its first one.
    let mut above = parents.iter().skip_while(|it| {
        let wraps = it.as_deref().is_some_and(is_wrapper);
        **it == own || wraps
    });
    let starter = above.next().and_then(|it| it.as_deref());
    let known = starter.is_some_and(|path| {
        let usual = is_driver(path) || is_shell(path, &[]) || is_interpreter(path);
        usual && !paths::is_temporary(path) && !paths::is_oddly_hidden(path)
    });
    is_headless(process) && known
}
