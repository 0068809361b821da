//! Code that an interpreter runs before anything else because its environment names it (bash(1), dash(1),
//! python(1), perlrun(1), node(1), ruby(1), lua(1); JVM Tool Interface, "JAVA_TOOL_OPTIONS"; .NET,
//! "DOTNET_STARTUP_HOOKS").
//!
//! What an interpreter would have to work out first (`$HOME/x`, `$(...)`) is not followed.

use model::Text;

use super::{Called, MOST_FILES, Reader, Word, called, file_name, interpreter, is_called, is_many};

/// One file that is named so. It counts only when it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loaded {
    pub(crate) path: Text,
    /// The name of the setting.
    pub(crate) by: &'static str,
    /// People have such a file in their home, and its name begins with a dot.
    pub(crate) is_start_file: bool,
}

struct Variable {
    name: &'static str,
    /// Who reads it; a version may follow.
    of: &'static [&'static str],
    when: When,
    says: Says,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// A person types into it.
    Interactive,
    /// The same, and it was told no file and no text to run before.
    Prompting,
    NotInteractive,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    /// The path of a file.
    StartFile,
    /// Options, as they may stand in the arguments.
    Options,
    /// Options that name modules, and folders in which these are.
    Modules,
    /// Text to run, or the path of a file behind `@`.
    TextOrFile,
    /// Paths with colons between.
    Paths,
}

const JAVA: [&str; 1] = ["java"];
const LUA: [&str; 2] = ["lua", "luajit"];

const VARIABLES: [Variable; 15] = {
    use Says::{Modules, Options, Paths, StartFile, TextOrFile};
    use When::{Always, Interactive, NotInteractive, Prompting};
    const fn variable(
        name: &'static str,
        of: &'static [&'static str],
        when: When,
        says: Says,
    ) -> Variable {
        Variable {
            name,
            of,
            when,
            says,
        }
    }
    [
        variable("BASH_ENV", &["bash"], NotInteractive, StartFile),
        variable(
            "ENV",
            &[
                "sh", "dash", "ash", "ksh", "ksh93", "mksh", "oksh", "yash", "posh",
            ],
            Interactive,
            StartFile,
        ),
        variable("PYTHONSTARTUP", &["python", "pypy"], Prompting, StartFile),
        variable("PERL5OPT", &["perl"], Always, Modules),
        variable(
            "NODE_OPTIONS",
            &["node", "nodejs", "electron"],
            Always,
            Options,
        ),
        variable(
            "RUBYOPT",
            &["ruby", "jruby", "truffleruby"],
            Always,
            Options,
        ),
        variable("JAVA_TOOL_OPTIONS", &JAVA, Always, Options),
        variable("_JAVA_OPTIONS", &JAVA, Always, Options),
        variable("JDK_JAVA_OPTIONS", &JAVA, Always, Options),
        variable("LUA_INIT", &LUA, Always, TextOrFile),
        variable("LUA_INIT_5_1", &LUA, Always, TextOrFile),
        variable("LUA_INIT_5_2", &LUA, Always, TextOrFile),
        variable("LUA_INIT_5_3", &LUA, Always, TextOrFile),
        variable("LUA_INIT_5_4", &LUA, Always, TextOrFile),
        variable("DOTNET_STARTUP_HOOKS", &["dotnet"], Always, Paths),
    ]
};

/// Folders in which perl looks for modules, with colons between.
const OF_PERL: [&str; 2] = ["PERL5LIB", "PERLLIB"];

/// What the environment makes it load, and whether there is more. `program`: the name of its file.
/// `has_terminal`: its standard input is one.
pub(crate) fn loaded(
    program: &[u8],
    arguments: &[Text],
    environment: &[Text],
    has_terminal: bool,
) -> (Vec<Loaded>, bool) {
    let Some(called) = called(program, arguments) else {
        return (Vec::new(), false);
    };
    let name = name(program, arguments);
    let is_interactive = called.is_interactive || called.reads_input && has_terminal;
    let mut found = Vec::new();
    for setting in environment {
        let Some((key, value)) = key_and_value(setting.bytes()) else {
            continue;
        };
        let of_it = VARIABLES.iter().filter(|it| it.name.as_bytes() == key);
        for variable in of_it {
            let when = match variable.when {
                When::Always => true,
                When::Interactive => is_interactive,
                When::Prompting => is_interactive && called.reads_input,
                When::NotInteractive => !is_interactive,
            };
            if !when || !variable.of.iter().any(|it| is_called(name, it)) {
                continue;
            }
            let paths = match variable.says {
                Says::StartFile => vec![value.to_vec()],
                Says::Options => options(program, arguments, value),
                Says::Modules => modules(value, environment),
                Says::TextOrFile => value
                    .strip_prefix(b"@")
                    .map(<[u8]>::to_vec)
                    .into_iter()
                    .collect(),
                Says::Paths => split(value, b':').map(<[u8]>::to_vec).collect(),
            };
            let paths = paths.into_iter().filter(|path| !path.is_empty());
            found.extend(paths.map(|path| Loaded {
                path: path.into(),
                by: variable.name,
                is_start_file: variable.says == Says::StartFile,
            }));
        }
    }
    let more = found.len() > MOST_FILES;
    found.truncate(MOST_FILES);
    (found, more)
}

