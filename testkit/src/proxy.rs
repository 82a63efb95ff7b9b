//! A proxy that breaks connections on purpose.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering},
    },
    thread,
};

/// The direction of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Request,
    Answer,
}

/// The next message to lose, and the number of messages that pass before it.
#[derive(Clone, Copy, Debug)]
struct Loss {
    way: Way,
    passing: u32,
}

/// A proxy between clients and a server on this machine. It forwards everything until a
/// test asks it to lose a message. It then ends the connection of that message, like a
/// broken network. Or it [falls silent](Self::fall_silent).
///
/// It counts chunks as they arrive. If a client waits for each answer before its next
/// request, and both are short, a chunk is one request or one answer.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    wires: Arc<Wires>,
}

#[derive(Debug, Default)]
struct Wires {
    /// The port of the server to which new connections lead.
    server: AtomicU16,
    loss: Mutex<Option<Loss>>,
    /// Whether data is read and not forwarded, while all connections stay open.
    silent: AtomicBool,
    ended: AtomicBool,
    requests: AtomicU64,
}

impl Proxy {
    /// Starts a proxy to the server on this port.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub fn to(server: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let wires = Arc::new(Wires { server: AtomicU16::new(server), ..Wires::default() });
        let accepting = Arc::clone(&wires);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.ended.load(Ordering::SeqCst) {
                    return;
                }
                // A failed connection is dropped, which the client sees as a broken one.
                if let Ok(client) = client {
                    connect(client, &accepting).ok();
                }
            }
        });
        Ok(Self { port, wires })
    }

    /// Returns the port that the proxy listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Leads new connections to the server on another port. Open connections stay as they are.
    pub fn lead_to(&self, server: u16) {
        self.wires.server.store(server, Ordering::SeqCst);
    }

    /// Returns the number of requests that have arrived.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.wires.requests.load(Ordering::SeqCst)
    }

    /// Lets `passing` more requests through and loses the next: the server never receives
    /// it.
    pub fn lose_request_after(&self, passing: u32) {
        self.lose(Some(Loss { way: Way::Request, passing }));
    }

    /// Lets `passing` more answers through and loses the next: the server has done the
    /// work, and the client never receives the answer.
    pub fn lose_answer_after(&self, passing: u32) {
        self.lose(Some(Loss { way: Way::Answer, passing }));
    }

    /// Forwards nothing any more, and leaves all connections open, like a network that drops every
    /// packet. What arrives until [`end_silence`](Self::end_silence) is lost.
    pub fn fall_silent(&self) {
        self.wires.silent.store(true, Ordering::SeqCst);
    }

    /// Forwards again.
    pub fn end_silence(&self) {
        self.wires.silent.store(false, Ordering::SeqCst);
    }

    /// Stops losing messages. Returns whether a loss was still pending.
    #[must_use = "it tells whether anything was lost"]
    pub fn stop_faults(&self) -> bool {
        self.lose(None)
    }

    fn lose(&self, loss: Option<Loss>) -> bool {
        let mut current = self.wires.loss.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, loss).is_some()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.wires.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for clients.
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok();
    }
}

impl Wires {
    /// Returns whether this chunk is the one to lose.
    fn loses(&self, way: Way) -> bool {
        if way == Way::Request {
            self.requests.fetch_add(1, Ordering::SeqCst);
        }
        let mut loss = self.loss.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *loss {
            Some(next) if next.way == way && next.passing == 0 => {
                *loss = None;
                true
            }
            Some(next) if next.way == way => {
                next.passing -= 1;
                false
            }
            _ => false,
        }
    }
}

fn connect(client: TcpStream, wires: &Arc<Wires>) -> io::Result<()> {
    let server = wires.server.load(Ordering::SeqCst);
    let server = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, server)))?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (back_from, back_to) = (server.try_clone()?, client.try_clone()?);
    let (there, back) = (Arc::clone(wires), Arc::clone(wires));
    thread::spawn(move || pass(client, server, Way::Request, &there));
    thread::spawn(move || pass(back_from, back_to, Way::Answer, &back));
    Ok(())
}

/// Forwards data until one side ends, and then ends both.
fn pass(mut from: TcpStream, mut to: TcpStream, way: Way, wires: &Wires) {
    let mut piece = [0; 16 * 1024];
    loop {
        match from.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(_) if wires.silent.load(Ordering::SeqCst) => {}
            Ok(_) if wires.loses(way) => break,
            Ok(length) if to.write_all(&piece[..length]).is_ok() => {}
            Ok(_) => break,
        }
    }
    for stream in [from, to] {
        stream.shutdown(Shutdown::Both).ok();
    }
}
