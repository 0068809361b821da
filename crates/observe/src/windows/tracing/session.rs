//! A session of event tracing in real time: begun, read by a thread of its own, asked, ended. One at most
//! on a computer: one that was left by a whocalls that was killed is ended first.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::os::windows::io::{FromRawHandle as _, OwnedHandle};
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{io, slice};

use model::Gap;
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_NO_SYSTEM_RESOURCES, ERROR_SUCCESS,
    ERROR_TIMEOUT, ERROR_WMI_INSTANCE_NOT_FOUND, GetLastError, WIN32_ERROR,
};
use windows_sys::Win32::System::Diagnostics::Etw::{
    CONTROLTRACE_HANDLE, CloseTrace, ControlTraceW, EVENT_CONTROL_CODE_ENABLE_PROVIDER,
    EVENT_RECORD, EVENT_TRACE_CONTROL, EVENT_TRACE_CONTROL_FLUSH, EVENT_TRACE_CONTROL_QUERY,
    EVENT_TRACE_CONTROL_STOP, EVENT_TRACE_LOGFILEW, EVENT_TRACE_PROPERTIES,
    EVENT_TRACE_REAL_TIME_MODE, EnableTraceEx2, OpenTraceW, PROCESS_TRACE_MODE_EVENT_RECORD,
    PROCESS_TRACE_MODE_REAL_TIME, PROCESSTRACE_HANDLE, ProcessTrace, StartTraceW,
    TRACE_LEVEL_INFORMATION, WNODE_FLAG_TRACED_GUID,
};
use windows_sys::Win32::System::Threading::CreateMutexW;
use windows_sys::core::GUID;

use super::untraced;
use crate::parse::windows_tables::file_time;
use crate::traced::{PROVIDERS, Raw, is_wanted};
use crate::windows::wide::wide;

const NAME: &str = "whocalls";
/// Exists as long as a whocalls has the session.
const LOCK: &str = r"Global\whocalls-tracing";
/// Events that wait for us.
const MOST_WAITING: usize = 32_768;
/// So much of an event is taken; only lines of results are longer.
const MOST_BYTES: usize = 4_096;
/// How long Windows may keep an event in a buffer that is not full, in seconds: there is no less.
const FLUSHED_EACH: u32 = 1;
/// In KiB, and how many of them: 8 MiB at most.
const BUFFER: u32 = 64;
const FEWEST_BUFFERS: u32 = 16;
const MOST_BUFFERS: u32 = 128;
/// So long it is waited until a provider tells, in ms: the look that comes next takes it for granted.
const ENABLED_WITHIN: u32 = 500;
/// So long it is waited for the thread when the session has ended.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(in crate::windows) enum Untraced {
    #[error("event tracing (ETW) is for administrators: start whocalls as administrator")]
    NoRights,
    #[error(
        "another whocalls, or something that holds its lock, traces this computer already, and there is \
             one session only"
    )]
    Another,
    #[error("as many sessions of event tracing (ETW) run as this Windows allows: end one of them")]
    TooMany,
    #[error("event tracing (ETW) does not deliver here: its session is said to run, and does not")]
    Nothing,
    #[error("event tracing (ETW) cannot be used: {what}: {why}")]
    Failed { what: &'static str, why: io::Error },
}

/// What was lost since the session began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Losses {
    /// Windows had no buffer for them.
    pub(super) events: u64,
    /// Buffers of events that nobody fetched in time.
    pub(super) buffers: u64,
    /// Events that we had no room for.
    pub(super) unread: u64,
}

pub(in crate::windows) struct Session {
    control: CONTROLTRACE_HANDLE,
    reading: PROCESSTRACE_HANDLE,
    thread: Option<JoinHandle<()>>,
    waiting: Receiver<Raw>,
    shared: Arc<Shared>,
    /// Providers that could not be asked.
    pub(super) gaps: Vec<Gap>,
    /// `None`: something else holds it, and traces nothing.
    _lock: Option<OwnedHandle>,
}

/// What the thread fills.
struct Shared {
    waiting: SyncSender<Raw>,
    unread: AtomicU64,
}