/// As what it was called, where that tells which one of several it is.
fn name<'given>(program: &'given [u8], arguments: &'given [Text]) -> &'given [u8] {
    let first = arguments.first().map(|it| file_name(it.bytes()));
    let first = first.unwrap_or_default();
    let first = first.strip_prefix(b"-").unwrap_or(first);
    if is_many(first) {
        arguments.get(1).map_or(first, Text::bytes)
    } else if is_many(program) || program == b"bash" && first == b"sh" {
        first
    } else {
        program
    }
}

fn key_and_value(setting: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = setting.iter().position(|byte| *byte == b'=')?;
    Some((setting.get(..at)?, setting.get(at + 1..)?))
}

fn split(text: &[u8], by: u8) -> impl Iterator<Item = &[u8]> {
    text.split(move |byte| *byte == by)
}

/// The files that options of that interpreter load.
fn options(program: &[u8], arguments: &[Text], value: &[u8]) -> Vec<Vec<u8>> {
    let Some((interpreter, _)) = interpreter(program, arguments) else {
        return Vec::new();
    };
    let mut reader = Reader {
        interpreter,
        called: Called::default(),
        class_path: None,
    };
    let words = words(value);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let Some(letters) = word.bytes().strip_prefix(b"-") else {
            continue;
        };
        if matches!(reader.word(word.bytes(), &mut rest), Word::NoSuch) {
            reader.letters(letters, &mut rest);
        }
    }
    let files = reader.called.files.into_iter();
    let path = |it: super::File| {
        let path = it.path.bytes();
        path.strip_prefix(b"file://").unwrap_or(path).to_vec()
    };
    files.map(path).collect()
}

/// Words with blanks between; a quote keeps blanks together, a backslash what follows it.
fn words(text: &[u8]) -> Vec<Text> {
    let (mut words, mut word, mut quote) = (Vec::new(), Vec::new(), None);
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (_, b'\\') => word.extend(bytes.next()),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None, _) if byte.is_ascii_whitespace() => {
                words.push(Text::from(std::mem::take(&mut word)));
            }
            (_, _) => word.push(byte),
        }
    }
    words.push(word.into());
    words.retain(|word| !word.is_empty());
    words
}

/// `-I/a -Mlib=/b -MX::Y=z`: where these modules may lie.
fn modules(value: &[u8], environment: &[Text]) -> Vec<Vec<u8>> {
    let mut folders: Vec<Vec<u8>> = Vec::new();
    for setting in environment {
        let of_perl = key_and_value(setting.bytes());
        let of_perl = of_perl.filter(|(key, _)| OF_PERL.iter().any(|it| it.as_bytes() == *key));
        let listed = of_perl
            .into_iter()
            .flat_map(|(_, value)| split(value, b':'));
        folders.extend(listed.map(<[u8]>::to_vec));
    }
    let mut files = Vec::new();
    let words = words(value);
    let mut rest = words.iter().map(Text::bytes);
    while let Some(word) = rest.next() {
        if word == b"-I" {
            folders.extend(rest.next().map(<[u8]>::to_vec));
        } else if let Some(folder) = word.strip_prefix(b"-I") {
            folders.push(folder.to_vec());
        } else if let Some(module) = word.strip_prefix(b"-M").or(word.strip_prefix(b"-m")) {
            let (module, given) = key_and_value(module).unwrap_or((module, b""));
            let module = module.strip_prefix(b"-").unwrap_or(module);
            if module == b"lib" {
                folders.extend(split(given, b',').map(<[u8]>::to_vec));
            } else {
                files.push([&with_slashes(module), &b".pm"[..]].concat());
            }
        } else if let Some(debugger) = word.strip_prefix(b"-d:") {
            let name = key_and_value(debugger).map_or(debugger, |(name, _)| name);
            files.push([&b"Devel/"[..], &with_slashes(name), b".pm"].concat());
        }
    }
    let beside = |file: &Vec<u8>| {
        let all = folders.iter().filter(|it| !it.is_empty());
        let all = all.map(|folder| [folder, &b"/"[..], file].concat());
        all.collect::<Vec<_>>()
    };
    files.iter().flat_map(beside).take(MOST_FILES + 1).collect()
}

