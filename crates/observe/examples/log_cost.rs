//! What it costs to read a log: CPU time and bytes a second, of files that are named, or of a Zeek
//! `conn.log` of so many rows that is made for it.
//! usage: `log_cost FILE...|ROWS`

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use observe::import::{Import, Options};

const HEAD: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let rows = named.first().and_then(|rows| rows.parse::<u32>().ok());
    let Some(rows) = rows else {
        return named.iter().try_for_each(|file| cost(Path::new(file)));
    };
    let folder = std::env::temp_dir();
    for (name, line) in [("conn.log", tsv as fn(u32) -> String), ("conn.json", json)] {
        let path: PathBuf = folder.join(format!("whocalls-{}-{name}", std::process::id()));
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
        if name == "conn.log" {
            file.write_all(HEAD.as_bytes())?;
        }
        for row in 0..rows {
            file.write_all(line(row).as_bytes())?;
        }
        file.flush()?;
        let read = cost(&path);
        std::fs::remove_file(&path)?;
        read?;
    }
    Ok(())
}

fn tsv(row: u32) -> String {
    let (a, b) = (row % 200, row / 251 % 251);
    let mut line = String::new();
    let _ = writeln!(
        line,
        "{}.{:06}\tC{row:017}\t10.55.{a}.{b}\t{}\t203.0.{b}.{a}\t443\ttcp\tssl\t{}.98549\t{row}\t{}\tSF\tT\tF\t0\tShADadFf\t10\t1131\t4\t508\t(empty)",
        1_517_422_326 + row / 50,
        row % 1_000_000,
        row % 60_000,
        row % 100,
        row / 2
    );
    line
}

fn json(row: u32) -> String {
    let (a, b) = (row % 200, row / 251 % 251);
    let mut line = String::new();
    let _ = writeln!(
        line,
        "{{\"ts\":{}.{:06},\"uid\":\"C{row:017}\",\"id.orig_h\":\"10.55.{a}.{b}\",\"id.orig_p\":{},\"id.resp_h\":\"203.0.{b}.{a}\",\"id.resp_p\":443,\"proto\":\"tcp\",\"service\":\"ssl\",\"duration\":{}.98549,\"orig_bytes\":{row},\"resp_bytes\":{},\"conn_state\":\"SF\",\"local_orig\":true,\"local_resp\":false,\"missed_bytes\":0,\"history\":\"ShADadFf\",\"orig_pkts\":10,\"orig_ip_bytes\":1131,\"resp_pkts\":4,\"resp_ip_bytes\":508}}",
        1_517_422_326 + row / 50,
        row % 1_000_000,
        row % 60_000,
        row % 100,
        row / 2
    );
    line
}

#[expect(clippy::print_stdout, reason = "it is what it is for")]
fn cost(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let before = cpu()?;
    let mut import = Import::open(path, Options::default())?;
    let (mut seen, mut count) = (Vec::new(), 0);
    while import.next(&mut seen)? {
        count += seen.len();
        seen.clear();
    }
    count += seen.len();
    let seconds = cpu()? - before;
    let (_, bytes) = import.progress();
    let rate = f64::from(u32::try_from(bytes >> 10)?) / 1024.0 / seconds;
    let (kind, skipped) = (import.kind(), import.skipped().count);
    println!(
        "{}: {kind}, {count} told, {skipped} skipped, {seconds:.2} s of CPU, {rate:.0} MiB/s",
        path.display()
    );
    Ok(())
}

/// Of this process, in seconds.
fn cpu() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanos: f64 = stat.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanos / 1e9)
}
