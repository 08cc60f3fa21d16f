//! Keys of TCP MD5 (RFC 2385) on sockets.
//!
//! Routers still sign BGP sessions this way. No maintained crate has the socket option behind a safe
//! function, and the workspace forbids `unsafe`: so the one call is here, and nothing else
//! (decision 0021).

use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;

/// Longest key that the kernel takes, in octets (`TCP_MD5SIG_MAXKEYLEN`).
pub const KEY_OCTETS_MAX: usize = 80;

/// Segments to and from `peer` are signed with `key` from now on, and those from it that are not are
/// dropped by the kernel. On a listening socket this holds for connections to come, on any other it
/// must be called before it connects.
///
/// `peer` is of the family of the socket: an IPv6 socket that also hears IPv4 takes IPv4-mapped
/// addresses.
///
/// # Errors
///
/// `InvalidInput` for an empty key or one longer than [`KEY_OCTETS_MAX`]; what the system says, as
/// where its kernel has no TCP MD5; `Unsupported` where the system is not Linux.
pub fn sign(socket: &impl AsFd, peer: IpAddr, key: &[u8]) -> io::Result<()> {
    if key.is_empty() || key.len() > KEY_OCTETS_MAX {
        let text = format!("a key of {} octets is not of 1 to {KEY_OCTETS_MAX}", key.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    system::set(socket.as_fd(), peer, key)
}

#[cfg(target_os = "linux")]
mod system {
    use std::io;
    use std::mem::size_of;
    use std::net::IpAddr;
    use std::os::fd::{AsRawFd, BorrowedFd};

    use super::KEY_OCTETS_MAX;

    /// Octets of a `sockaddr_storage`.
    const ADDRESS_OCTETS: usize = 128;

    /// `struct tcp_md5sig` of `linux/tcp.h`.
    #[repr(C, align(8))]
    struct TcpMd5Sig {
        address: [u8; ADDRESS_OCTETS],
        flags: u8,
        prefix_length: u8,
        key_length: u16,
        interface: i32,
        key: [u8; KEY_OCTETS_MAX],
    }

    /// As the kernel has it; it refuses one that is shorter.
    const OCTETS: usize = 216;
    const _: () = assert!(size_of::<TcpMd5Sig>() == OCTETS);

    /// A socket address without a port, as `sockaddr_in` or `sockaddr_in6` in a `sockaddr_storage`.
    fn address(peer: IpAddr) -> [u8; ADDRESS_OCTETS] {
        // After the family come two octets of a port; in IPv6 four more of a flow.
        let (family, at, octets): (libc::c_int, usize, Vec<u8>) = match peer {
            IpAddr::V4(peer) => (libc::AF_INET, 4, peer.octets().to_vec()),
            IpAddr::V6(peer) => (libc::AF_INET6, 8, peer.octets().to_vec()),
        };
        let family = u16::try_from(family).unwrap_or_default().to_ne_bytes();
        let mut address = [0; ADDRESS_OCTETS];
        let parts = family.into_iter().enumerate().chain((at..).zip(octets));
        for (at, octet) in parts {
            if let Some(place) = address.get_mut(at) {
                *place = octet;
            }
        }
        address
    }

    pub(super) fn set(socket: BorrowedFd<'_>, peer: IpAddr, key: &[u8]) -> io::Result<()> {
        let mut option = TcpMd5Sig {
            address: address(peer),
            flags: 0,
            prefix_length: 0,
            key_length: u16::try_from(key.len()).unwrap_or_default(),
            interface: 0,
            key: [0; KEY_OCTETS_MAX],
        };
        for (place, octet) in option.key.iter_mut().zip(key) {
            *place = *octet;
        }
        let length = libc::socklen_t::try_from(OCTETS).unwrap_or_default();
        #[expect(unsafe_code, reason = "no safe function sets this option")]
        // SAFETY: the descriptor is borrowed and so open; the pointer is to `length` octets that are
        // initialised, and the kernel only reads them during the call.
        let result = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_MD5SIG,
                (&raw const option).cast(),
                length,
            )
        };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::net::IpAddr;
    use std::os::fd::BorrowedFd;

    pub(super) fn set(_: BorrowedFd<'_>, _: IpAddr, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
