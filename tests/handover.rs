//! A socket whose descriptor belongs to the bot's process, and is duplicated.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use roomcast::transport::duplicate;

#[test]
fn a_duplicate_lives_on_when_the_original_is_closed() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (original, _) = listener.accept().unwrap();
    let mut copy = duplicate(original.as_raw_fd()).unwrap();
    drop(original);
    copy.write_all(b"still here").unwrap();
    drop(copy);
    let mut said = String::new();
    client.read_to_string(&mut said).unwrap();
    assert_eq!(said, "still here");
}

#[test]
fn what_is_no_descriptor_is_refused() {
    // -1 is what Node says where a socket has none.
    assert_eq!(duplicate(-1).unwrap_err().kind(), ErrorKind::InvalidInput);
}