/// What Windows wants to be told of a session, with room for its name behind it.
#[repr(C)]
struct Properties {
    about: EVENT_TRACE_PROPERTIES,
    name: [u16; 256],
}

impl Properties {
    fn new() -> Self {
        let mut about = EVENT_TRACE_PROPERTIES::default();
        about.Wnode.BufferSize = u32::try_from(size_of::<Self>()).unwrap_or_default();
        about.Wnode.Flags = WNODE_FLAG_TRACED_GUID;
        // The finest clock (QueryPerformanceCounter); the times that are handed on are of the wall clock.
        about.Wnode.ClientContext = 1;
        about.LoggerNameOffset =
            u32::try_from(size_of::<EVENT_TRACE_PROPERTIES>()).unwrap_or_default();
        Self {
            about,
            name: [0; 256],
        }
    }
}

impl Session {
    pub(in crate::windows) fn start() -> Result<Self, Untraced> {
        let lock = lock()?;
        let name = wide(NAME);
        let control = begin(&name, lock.is_some())?;
        match Self::read(control, &name, lock) {
            Ok(session) => Ok(session),
            Err(error) => {
                let _ = ask(control, &name, EVENT_TRACE_CONTROL_STOP);
                Err(error)
            }
        }
    }

    fn read(
        control: CONTROLTRACE_HANDLE,
        name: &[u16],
        lock: Option<OwnedHandle>,
    ) -> Result<Self, Untraced> {
        // Wine says yes to everything and does nothing.
        let state = ask(control, name, EVENT_TRACE_CONTROL_QUERY)
            .map_err(|why| failed("asking for the session", why))?;
        if state.about.NumberOfBuffers == 0 {
            return Err(Untraced::Nothing);
        }
        let (sender, waiting) = sync_channel(MOST_WAITING);
        let shared = Arc::new(Shared {
            waiting: sender,
            unread: AtomicU64::new(0),
        });
        let reading = open(name, &shared)?;
        let gaps = PROVIDERS
            .into_iter()
            .filter_map(|(provider, keywords)| enable(control, provider, keywords))
            .collect();
        // It is in the hands of the callback as long as the thread runs.
        let kept = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("tracing".to_owned())
            .spawn(move || {
                let _kept = kept;
                process(reading);
            });
        let thread = match thread {
            Ok(thread) => thread,
            Err(error) => {
                close(reading);
                return Err(Untraced::Failed {
                    what: "starting a thread",
                    why: error,
                });
            }
        };
        Ok(Self {
            control,
            reading,
            thread: Some(thread),
            waiting,
            shared,
            gaps,
            _lock: lock,
        })
    }

    /// An event that has come. `None`: there is none.
    pub(super) fn take(&mut self) -> Option<Raw> {
        self.waiting.try_recv().ok()
    }

    /// Has Windows hand on what it has in its buffers.
    pub(super) fn flush(&mut self) {
        // When it does not, the events come once a second.
        let _ = ask(self.control, &wide(NAME), EVENT_TRACE_CONTROL_FLUSH);
    }

    /// `None`: it is not told any more.
    pub(super) fn losses(&mut self) -> Option<Losses> {
        let state = ask(self.control, &wide(NAME), EVENT_TRACE_CONTROL_QUERY).ok()?;
        Some(Losses {
            events: u64::from(state.about.EventsLost),
            buffers: u64::from(state.about.RealTimeBuffersLost),
            unread: self.shared.unread.load(Ordering::Relaxed),
        })
    }

    /// Whether nothing more will come.
    pub(super) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = ask(self.control, &wide(NAME), EVENT_TRACE_CONTROL_STOP);
        close(self.reading);
        let Some(thread) = self.thread.take() else {
            return;
        };
        let asked = Instant::now();
        while !thread.is_finished() && asked.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(10));
        }
        // One that does not end keeps what it needs.
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}

