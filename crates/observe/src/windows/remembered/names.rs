//! Names that were looked up, and their addresses: the cache of the DNS client. The names come from a
//! function that Microsoft does not describe but `ipconfig /displaydns` uses; the addresses from the
//! cache alone, so that nothing is ever asked of the network.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::ffi::c_void;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{RememberedBy, Text};
use windows_sys::Win32::NetworkManagement::Dns::{
    DNS_QUERY_NO_HOSTS_FILE, DNS_QUERY_NO_LOCAL_NAME, DNS_QUERY_NO_MULTICAST, DNS_QUERY_NO_NETBT,
    DNS_QUERY_NO_WIRE_QUERY, DNS_RECORDW, DNS_TYPE_A, DNS_TYPE_AAAA, DnsFreeRecordList,
};

use super::super::library::Library;
use super::{LIMIT, Memory};

/// Longest name, in units of UTF-16: DNS has 255.
const LONGEST: usize = 512;
/// Records of one answer.
const MOST_RECORDS: usize = 1000;
/// From the cache and from nothing else: no server, no multicast, no NetBIOS, no file.
const ONLY_CACHE: u32 = DNS_QUERY_NO_WIRE_QUERY
    | DNS_QUERY_NO_HOSTS_FILE
    | DNS_QUERY_NO_LOCAL_NAME
    | DNS_QUERY_NO_MULTICAST
    | DNS_QUERY_NO_NETBT;

/// `DNS_CACHE_ENTRY`, as programs that use `DnsGetCacheDataTable` have it.
#[repr(C)]
struct Entry {
    next: *const Entry,
    name: *const u16,
    kind: u16,
    length: u16,
    flags: u32,
}

/// `DnsGetCacheDataTable`.
type Table = unsafe extern "system" fn(*mut *const Entry) -> i32;
/// `DnsQuery_W`.
type Query = unsafe extern "system" fn(
    *const u16,
    u16,
    u32,
    *mut c_void,
    *mut *const DNS_RECORDW,
    *mut *mut c_void,
) -> u32;
/// `DnsFree`.
type Free = unsafe extern "system" fn(*const c_void, i32);
type Any = unsafe extern "system" fn() -> isize;

/// A name with its zero at the end, and which kind of record is kept of it.
struct Kept {
    name: Vec<u16>,
    kind: u16,
}

pub(super) fn names(memory: &mut Memory) {
    let missed = "names that were looked up, and their addresses";
    let Some((table, query, free)) = functions() else {
        let why = "this Windows has no function to list the cache of its DNS client";
        memory.gap("resolver_cache_unreadable", why, missed);
        return;
    };
    let Some((names, whole)) = kept(table) else {
        let why = "the DNS client of Windows does not list its cache; \
                   it may be switched off (service Dnscache)";
        memory.gap("resolver_cache_unreadable", why, missed);
        return;
    };
    let mut whole = whole;
    let mut silent = 0;
    for kept in &names {
        if kept.kind != DNS_TYPE_A && kept.kind != DNS_TYPE_AAAA {
            continue;
        }
        let addresses = addresses(kept, query, free);
        silent += usize::from(addresses.is_empty());
        let name = kept.name.strip_suffix(&[0]).unwrap_or(&kept.name);
        let name = Text::from(String::from_utf16_lossy(name));
        for ip in addresses {
            whole &= memory.add(RememberedBy::ResolverCache, ip, Some(name.clone()));
        }
    }
    if silent > 0 {
        let why = "the DNS client keeps names without an address: the answer was that there is none, \
                   or it has grown too old since";
        memory.gap("resolver_cache_no_address", why, "their addresses");
        if let Some(gap) = memory.gaps.last_mut() {
            gap.count = u64::try_from(silent).ok();
        }
    }
    if !whole {
        let why = format!("the DNS client keeps more than {LIMIT} names or addresses");
        memory.gap("remembered_let_go", why, "the others of them");
    }
}

