//! The window that this program writes to.

use crate::platform;

/// Whether the window was opened for this program, and closes when it ends: it was started with a
/// double-click. False where that cannot be told.
pub fn is_own() -> bool {
    platform::console::is_own()
}
