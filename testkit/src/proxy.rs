//! A wire that breaks on purpose.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

/// What travels which way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Request,
    Answer,
}

/// What is still to pass before something is lost.
#[derive(Clone, Copy, Debug)]
struct Loss {
    way: Way,
    passing: u32,
}

/// Stands between clients and a server on this machine. It passes everything on, until
/// it is told to lose something: then it ends the connection that this travelled on, as
/// a broken network does.
///
/// What it counts are pieces as they arrive. Where a client waits for each answer before
/// it asks again, and both are short, a piece is a request or an answer.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    wires: Arc<Wires>,
}

#[derive(Debug, Default)]
struct Wires {
    loss: Mutex<Option<Loss>>,
    ended: AtomicBool,
    requests: AtomicU64,
}

impl Proxy {
    /// To the server on this port.
    ///
    /// # Errors
    ///
    /// When there is no free port.
    pub fn to(server: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let wires = Arc::new(Wires::default());
        let accepting = Arc::clone(&wires);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.ended.load(Ordering::SeqCst) {
                    return;
                }
                // A client that cannot be connected is one whose connection broke.
                if let Ok(client) = client {
                    connect(client, server, &accepting).ok();
                }
            }
        });
        Ok(Self { port, wires })
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many requests have arrived.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.wires.requests.load(Ordering::SeqCst)
    }

    /// Lets `passing` more requests through and loses the next: the server never sees it.
    pub fn lose_request_after(&self, passing: u32) {
        self.lose(Some(Loss { way: Way::Request, passing }));
    }

    /// Lets `passing` more answers through and loses the next: the server has done what
    /// it was asked for, and the client never hears of it.
    pub fn lose_answer_after(&self, passing: u32) {
        self.lose(Some(Loss { way: Way::Answer, passing }));
    }

    /// Loses nothing any more. Whether something was still to be lost.
    #[must_use = "it tells whether anything was lost"]
    pub fn calm_down(&self) -> bool {
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
    /// Whether this piece is the one to lose.
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

fn connect(client: TcpStream, server: u16, wires: &Arc<Wires>) -> io::Result<()> {
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

/// Passes on until one side ends, and then ends both.
fn pass(mut from: TcpStream, mut to: TcpStream, way: Way, wires: &Wires) {
    let mut piece = [0; 16 * 1024];
    loop {
        match from.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(_) if wires.loses(way) => break,
            Ok(length) if to.write_all(&piece[..length]).is_ok() => {}
            Ok(_) => break,
        }
    }
    for stream in [from, to] {
        stream.shutdown(Shutdown::Both).ok();
    }
}
