//! What lies in what, without a server; with one: `examine/display/tests/without_window.rs`.

use proptest::prelude::*;

use super::*;

fn of(x: i16, y: i16, width: u16, height: u16) -> Geometry {
    Geometry {
        x,
        y,
        width,
        height,
        border: 1,
    }
}

fn screen() -> Outer {
    behind_all(&Screen {
        root: 1,
        width: 640,
        height: 480,
    })
}

#[test]
fn a_window_in_a_window_shows_what_both_show() {
    let frame = placed(10, 1, of(600, 400, 100, 100), &screen());
    assert_eq!(frame.visible.to, (640, 480));
    assert!(!frame.is_in_another);
    let inner = placed(20, 2, of(10, 10, 20, 20), &frame);
    assert_eq!(inner.origin, (612, 412));
    assert!(inner.is_in_another && inner.visible.is_seen());
    // Out of what can be seen of the frame, though it is large.
    let beside = placed(21, 2, of(40, 0, 50, 50), &frame);
    assert!(!beside.visible.is_seen());
    // Its own window in it is in another, too.
    let innermost = placed(22, 2, of(0, 0, 5, 5), &inner);
    assert!(innermost.is_in_another);
}

#[test]
fn what_is_said_of_windows_comes_back() {
    let windows = crate::linux::seats::Windows {
        user: 1000,
        clients: vec![
            Client {
                pid: 7,
                shows: true,
            },
            Client {
                pid: 7,
                shows: false,
            },
        ],
    };
    let read = |bytes: &[u8]| crate::linux::seats::Windows::parse(bytes);
    assert_eq!(read(&windows.bytes()), Some(windows));
    for nothing in [&[][..], &[0; 8], &[1, 0, 0, 0]] {
        assert_eq!(read(nothing), None);
    }
}

proptest! {
    #[test]
    fn never_panics(places: Vec<(i16, i16, u16, u16)>) {
        let mut outer = screen();
        for (x, y, width, height) in places.into_iter().take(MOST_DEEP) {
            outer = placed(2, 2, of(x, y, width, height), &outer);
            outer.visible.is_seen();
        }
    }
}
