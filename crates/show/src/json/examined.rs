//! What was found by looking into a process, in JSON.

use model::{Checked, Examined, Outcome, Trace, hex};

use super::process::text_or_hex;
use super::writer::{self, Object};

/// `package`, `package_state`, `display` and `checks`.
pub(super) fn members(object: &mut Object<'_>, examined: &Examined) {
    let package = examined.package.as_ref();
    let name = package.and_then(|it| it.name.as_ref());
    text_or_hex(object, "package", "package_hex", name);
    let version = package.and_then(|it| it.version.as_ref());
    text_or_hex(object, "package_version", "package_version_hex", version);
    let manager = package.and_then(|it| it.manager);
    object.optional_plain("package_manager", manager);
    object.optional_plain("package_state", package.map(|it| it.state));
    object.optional_plain("display", examined.display);
    object.array("checks", &examined.checks, |out, checked| {
        writer::object(out, |object| check(object, checked));
    });
}

fn check(object: &mut Object<'_>, Checked { check, outcome }: &Checked) {
    object.word("check", check.word());
    object.word("result", outcome.word());
    match outcome {
        Outcome::NothingFound => object.null("why"),
        Outcome::NotTestable(why) => object.word("why", why.word()),
        Outcome::Found { traces, more } => {
            object.null("why");
            object.array("traces", traces, |out, trace| {
                writer::object(out, |object| members_of(object, trace));
            });
            object.number("more", *more);
        }
    }
}

/// What a trace does not have is left out.
fn members_of(object: &mut Object<'_>, trace: &Trace) {
    object.word("sign", trace.sign.word());
    let texts = [
        ("path", "path_hex", &trace.path),
        ("package", "package_hex", &trace.package),
        ("name", "name_hex", &trace.name),
    ];
    for (name, hex_name, text) in texts {
        if text.is_some() {
            text_or_hex(object, name, hex_name, text.as_ref());
        }
    }
    object.given_number("address", trace.address);
    object.given_number("length", trace.length);
    object.given_plain("bytes", trace.bytes.as_deref().map(hex));
    object.given_plain("expected", trace.expected.as_deref().map(hex));
    object.given_number("pid", trace.pid);
}
