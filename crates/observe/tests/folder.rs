//! The folder of a case, made by the process that is there for it: started as the program would
//! start it, which is why this test has a main function of its own. What it needs and does not find
//! here it names on standard error as `skipped: TEST: REASON`.
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
#[path = "folder/linux.rs"]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}
