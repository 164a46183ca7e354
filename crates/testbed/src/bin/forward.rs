//! `forward LISTEN TARGET`: passes TCP connections on. In the guest it puts the machine's API server at the address that
//! it has on the machine, so that one address serves the pods of both nodes.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, target] = arguments.as_slice() else { return ExitCode::from(2) };
    let Ok(listener) = TcpListener::bind(listen) else { return ExitCode::FAILURE };
    for client in listener.incoming().flatten() {
        let target = target.clone();
        thread::spawn(move || pass(client, &target));
    }
    ExitCode::SUCCESS
}

fn pass(client: TcpStream, target: &str) -> io::Result<()> {
    let server = TcpStream::connect(target)?;
    let (mut to_server, mut from_client) = (server.try_clone()?, client.try_clone()?);
    let upward = thread::spawn(move || {
        let passed = io::copy(&mut from_client, &mut to_server);
        to_server.shutdown(Shutdown::Write).and(passed)
    });
    let (mut from_server, mut to_client) = (server, client);
    let passed = io::copy(&mut from_server, &mut to_client);
    // Half a connection is of no use to a client of the API server.
    to_client.shutdown(Shutdown::Both).and(passed)?;
    upward.join().ok();
    Ok(())
}
