//! A process in JSON.

use model::{Examined, Ordinary, Process, ProcessId, Text, hex};

use super::examined;
use super::writer::{Object, object, string};

/// The short form that stands within a connection.
pub(super) fn brief(out: &mut Vec<u8>, process: &Process) {
    object(out, |object| {
        object.plain("id", process.id);
        object.number("pid", process.id.pid);
        object.optional_plain("started", process.started);
        object.text("name", &process.name.lossy());
        text_or_hex(object, "path", "path_hex", process.path.as_ref());
        object.optional_number("uid", process.uid);
        optional(object, "user", process.user.as_ref());
    });
}

/// The same, of a process of which nothing else is known.
pub(super) fn brief_unknown(object: &mut Object<'_>, id: ProcessId) {
    object.plain("id", id);
    object.number("pid", id.pid);
    for name in ["started", "name", "path", "uid", "user"] {
        object.null(name);
    }
}

/// One that holds a connection beside the owner.
pub(super) fn holder(object: &mut Object<'_>, process: &Process) {
    object.plain("id", process.id);
    object.number("pid", process.id.pid);
    object.text("name", &process.name.lossy());
}

/// The same, of a process of which nothing else is known.
pub(super) fn holder_unknown(object: &mut Object<'_>, id: ProcessId) {
    object.plain("id", id);
    object.number("pid", id.pid);
    object.null("name");
}

/// All that is known of it. `ordinary`: `None` where nobody has judged it.
pub(super) fn members(object: &mut Object<'_>, process: &Process, ordinary: Option<&Ordinary>) {
    object.plain("id", process.id);
    object.number("pid", process.id.pid);
    object.optional_plain("started", process.started);
    object.optional_plain("ended", process.ended);
    object.text("name", &process.name.lossy());
    text_or_hex(object, "path", "path_hex", process.path.as_ref());
    object.optional_plain("path_state", process.path_state.word());
    match process.file {
        Some(file) => object.object("file", |object| {
            object.number("device", file.device);
            object.number("inode", file.inode);
        }),
        None => object.null("file"),
    }
    command_line(object, process);
    optional(object, "user", process.user.as_ref());
    object.optional_number("uid", process.uid);
    object.array("parents", &process.parents, |out, parent| {
        super::writer::object(out, |object| {
            object.number("pid", parent.pid);
            object.text("name", &parent.name.lossy());
            text_or_hex(object, "path", "path_hex", parent.path.as_ref());
        });
    });
    match &process.container {
        Some(container) => object.object("container", |object| {
            object.plain("engine", container.engine);
            object.text("id", &container.id.lossy());
        }),
        None => object.null("container"),
    }
    optional(object, "unit", process.unit.as_ref());
    object.optional_number("netns", process.netns.map(|netns| netns.0));
    object.boolean("kernel_thread", process.kernel_thread);
    object.optional_plain("sha256", process.sha256.map(|hash| hex(&hash)));
    match ordinary {
        Some(ordinary) => {
            object.boolean("ordinary", ordinary.is());
            object.array("not_ordinary", &ordinary.not, |out, why| string(out, why));
        }
        None => object.null("ordinary"),
    }
    match &process.examined {
        Some(examined) => examined::members(object, examined),
        None => examined::members(object, &Examined::default()),
    }
}

fn command_line(object: &mut Object<'_>, process: &Process) {
    let Some(arguments) = &process.command_line else {
        object.null("command_line");
        object.boolean("command_line_truncated", false);
        return;
    };
    object.array("command_line", arguments, |out, argument| {
        string(out, &argument.lossy())
    });
    if arguments
        .iter()
        .any(|argument| argument.as_utf8().is_none())
    {
        object.array("command_line_hex", arguments, |out, argument| {
            string(out, &hex(argument.bytes()))
        });
    }
    object.boolean("command_line_truncated", process.command_line_truncated);
}

fn optional(object: &mut Object<'_>, name: &'static str, text: Option<&Text>) {
    object.optional_text(name, text.map(Text::lossy).as_deref());
}

/// A path; the exact bytes besides, when they are not UTF-8.
pub(super) fn text_or_hex(
    object: &mut Object<'_>,
    name: &'static str,
    hex_name: &'static str,
    text: Option<&Text>,
) {
    optional(object, name, text);
    if let Some(text) = text.filter(|text| text.as_utf8().is_none()) {
        object.plain(hex_name, hex(text.bytes()));
    }
}
