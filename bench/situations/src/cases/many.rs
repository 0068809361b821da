//! Many connections, or little over one for a long time.

use std::io;
use std::thread;
use std::time::Duration;

use crate::exchange::{connect, echo, finish, short};
use crate::lab::{ANSWER, ECHO, Lab, far};

pub fn drip(lab: &Lab) -> io::Result<()> {
    let (mut act, socket) = connect(far(ECHO))?;
    for _ in 0..20 {
        echo(&mut act, &socket, 50)?;
        thread::sleep(Duration::from_millis(200));
    }
    finish(&mut act, &socket)?;
    drop(socket);
    lab.record(act)
}

pub fn small(lab: &Lab) -> io::Result<()> {
    for _ in 0..lab.times(200) {
        short(lab, far(ANSWER.start))?;
    }
    Ok(())
}

pub fn burst(lab: &Lab) -> io::Result<()> {
    thread::scope(|scope| {
        let threads: Vec<_> = ANSWER
            .take(8)
            .map(|port| scope.spawn(move || (0..10).try_for_each(|_| short(lab, far(port)))))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
        })
    })
}
