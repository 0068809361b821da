//! What is asked of an X display to know whose windows a person could see (X Window System Protocol,
//! version 11, appendix B; X-Resource, version 1.2; `WM_STATE`: Inter-Client Communication Conventions
//! Manual, 4.1.3.1).

use super::{ABOUT, FORMAT, request, short, u32_at};

/// The name of the extension that tells whose a client is.
pub(crate) const RESOURCES: &str = "X-Resource";
/// The property by which a window manager says what became of a window.
pub(crate) const WINDOW_STATE: &str = "WM_STATE";

const GET_ATTRIBUTES: u8 = 3;
const GET_GEOMETRY: u8 = 14;
const QUERY_TREE: u8 = 15;
const INTERN_ATOM: u8 = 16;
const GET_PROPERTY: u8 = 20;
const QUERY_VERSION: u8 = 0;
const QUERY_CLIENT_IDS: u8 = 4;
/// `XRES_CLIENT_ID_PID_MASK`.
const PID: u32 = 2;
/// Every number of the server has these three bits at zero.
const NUMBERS: u32 = 0x1fff_ffff;
/// More than any server has.
const MOST_SCREENS: usize = 16;
const SCREEN: usize = 40;
const DEPTH: usize = 8;
const VISUAL: usize = 24;
/// What follows the head of an answer that has no end of its own.
const LIST: usize = 32;

/// What the server says of itself to whom it lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct About {
    /// Who asks: [`About::owner`] of what is made by it.
    pub(crate) own: u32,
    mask: u32,
    pub(crate) screens: Vec<Screen>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    /// The window behind all others.
    pub(crate) root: u32,
    /// In pixels, and the same for what follows.
    pub(crate) width: u16,
    pub(crate) height: u16,
}

impl About {
    /// The client that has made a window, as [`clients`] names it. 0: the server itself.
    pub(crate) fn owner(&self, window: u32) -> u32 {
        window & !self.mask & NUMBERS
    }
}

/// `None`: cut short, or more than any server has.
pub(crate) fn about(bytes: &[u8]) -> Option<About> {
    let maker = usize::from(u16_at(bytes, 16)?);
    let screens = usize::from(*bytes.get(20)?);
    let formats = usize::from(*bytes.get(21)?);
    if screens > MOST_SCREENS {
        return None;
    }
    let mut about = About {
        own: u32_at(bytes, 4)?,
        mask: u32_at(bytes, 8)?,
        screens: Vec::new(),
    };
    let mut at = ABOUT + maker.next_multiple_of(4) + formats * FORMAT;
    for _ in 0..screens {
        let screen = bytes.get(at..)?;
        about.screens.push(Screen {
            root: u32_at(screen, 0)?,
            width: u16_at(screen, 20)?,
            height: u16_at(screen, 22)?,
        });
        let depths = *screen.get(39)?;
        at += SCREEN;
        for _ in 0..depths {
            let visuals = usize::from(u16_at(bytes.get(at..)?, 2)?);
            at += DEPTH + visuals * VISUAL;
        }
    }
    Some(about)
}

/// Asks for the number of a name, should it have one.
pub(crate) fn query_name(name: &str) -> Vec<u8> {
    const ONLY_IF_EXISTS: u8 = 1;
    let name = name.as_bytes();
    let mut body = short(name.len()).to_vec();
    body.extend([0, 0]);
    body.extend(super::padded(name));
    request(INTERN_ATOM, ONLY_IF_EXISTS, &body)
}

/// `None`: it has none.
pub(crate) fn name(reply: &[u8]) -> Option<u32> {
    u32_at(reply, 8).filter(|it| *it != 0)
}

/// Says which version of the extension is spoken.
pub(crate) fn query_resources(resources: u8) -> Vec<u8> {
    request(resources, QUERY_VERSION, &[1, 2, 0, 0])
}

/// Whether it can tell the processes of clients.
pub(crate) fn knows_processes(reply: &[u8]) -> bool {
    let version = u16_at(reply, 8).zip(u16_at(reply, 10));
    version.is_some_and(|version| version >= (1, 2))
}

/// Asks for all clients and their processes.
pub(crate) fn query_clients(resources: u8) -> Vec<u8> {
    // One question, of all clients.
    let words = [1, 0, PID].map(u32::to_le_bytes);
    request(resources, QUERY_CLIENT_IDS, words.as_flattened())
}

