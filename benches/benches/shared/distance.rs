//! A network between the library and a server on the same machine: every packet arrives later.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// The time that a packet takes to the server, and as long again to come back. The round trip of
/// half a millisecond is that of two machines of one data centre.
const ONE_WAY: Duration = Duration::from_micros(250);

/// Returns the URL of a listener that hands each connection on to the server of `url`, later by
/// [`ONE_WAY`] in each direction. The listener lives as long as the process.
pub(crate) fn far_away(url: &str) -> String {
    let (head, rest) = url.split_once('@').expect("a URL with a user");
    let (server, path) = rest.split_once('/').expect("a URL with a database");
    let server: SocketAddr = server.parse().expect("an address with a port");
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            // At the end of the bench, the server stops before the pool does.
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else { continue };
            for (from, to) in [(&client, &server), (&server, &client)] {
                let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                thread::spawn(move || carry(from, to));
            }
        }
    });
    format!("{head}@127.0.0.1:{port}/{path}")
}

/// Carries what one side sends to the other, until one of them closes its connection.
///
/// A database connection sends one packet and waits for the answer, so the packets of one
/// direction need not overlap.
fn carry(mut from: TcpStream, mut to: TcpStream) {
    to.set_nodelay(true).ok();
    let mut packet = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut packet) {
        thread::sleep(ONE_WAY);
        if to.write_all(&packet[..length]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Write).ok();
}