/// `X::Y` is `X/Y`.
fn with_slashes(module: &[u8]) -> Vec<u8> {
    let mut path = Vec::new();
    let mut rest = module;
    while let Some((first, behind)) = rest.split_first() {
        (path, rest) = match rest.strip_prefix(b"::") {
            Some(behind) => ([&path, &b"/"[..]].concat(), behind),
            None => ([&path, &[*first][..]].concat(), behind),
        };
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn given(line: &str) -> Vec<Text> {
        line.split(' ').map(Text::from).collect()
    }

    /// What a program loads that was called so.
    fn check(line: &str, environment: &[&str], expected: &[&str]) {
        check_at(line, environment, false, expected);
    }

    fn check_at(line: &str, environment: &[&str], has_terminal: bool, expected: &[&str]) {
        let arguments = given(line);
        let program = file_name(arguments[0].bytes()).to_vec();
        let environment: Vec<_> = environment.iter().map(|it| Text::from(*it)).collect();
        let (found, more) = loaded(&program, &arguments, &environment, has_terminal);
        let found: Vec<_> = found.iter().map(|it| it.path.lossy()).collect();
        assert_eq!(
            (found, more),
            (expected.iter().map(|it| (*it).into()).collect(), false),
            "{line}"
        );
    }

    #[test]
    fn start_files_of_shells() {
        let set = ["BASH_ENV=/tmp/b", "ENV=/tmp/e"];
        check("bash x.sh", &set, &["/tmp/b"]);
        check("bash -c true", &set, &["/tmp/b"]);
        check("bash -ic true", &set, &[]);
        check_at("bash", &set, true, &[]);
        check("bash -s", &set, &["/tmp/b"]);
        check_at("dash", &set, true, &["/tmp/e"]);
        check("dash -i", &set, &["/tmp/e"]);
        check("dash x.sh", &set, &[]);
        check_at("busybox sh", &set, true, &["/tmp/e"]);
        check("zsh -i", &set, &[]);
        check("python3 x.py", &set, &[]);
        // Called `sh`, bash is another shell.
        let called = [Text::from("sh"), Text::from("-i")];
        let environment = set.map(Text::from);
        let (found, _) = loaded(b"bash", &called, &environment, false);
        assert_eq!(found[0].by, "ENV");
        assert!(found[0].is_start_file && found.len() == 1);
    }

    #[test]
    fn start_files_of_others() {
        let set = [
            "PYTHONSTARTUP=/tmp/s",
            "LUA_INIT=@/tmp/l",
            "DOTNET_STARTUP_HOOKS=/a.dll:/b.dll",
        ];
        check_at("python3.11", &set, true, &["/tmp/s"]);
        check("python3.11 -i", &set, &["/tmp/s"]);
        check("python3.11 -i x.py", &set, &[]);
        check("python3.11 x.py", &set, &[]);
        check("python3.11", &set, &[]);
        check("lua5.4 x.lua", &set, &["/tmp/l"]);
        check("lua x.lua", &["LUA_INIT=print(1)"], &[]);
        check("dotnet x.dll", &set, &["/a.dll", "/b.dll"]);
    }

    #[test]
    fn options_that_load() {
        let node = "NODE_OPTIONS=--max-old-space-size=64 --require \"/tmp/a b.js\" -r ./c.js \
                    --import=file:///tmp/d.mjs";
        check(
            "node x.js",
            &[node],
            &["/tmp/a b.js", "./c.js", "/tmp/d.mjs"],
        );
        check("nodejs", &[node], &["/tmp/a b.js", "./c.js", "/tmp/d.mjs"]);
        check("java -jar x.jar", &[node], &[]);
        let java = "JAVA_TOOL_OPTIONS=-Xmx1g -javaagent:/tmp/a.jar=on -Dx=y";
        check("java -jar x.jar", &[java], &["/tmp/a.jar"]);
        check(
            "java Main",
            &["_JAVA_OPTIONS=-agentpath:/tmp/a.so=1"],
            &["/tmp/a.so"],
        );
        check("ruby x.rb", &["RUBYOPT=-W0 -r/tmp/a.rb"], &["/tmp/a.rb"]);
    }

    #[test]
    fn modules_of_perl() {
        check(
            "perl x.pl",
            &["PERL5OPT=-I/tmp/x -MA::B=c"],
            &["/tmp/x/A/B.pm"],
        );
        check(
            "perl x.pl",
            &["PERL5LIB=/a:/b", "PERL5OPT=-mX -d:Y"],
            &["/a/X.pm", "/b/X.pm", "/a/Devel/Y.pm", "/b/Devel/Y.pm"],
        );
        check(
            "perl x.pl",
            &["PERL5OPT=-Mlib=/tmp/x -MX"],
            &["/tmp/x/X.pm"],
        );
        check("perl x.pl", &["PERL5OPT=-w"], &[]);
        check("sleep 1", &["PERL5OPT=-I/tmp/x -MA"], &[]);
    }

    proptest! {
        #[test]
        fn never_panics(
            at in 0..VARIABLES.len(),
            value: Vec<u8>,
            arguments: Vec<Vec<u8>>,
            has_terminal: bool,
        ) {
            let variable = VARIABLES.get(at).unwrap();
            let setting = [variable.name.as_bytes(), b"=", &value].concat();
            let environment = [Text::from(setting), Text::from("PERL5LIB=/a:/b")];
            let name = variable.of.first().unwrap().as_bytes();
            let given = std::iter::once(Text::from(name));
            let given: Vec<_> = given.chain(arguments.into_iter().map(Text::from)).collect();
            let (found, _) = loaded(name, &given, &environment, has_terminal);
            prop_assert!(found.len() <= MOST_FILES && found.iter().all(|it| !it.path.is_empty()));
        }
    }
}