/// Nobody else of ours may have it. It is let go of with the process, however that ends. `None`: something
/// else holds it, as every user may, and there is no session: then it says nothing.
fn lock() -> Result<Option<OwnedHandle>, Untraced> {
    let name = wide(LOCK);
    // SAFETY: `name` ends with a zero and outlives the call.
    let lock = unsafe { CreateMutexW(null(), 0, name.as_ptr()) };
    // SAFETY: nothing is passed.
    let error = unsafe { GetLastError() };
    if lock.is_null() {
        // Of a user whose objects we may not open.
        if error == ERROR_ACCESS_DENIED {
            return is_nobody().map(|()| None);
        }
        return Err(failed("making sure that it is the only one", error));
    }
    // SAFETY: it was given to us to close, and nobody else does.
    let lock = unsafe { OwnedHandle::from_raw_handle(lock) };
    if error == ERROR_ALREADY_EXISTS {
        return is_nobody().map(|()| None);
    }
    Ok(Some(lock))
}

/// Makes sure that no session of ours runs.
fn is_nobody() -> Result<(), Untraced> {
    let nobody = CONTROLTRACE_HANDLE::default();
    match ask(nobody, &wide(NAME), EVENT_TRACE_CONTROL_QUERY) {
        Ok(_) => Err(Untraced::Another),
        Err(ERROR_WMI_INSTANCE_NOT_FOUND) => Ok(()),
        Err(why) => Err(failed("asking whether another one runs", why)),
    }
}

/// Without the lock, a session that is there already is somebody's.
fn begin(name: &[u16], is_locked: bool) -> Result<CONTROLTRACE_HANDLE, Untraced> {
    let mut is_again = false;
    loop {
        let mut properties = Properties::new();
        properties.about.LogFileMode = EVENT_TRACE_REAL_TIME_MODE;
        properties.about.BufferSize = BUFFER;
        properties.about.MinimumBuffers = FEWEST_BUFFERS;
        properties.about.MaximumBuffers = MOST_BUFFERS;
        properties.about.FlushTimer = FLUSHED_EACH;
        let mut control = CONTROLTRACE_HANDLE::default();
        // SAFETY: `name` ends with a zero; `properties` says how large it is and has room for the name;
        // all outlive the call.
        let result = unsafe {
            StartTraceW(
                &raw mut control,
                name.as_ptr(),
                (&raw mut properties).cast(),
            )
        };
        match result {
            ERROR_SUCCESS => return Ok(control),
            // Its process is no more: the lock is ours.
            ERROR_ALREADY_EXISTS if !is_locked => return Err(Untraced::Another),
            ERROR_ALREADY_EXISTS if !is_again => {
                is_again = true;
                let nobody = CONTROLTRACE_HANDLE::default();
                ask(nobody, name, EVENT_TRACE_CONTROL_STOP)
                    .map_err(|why| failed("ending the session of a former run", why))?;
            }
            other => return Err(failed("starting a session", other)),
        }
    }
}

fn failed(what: &'static str, why: WIN32_ERROR) -> Untraced {
    match why {
        ERROR_ACCESS_DENIED => Untraced::NoRights,
        ERROR_NO_SYSTEM_RESOURCES => Untraced::TooMany,
        other => Untraced::Failed {
            what,
            why: io::Error::from_raw_os_error(other.cast_signed()),
        },
    }
}

/// Asks for a session, by its number or, when that is 0, by its name.
fn ask(
    control: CONTROLTRACE_HANDLE,
    name: &[u16],
    what: EVENT_TRACE_CONTROL,
) -> Result<Properties, WIN32_ERROR> {
    let mut properties = Properties::new();
    let name = if control.Value == 0 {
        name.as_ptr()
    } else {
        null()
    };
    // SAFETY: `name` is null or ends with a zero; `properties` says how large it is; both outlive the call.
    let result = unsafe { ControlTraceW(control, name, (&raw mut properties).cast(), what) };
    if result == ERROR_SUCCESS {
        Ok(properties)
    } else {
        Err(result)
    }
}

