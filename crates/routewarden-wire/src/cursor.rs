//! Reading numbers off the front of a slice.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use routewarden_core::{AddressFamily, Asn};

use crate::AsnWidth;

/// What is left to read of a slice. Every read gives `None`, moving nothing, when too little
/// is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Cursor { rest: octets }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.rest.split_first_chunk::<N>()?;
        self.rest = tail;
        Some(*head)
    }

    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(count)?;
        self.rest = tail;
        Some(head)
    }

    /// Takes `count` octets, or all that is left when there are fewer.
    pub(crate) fn take_up_to(&mut self, count: usize) -> &'a [u8] {
        let (head, tail) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = tail;
        head
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[octet]| octet)
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    #[inline]
    pub(crate) fn asn(&mut self, width: AsnWidth) -> Option<Asn> {
        match width {
            AsnWidth::Two => self.u16().map(|asn| Asn(u32::from(asn))),
            AsnWidth::Four => self.u32().map(Asn),
        }
    }

    #[inline]
    pub(crate) fn addr(&mut self, family: AddressFamily) -> Option<IpAddr> {
        match family {
            AddressFamily::Ipv4 => {
                self.array::<4>().map(|octets| IpAddr::V4(Ipv4Addr::from(octets)))
            }
            AddressFamily::Ipv6 => {
                self.array::<16>().map(|octets| IpAddr::V6(Ipv6Addr::from(octets)))
            }
        }
    }
}
