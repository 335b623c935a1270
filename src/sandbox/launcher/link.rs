//! The launcher's end of the socket to the server.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::{fd::AsFd, unix::net::UnixStream},
};

use super::Fault;
use crate::sandbox::orders::{Orders, Report};

pub struct Link {
    socket: UnixStream,
}

impl Link {
    /// The socket stands where a program has its standard input.
    pub fn on_standard_input() -> io::Result<Self> {
        Ok(Self { socket: UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?) })
    }

    /// One line; the server sends nothing behind it.
    pub fn orders(&self) -> Result<Orders, Fault> {
        let mut line = String::new();
        BufReader::new(&self.socket).read_line(&mut line).map_err(Fault::of("reading the orders"))?;
        let orders: Orders =
            serde_json::from_str(&line).map_err(|error| Fault::new(format!("the orders can't be read: {error}")))?;
        if orders.argv.is_empty() {
            return Err(Fault::new("the orders name no program"));
        }
        Ok(orders)
    }

    /// The server may be gone; then nobody wants to hear it.
    pub fn report(&self, report: &Report) {
        if let Ok(mut line) = serde_json::to_vec(report) {
            line.push(b'\n');
            let _ = (&self.socket).write_all(&line);
        }
    }

    /// Returns when the server closes its side, on purpose or because it died. A signal that the program sends us, such as
    /// one that our runtime handles, is no end.
    pub fn wait_for_the_end(&self) {
        let mut piece = [0; 64];
        loop {
            match (&self.socket).read(&mut piece) {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return,
            }
        }
    }

    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { socket: self.socket.try_clone()? })
    }
}
