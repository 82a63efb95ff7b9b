//! Free ports.

use std::{
    collections::HashSet,
    io,
    net::{Ipv4Addr, TcpListener},
    sync::{Mutex, PoisonError},
};

/// Returns ports that were free a moment ago and that this function has not returned before
/// in this program. Another program may still take one first, so starting a server is
/// retried with new ports.
pub(crate) fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    let mut ports = [0; N];
    // All listeners stay open until the end, so that no two ports are the same.
    let mut held = Vec::new();
    for port in &mut ports {
        *port = loop {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            held.push(listener);
            if given.insert(port) {
                break port;
            }
        };
    }
    Ok(ports)
}