/// Each client and its process, as the server sees its number. One of which that is not known is not
/// there. `None`: cut short.
pub(crate) fn clients(reply: &[u8]) -> Option<Vec<(u32, u32)>> {
    let count = u32_at(reply, 8)?;
    let mut rest = reply.get(LIST..)?;
    let mut found = Vec::new();
    for _ in 0..count {
        let (client, kind) = (u32_at(rest, 0)?, u32_at(rest, 4)?);
        let length = usize::try_from(u32_at(rest, 8)?).ok()?;
        let (value, behind) = rest.get(12..)?.split_at_checked(length)?;
        rest = behind;
        if kind == PID
            && let Some(pid) = u32_at(value, 0)
            && i32::try_from(pid).is_ok_and(|pid| pid > 0)
        {
            found.push((client, pid));
        }
    }
    Some(found)
}

/// Asks for the windows in a window.
pub(crate) fn query_tree(window: u32) -> Vec<u8> {
    request(QUERY_TREE, 0, &window.to_le_bytes())
}

/// `None`: cut short. The count of an answer has too few bits for many: its length counts.
pub(crate) fn children(reply: &[u8]) -> Option<Vec<u32>> {
    let (windows, _) = reply.get(LIST..)?.as_chunks();
    Some(windows.iter().copied().map(u32::from_le_bytes).collect())
}

pub(crate) fn query_attributes(window: u32) -> Vec<u8> {
    request(GET_ATTRIBUTES, 0, &window.to_le_bytes())
}

/// Whether a window is on the screen, as far as it lies with it and those that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mapped {
    No,
    /// It is, but one that it is in is not.
    NotAbove,
    Yes,
}

/// `None`: it is one that shows nothing (`InputOnly`), or cut short.
pub(crate) fn mapped(reply: &[u8]) -> Option<Mapped> {
    const INPUT_OUTPUT: u16 = 1;
    if u16_at(reply, 12)? != INPUT_OUTPUT {
        return None;
    }
    match reply.get(26)? {
        0 => Some(Mapped::No),
        1 => Some(Mapped::NotAbove),
        2 => Some(Mapped::Yes),
        _ => None,
    }
}

pub(crate) fn query_geometry(window: u32) -> Vec<u8> {
    request(GET_GEOMETRY, 0, &window.to_le_bytes())
}

/// Where a window lies in the one that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) x: i16,
    pub(crate) y: i16,
    /// Without its border.
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) border: u16,
}

pub(crate) fn geometry(reply: &[u8]) -> Option<Geometry> {
    let signed = |at| u16_at(reply, at).map(u16::cast_signed);
    Some(Geometry {
        x: signed(12)?,
        y: signed(14)?,
        width: u16_at(reply, 16)?,
        height: u16_at(reply, 18)?,
        border: u16_at(reply, 20)?,
    })
}

/// Asks what the window manager says of a window; `name`: the number of [`WINDOW_STATE`].
pub(crate) fn query_state(window: u32, name: u32) -> Vec<u8> {
    let words = [window, name, 0, 0, 1].map(u32::to_le_bytes);
    request(GET_PROPERTY, 0, words.as_flattened())
}

/// What a window manager says of a window that it looks after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Normal,
    /// Put aside by the person.
    Iconic,
}

