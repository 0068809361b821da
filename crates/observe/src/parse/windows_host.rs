//! Which file a program of Windows runs that runs files of others: scripts and libraries, out of its
//! arguments as its own help tells them (`powershell -?`, `wscript /?`, `regsvr32 /?`).

/// The file, as it was given: a path, a bare name or an address on the net. `None`: it is no such program, or
/// was given none. `arguments`: with the name of the program first.
pub(crate) fn hosted(program: &str, arguments: &[String]) -> Option<String> {
    let name = program.rsplit(['\\', '/']).next()?.to_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    let given = arguments.get(1..)?;
    let file = match name {
        "powershell" | "pwsh" => of_powershell(given)?,
        "wscript" | "cscript" | "regsvr32" => without_options(given)?,
        "mshta" => given.first()?.clone(),
        // `library,function`.
        "rundll32" => without_options(given)?
            .split(',')
            .next()?
            .trim_matches('"')
            .to_owned(),
        _ => return None,
    };
    (!file.is_empty()).then_some(file)
}

fn without_options(given: &[String]) -> Option<String> {
    let mut files = given.iter().filter(|it| !it.starts_with(['/', '-']));
    files.next().cloned()
}

/// Any beginning of `-File` counts; a bare name of a script, too.
fn of_powershell(given: &[String]) -> Option<String> {
    let mut given = given.iter();
    while let Some(argument) = given.next() {
        let option = argument.to_lowercase();
        let Some(option) = option.strip_prefix(['-', '/']) else {
            return option.ends_with(".ps1").then(|| argument.clone());
        };
        if !option.is_empty() && "file".starts_with(option) {
            return given.next().cloned();
        }
        // The text follows, and no file.
        let is_text = !option.is_empty()
            && ("command".starts_with(option) || "encodedcommand".starts_with(option));
        if is_text {
            return None;
        }
        let takes_value = ["executionpolicy", "ep", "ex", "windowstyle", "w", "version"];
        if takes_value.iter().any(|it| it.starts_with(option)) {
            given.next();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(line: &[&str], expected: Option<&str>) {
        let arguments: Vec<String> = line.iter().map(|it| (*it).to_owned()).collect();
        let program = format!(r"C:\Windows\System32\{}", line[0]);
        assert_eq!(
            hosted(&program, &arguments).as_deref(),
            expected,
            "{line:?}"
        );
    }

    #[test]
    fn files_are_found() {
        let script = r"C:\Users\lena\AppData\Local\Temp\a.ps1";
        check(
            &["powershell.exe", "-ep", "bypass", "-f", script],
            Some(script),
        );
        check(&["PowerShell.exe", "-NoProfile", script], Some(script));
        check(&["powershell.exe", "-enc", "ZQBjAGgAbwA="], None);
        check(
            &["wscript.exe", "//B", r"C:\a.vbs", "/x"],
            Some(r"C:\a.vbs"),
        );
        check(
            &["mshta.exe", "http://x.example/a.hta"],
            Some("http://x.example/a.hta"),
        );
        check(&["regsvr32.exe", "/s", r"C:\a.dll"], Some(r"C:\a.dll"));
        check(&["rundll32.exe", r"C:\a.dll,Start"], Some(r"C:\a.dll"));
        check(&["notepad.exe", r"C:\a.txt"], None);
        check(&["rundll32.exe"], None);
    }

    proptest! {
        #[test]
        fn never_panics(arguments: Vec<String>) {
            for name in ["powershell", "rundll32", "mshta", "wscript"] {
                let _ = hosted(name, &arguments);
            }
        }
    }
}