/// Tells of a provider that it cannot be asked.
fn enable(control: CONTROLTRACE_HANDLE, provider: u128, keywords: u64) -> Option<Gap> {
    let identifier = GUID::from_u128(provider);
    let level = u8::try_from(TRACE_LEVEL_INFORMATION).unwrap_or(u8::MAX);
    let what = EVENT_CONTROL_CODE_ENABLE_PROVIDER;
    // SAFETY: the session runs; `identifier` outlives the call.
    let result = unsafe {
        EnableTraceEx2(
            control,
            &raw const identifier,
            what,
            level,
            keywords,
            0,
            ENABLED_WITHIN,
            null(),
        )
    };
    // Some process has not answered yet: it will tell from then on.
    let is_on = matches!(result, ERROR_SUCCESS | ERROR_TIMEOUT);
    (!is_on).then(|| {
        let why = io::Error::from_raw_os_error(result.cast_signed());
        untraced(format!(
            "one provider of event tracing (ETW) cannot be asked: {provider:032x}: {why}"
        ))
    })
}

fn open(name: &[u16], shared: &Arc<Shared>) -> Result<PROCESSTRACE_HANDLE, Untraced> {
    /// `INVALID_PROCESSTRACE_HANDLE`.
    const INVALID: u64 = u64::MAX;

    let mut name = name.to_vec();
    let mut file = EVENT_TRACE_LOGFILEW {
        LoggerName: name.as_mut_ptr(),
        Context: Arc::as_ptr(shared).cast_mut().cast(),
        ..EVENT_TRACE_LOGFILEW::default()
    };
    file.Anonymous1.ProcessTraceMode =
        PROCESS_TRACE_MODE_REAL_TIME | PROCESS_TRACE_MODE_EVENT_RECORD;
    file.Anonymous2.EventRecordCallback = Some(took);
    // SAFETY: `file` and the name in it, which ends with a zero, outlive the call. What is shared is used
    // by the callback only, which runs within `process`.
    let reading = unsafe { OpenTraceW(&raw mut file) };
    if reading.Value == INVALID {
        // SAFETY: nothing is passed.
        let why = unsafe { GetLastError() };
        return Err(failed("reading the session", why));
    }
    Ok(reading)
}

/// Until the session has ended.
fn process(reading: PROCESSTRACE_HANDLE) {
    // SAFETY: the handle is open, and the callback's memory is kept by who calls this.
    let _result = unsafe { ProcessTrace(&raw const reading, 1, null(), null_mut()) };
}

fn close(reading: PROCESSTRACE_HANDLE) {
    // SAFETY: the handle was given to us to close, and nobody else does.
    unsafe { CloseTrace(reading) };
}

/// Copies an event out of the buffers of Windows. Never waits: Windows would lose others meanwhile.
unsafe extern "system" fn took(record: *mut EVENT_RECORD) {
    // SAFETY: Windows passes an event that stays there until we return.
    let Some(record) = (unsafe { record.as_ref() }) else {
        return;
    };
    // SAFETY: it is what `open` has passed, which is kept as long as the thread runs that calls this.
    let Some(shared) = (unsafe { record.UserContext.cast::<Shared>().as_ref() }) else {
        return;
    };
    let header = &record.EventHeader;
    let provider = number(header.ProviderId);
    let id = header.EventDescriptor.Id;
    let time = u64::try_from(header.TimeStamp).ok().and_then(file_time);
    let (true, Some(time)) = (is_wanted(provider, id), time) else {
        return;
    };
    let raw = Raw {
        provider,
        id,
        version: header.EventDescriptor.Version,
        pid: header.ProcessId,
        thread: header.ThreadId,
        time,
        payload: payload(record),
    };
    if shared.waiting.try_send(raw).is_err() {
        shared.unread.fetch_add(1, Ordering::Relaxed);
    }
}

fn payload(record: &EVENT_RECORD) -> Vec<u8> {
    let length = usize::from(record.UserDataLength).min(MOST_BYTES);
    if record.UserData.is_null() {
        return Vec::new();
    }
    // SAFETY: there are as many bytes as the event says, and they stay there while it is handled.
    let bytes = unsafe { slice::from_raw_parts(record.UserData.cast::<u8>(), length) };
    bytes.to_vec()
}

fn number(identifier: GUID) -> u128 {
    let GUID {
        data1,
        data2,
        data3,
        data4,
    } = identifier;
    let first = u128::from(data1) << 96 | u128::from(data2) << 80 | u128::from(data3) << 64;
    first | u128::from(u64::from_be_bytes(data4))
}
