#![no_main]
//! Events of event tracing of Windows: the first bytes choose provider, id and version.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src/parse"]
mod parse {
    pub(crate) mod etw_dns_client;
    pub(crate) mod etw_kernel_network;
    pub(crate) mod etw_kernel_process;
    pub(crate) mod windows_answer;
    pub(crate) mod windows_tables;
}
use libfuzzer_sys::fuzz_target;
use parse::etw_kernel_process::Told;
use parse::{etw_dns_client, etw_kernel_network, etw_kernel_process};

fuzz_target!(|data: &[u8]| {
    let Some(([which, id, version], payload)) = data.split_first_chunk() else {
        return;
    };
    let (id, version) = (u16::from(*id), *version);
    match which % 3 {
        0 => {
            let _ = etw_kernel_network::told(id, version, payload);
        }
        1 => {
            let told = etw_kernel_process::told(id, version, payload);
            let is_known = matches!(id, etw_kernel_process::START | etw_kernel_process::STOP);
            assert!(is_known || told.is_none());
            if let Some(Told::Start { image, .. }) = told {
                // A character of UTF-16 takes three bytes of UTF-8 at most.
                assert!(image.bytes().len() <= payload.len().saturating_mul(2));
            }
        }
        _ => {
            // 3006 and 3008 and their neighbours.
            let id = 3_000 + id % 16;
            if let Some(told) = etw_dns_client::told(id, version, payload) {
                assert!(matches!(id, etw_dns_client::QUESTION | etw_dns_client::ANSWER));
                assert!(told.name.bytes().len() <= payload.len().saturating_mul(2));
            }
        }
    }
});
