//! How the records of a tracepoint are laid out: `events/GROUP/NAME/format` of tracefs
//! (Documentation/trace/events.rst; kernel: kernel/trace/trace_events.c).

/// Where a field begins in the record. `None`: there is no such field, or the line is not
/// understood.
pub(crate) fn field_offset(format: &str, name: &str) -> Option<u32> {
    format.lines().find_map(|line| {
        // `field:char comm[16];	offset:8;	size:16;	signed:0;`
        let mut parts = line.trim().strip_prefix("field:")?.split(';');
        let declared = parts.next()?.split('[').next()?;
        let declared = declared.rsplit([' ', '*']).next()?;
        let offset = parts.find_map(|part| part.trim().strip_prefix("offset:"))?;
        (declared == name).then(|| offset.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FORMAT: &str = "name: task_newtask
ID: 100
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:pid_t pid;\toffset:8;\tsize:4;\tsigned:1;
\tfield:char comm[16];\toffset:12;\tsize:16;\tsigned:0;
\tfield:__data_loc char[] filename;\toffset:28;\tsize:4;\tsigned:0;
\tfield:const void * skaddr;\toffset:32;\tsize:8;\tsigned:0;
\tfield:bool broken;\toffset:x;

print fmt: \"pid=%d comm=%s\", REC->pid, REC->comm
";

    #[test]
    fn finds_fields() {
        let check = |name, offset| assert_eq!(field_offset(FORMAT, name), offset, "{name}");
        check("pid", Some(8));
        check("comm", Some(12));
        check("skaddr", Some(32));
        check("common_pid", Some(4));
        check("broken", None);
        check("absent", None);
    }

    proptest! {
        #[test]
        fn never_panics(format in ".*", name in ".*") {
            let _ = field_offset(&format, &name);
        }
    }
}
