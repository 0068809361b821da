//! Libraries of Windows that make code while they run, by the names of their files. A name proves nothing:
//! whether the file is signed is asked elsewhere.

const NAMES: [&str; 21] = [
    "amdxx64.dll",
    "chakra.dll",
    "chakracore.dll",
    "chrome.dll",
    "clr.dll",
    "clrjit.dll",
    "coreclr.dll",
    "d3d10warp.dll",
    "jscript9.dll",
    "jvm.dll",
    "libcef.dll",
    "lua51.dll",
    "mono-2.0-bdwgc.dll",
    "mozjs.dll",
    "mscorwks.dll",
    "msedge.dll",
    "node.exe",
    "nvwgf2umx.dll",
    "opera_browser.dll",
    "v8.dll",
    "xul.dll",
];

/// Programs around a browser (Electron) come with this library of theirs.
const BESIDE: &str = "ffmpeg.dll";

pub(crate) fn is_engine(path: &str) -> bool {
    let name = path.rsplit('\\').next().unwrap_or_default().to_lowercase();
    NAMES.contains(&name.as_str()) || name == BESIDE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_by_name() {
        assert!(is_engine(
            r"C:\Windows\Microsoft.NET\Framework64\v4.0.30319\CLR.dll"
        ));
        assert!(is_engine(r"C:\Program Files\Mozilla Firefox\xul.dll"));
        assert!(!is_engine(r"C:\Windows\System32\kernel32.dll") && !is_engine(""));
    }
}
