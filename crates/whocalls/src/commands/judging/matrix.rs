//! What has to be found in which process and what must not be: `bench/judging/matrix.tsv`, and the same
//! as a table in `docs/judging.md`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use model::Severity;

const MATRIX: &str = include_str!("../../../../../bench/judging/matrix.tsv");
const HEAD: &str = "case\thow\trules\tleast\tmost\twhere";
const BEGIN: &str = "<!-- matrix: begin -->\n";
const END: &str = "<!-- matrix: end -->";
/// Set, the table is written in the place of the one that is there.
const UPDATE: &str = "WHOCALLS_UPDATE_MATRIX";

struct Row {
    case: &'static str,
    how: &'static str,
    rules: Vec<&'static str>,
    /// `None`: nothing.
    least: Option<Severity>,
    most: Severity,
    place: &'static str,
}

fn rows() -> Vec<Row> {
    let mut lines = MATRIX.lines();
    assert_eq!(lines.next(), Some(HEAD));
    let row = |line: &'static str| {
        let cells: Vec<_> = line.split('\t').collect();
        let [case, how, rules, least, most, place] = cells.as_slice() else {
            panic!("{line}");
        };
        let severity = |word: &str| Severity::ALL.into_iter().find(|it| it.word() == word);
        let least = match *least {
            "nothing" => None,
            word => Some(severity(word).unwrap_or_else(|| panic!("{line}"))),
        };
        Row {
            case,
            how,
            rules: rules.split(' ').filter(|it| *it != "-").collect(),
            least,
            most: severity(most).unwrap_or_else(|| panic!("{line}")),
            place,
        }
    };
    lines.map(row).collect()
}

#[test]
fn the_table_in_the_manual_is_the_matrix() {
    let mut table =
        "\n| case | how it is made | rules | at least | at most | where |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for row in rows() {
        let rules: Vec<_> = row.rules.iter().map(|it| format!("`{it}`")).collect();
        let how = row.how.replace('|', "\\|");
        let least = row.least.map_or("nothing", Severity::word);
        table += &format!(
            "| {} | `{how}` | {} | {least} | {} | {} |\n",
            row.case,
            rules.join(" "),
            row.most.word(),
            row.place
        );
    }
    table.push('\n');
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/judging.md");
    let manual = fs::read_to_string(&file).unwrap();
    let (before, rest) = manual.split_once(BEGIN).unwrap();
    let (inside, after) = rest.split_once(END).unwrap();
    if std::env::var_os(UPDATE).is_some() {
        fs::write(file, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(inside, table, "run the test with {UPDATE}=1");
}

#[test]
fn the_matrix_knows_each_rule_about_processes() {
    let known: BTreeSet<_> = judge::rules().collect();
    let mut named = BTreeSet::new();
    for row in rows() {
        let places = ["ci", "bench", "not tested"];
        assert!(places.contains(&row.place), "{}", row.case);
        assert!(row.least.is_none_or(|it| it <= row.most), "{}", row.case);
        for rule in row.rules {
            assert!(known.contains(rule), "{}: {rule}", row.case);
            named.insert(rule);
        }
    }
    let first = judge::rules().position(|it| it == "code_changed").unwrap();
    let of_processes = judge::rules().skip(first);
    for rule in of_processes.take_while(|it| *it != "beacon") {
        assert!(named.contains(rule), "no row has {rule}");
    }
}

#[test]
fn the_manual_names_each_rule() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/judging.md");
    let manual = fs::read_to_string(file).unwrap();
    for rule in judge::rules() {
        assert!(manual.contains(&format!("\n| `{rule}` |")), "{rule}");
    }
}