fn functions() -> Option<(Table, Query, Free)> {
    let library = Library::of_system("dnsapi.dll")?;
    let table = library.function(c"DnsGetCacheDataTable")?;
    let query = library.function(c"DnsQuery_W")?;
    let free = library.function(c"DnsFree")?;
    // SAFETY: this is the type of the function of that name.
    let table = unsafe { std::mem::transmute::<Any, Table>(table) };
    // SAFETY: as above.
    let query = unsafe { std::mem::transmute::<Any, Query>(query) };
    // SAFETY: as above.
    let free = unsafe { std::mem::transmute::<Any, Free>(free) };
    Some((table, query, free))
}

/// What the cache lists, and whether that is all. `None`: it lists nothing at all.
fn kept(table: Table) -> Option<(Vec<Kept>, bool)> {
    let mut next: *const Entry = std::ptr::null();
    // SAFETY: `next` outlives the call, which writes an address there.
    let told = unsafe { table(&raw mut next) };
    if told == 0 {
        return None;
    }
    let mut names = Vec::new();
    // The list is not freed: nobody says how, and a wrong way may bring the program down.
    // It is as large as the cache, once a look with memories.
    while !next.is_null() {
        if names.len() >= LIMIT {
            return Some((names, false));
        }
        // SAFETY: entries stay where they are, and each names the next or none.
        let entry = unsafe { next.read() };
        if let Some(name) = until_zero(entry.name) {
            names.push(Kept {
                name,
                kind: entry.kind,
            });
        }
        next = entry.next;
    }
    Some((names, true))
}

/// With its zero. `None`: there is none, or it is longer than names are.
fn until_zero(start: *const u16) -> Option<Vec<u16>> {
    let mut units = Vec::new();
    if start.is_null() {
        return None;
    }
    for place in 0..LONGEST {
        let unit = start.wrapping_add(place);
        // SAFETY: the text goes on up to its zero, which has not come yet.
        let unit = unsafe { unit.read() };
        units.push(unit);
        if unit == 0 {
            return (units.len() > 1).then_some(units);
        }
    }
    None
}

/// The addresses that the cache has for a name.
fn addresses(kept: &Kept, query: Query, free: Free) -> Vec<IpAddr> {
    let mut found = Vec::new();
    let (name, none) = (kept.name.as_ptr(), std::ptr::null_mut());
    let mut first: *const DNS_RECORDW = std::ptr::null();
    let answer = &raw mut first;
    // SAFETY: `name` ends with a zero; it and `first` outlive the call; the others may be null.
    let error = unsafe { query(name, kept.kind, ONLY_CACHE, none, answer, none.cast()) };
    if error == 0 {
        let mut next = first;
        for _ in 0..MOST_RECORDS {
            if next.is_null() {
                break;
            }
            found.extend(address(next));
            // SAFETY: records stay until they are freed, and each names the next or none.
            next = unsafe { (*next).pNext };
        }
    }
    if !first.is_null() {
        // SAFETY: `DnsQuery_W` made the list, and it is not used any more.
        unsafe { free(first.cast(), DnsFreeRecordList) };
    }
    found
}

/// `None`: a record of another kind. `record` is one that has not been freed.
fn address(record: *const DNS_RECORDW) -> Option<IpAddr> {
    // A record may be shorter than the type, which has room for the longest of all kinds: only what
    // its kind has is touched.
    // SAFETY: every record has a kind.
    let kind = unsafe { (*record).wType };
    let data = record
        .cast::<u8>()
        .wrapping_add(std::mem::offset_of!(DNS_RECORDW, Data));
    match kind {
        DNS_TYPE_A => {
            // SAFETY: a record of this kind has an address of four bytes, in network order.
            let bytes = unsafe { data.cast::<[u8; 4]>().read() };
            Some(Ipv4Addr::from(bytes).into())
        }
        DNS_TYPE_AAAA => {
            // SAFETY: likewise of sixteen.
            let bytes = unsafe { data.cast::<[u8; 16]>().read() };
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}
