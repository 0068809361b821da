//! How this computer is set up, for the first and the last page of a case. Only read: no program is
//! started, and no module of the kernel is loaded by asking.

use model::{Clock, System};

use crate::platform;

/// The computer and the settings of our network namespace, now. Some of it takes rights; what could
/// not be read is a gap in it. It may be asked after rights were given up.
pub fn system() -> System {
    platform::system::system()
}

/// The clocks of this computer, now.
pub fn clock() -> Clock {
    platform::system::clock()
}