/// `None`: nothing, or that it is to be seen no more.
pub(crate) fn state(reply: &[u8]) -> Option<State> {
    let has_word = *reply.get(1)? == 32 && u32_at(reply, 16)? > 0;
    match u32_at(reply, LIST).filter(|_| has_word)? {
        1 => Some(State::Normal),
        3 => Some(State::Iconic),
        _ => None,
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn says_what_the_protocol_asks_for() {
        let asked = query_name(WINDOW_STATE);
        assert_eq!(asked[..8], [16, 1, 4, 0, 8, 0, 0, 0]);
        assert_eq!(query_resources(150), [150, 0, 2, 0, 1, 2, 0, 0]);
        let clients = [150, 4, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0];
        assert_eq!(query_clients(150), clients);
        assert_eq!(query_tree(0x1a3), [15, 0, 2, 0, 0xa3, 1, 0, 0]);
        assert_eq!(query_attributes(1), [3, 0, 2, 0, 1, 0, 0, 0]);
        assert_eq!(query_geometry(1), [14, 0, 2, 0, 1, 0, 0, 0]);
        let state = query_state(1, 300);
        assert_eq!(
            state[..12],
            [20, 0, 6, 0, 1, 0, 0, 0, 0x2c, 1, 0, 0],
            "{state:?}"
        );
        assert_eq!(state[12..], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    }

    #[test]
    fn a_server_says_what_screens_it_has() {
        let mut bytes = vec![0; ABOUT];
        bytes[4..8].copy_from_slice(&0x40_0000_u32.to_le_bytes());
        bytes[8..12].copy_from_slice(&0x1f_ffff_u32.to_le_bytes());
        (bytes[16], bytes[20], bytes[21]) = (5, 2, 1);
        bytes.extend(*b"maker\0\0\0");
        bytes.extend([0; FORMAT]);
        for (root, depths) in [(0x1a3_u32, 2), (0x1b0, 0)] {
            let mut screen = [0; SCREEN];
            screen[..4].copy_from_slice(&root.to_le_bytes());
            screen[20..24].copy_from_slice(&[0x80, 2, 0xe0, 1]);
            screen[39] = depths;
            bytes.extend(screen);
            for visuals in 0..depths {
                let mut depth = [0; DEPTH];
                depth[2] = visuals;
                bytes.extend(depth);
                bytes.extend(vec![0; usize::from(visuals) * VISUAL]);
            }
        }
        let found = about(&bytes).unwrap();
        let screen = |root| Screen {
            root,
            width: 640,
            height: 480,
        };
        assert_eq!(found.screens, [screen(0x1a3), screen(0x1b0)]);
        assert_eq!(found.own, 0x40_0000);
        assert_eq!(found.owner(0x60_0007), 0x60_0000);
        assert_eq!(found.owner(0x1a3), 0);
        assert_eq!(about(&bytes[..bytes.len() - 1]), None);
    }

    #[test]
    fn clients_have_a_process_or_none() {
        let mut reply = vec![0; LIST];
        reply[8] = 3;
        let entry = |client: u32, kind: u32, value: &[u32]| {
            let length = u32::try_from(value.len() * 4).unwrap();
            let head = [client, kind, length].map(u32::to_le_bytes);
            let value: Vec<_> = value.iter().flat_map(|it| it.to_le_bytes()).collect();
            [head.as_flattened(), &value].concat()
        };
        reply.extend(entry(0x20_0000, PID, &[1234]));
        reply.extend(entry(0x40_0000, 1, &[0x40_0000]));
        reply.extend(entry(0x60_0000, PID, &[0]));
        assert_eq!(clients(&reply), Some(vec![(0x20_0000, 1234)]));
        assert_eq!(clients(&reply[..reply.len() - 1]), None);
    }

    #[test]
    fn what_is_said_of_a_window() {
        let mut reply = vec![0; 44];
        (reply[12], reply[26]) = (1, 2);
        assert_eq!(mapped(&reply), Some(Mapped::Yes));
        reply[26] = 1;
        assert_eq!(mapped(&reply), Some(Mapped::NotAbove));
        reply[12] = 2;
        assert_eq!(mapped(&reply), None);
        let mut reply = vec![0; 32];
        reply[12..22].copy_from_slice(&[0xff, 0xff, 2, 0, 3, 0, 4, 1, 5, 0]);
        let expected = Geometry {
            x: -1,
            y: 2,
            width: 3,
            height: 260,
            border: 5,
        };
        assert_eq!(geometry(&reply), Some(expected));
        let mut reply = vec![0; 36];
        (reply[1], reply[16], reply[32]) = (32, 1, 3);
        assert_eq!(state(&reply), Some(State::Iconic));
        reply[32] = 1;
        assert_eq!(state(&reply), Some(State::Normal));
        reply[32] = 0;
        assert_eq!(state(&reply), None);
        (reply[1], reply[32]) = (8, 3);
        assert_eq!(state(&reply), None);
        assert_eq!(children(&[0; 40]), Some(vec![0, 0]));
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>, filled in proptest::collection::vec(0_u8..4, 0..200)) {
            for bytes in [&bytes, &filled] {
                let _ = about(bytes);
                let _ = name(bytes);
                let _ = knows_processes(bytes);
                let _ = clients(bytes);
                let _ = children(bytes);
                let _ = mapped(bytes);
                let _ = geometry(bytes);
                let _ = state(bytes);
            }
        }
    }
}
