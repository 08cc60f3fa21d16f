//! Connections over loopback, signed and not.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;

use routewarden_tcp_md5::{KEY_OCTETS_MAX, sign};
use socket2::{Domain, Socket, Type};

/// A SYN that is dropped is not answered.
const NO_ANSWER: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(10);

fn listener(ip: &str, key: &[u8]) -> (TcpListener, SocketAddr) {
    let ip: IpAddr = ip.parse().unwrap();
    let listener = TcpListener::bind((ip, 0)).unwrap();
    sign(&listener, ip, key).unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

fn connect(to: SocketAddr, key: Option<&[u8]>, within: Duration) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    if let Some(key) = key {
        sign(&socket, to.ip(), key)?;
    }
    socket.connect_timeout(&to.into(), within)?;
    Ok(socket)
}

#[test]
fn both_ends_with_one_key_understand_each_other() {
    for ip in ["127.0.0.1", "::1"] {
        let (listener, addr) = listener(ip, b"secret");
        let mut ours = connect(addr, Some(b"secret"), PATIENCE).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        ours.write_all(b"hello").unwrap();
        let mut heard = [0; 5];
        theirs.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"hello");
    }
}

#[test]
fn whoever_has_no_key_or_another_is_not_heard() {
    let (_listener, addr) = listener("127.0.0.1", b"secret");
    for key in [None, Some(b"Secret".as_slice()), Some(b"secret\n")] {
        let error = connect(addr, key, NO_ANSWER).expect_err("heard");
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    }
}

#[test]
fn keys_are_of_1_to_80_octets() {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let peer = "192.0.2.1".parse().unwrap();
    for octets in [0, KEY_OCTETS_MAX + 1] {
        let error = sign(&socket, peer, &vec![b'x'; octets]).expect_err("taken");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    sign(&socket, peer, &[b'x'; KEY_OCTETS_MAX]).unwrap();
}
