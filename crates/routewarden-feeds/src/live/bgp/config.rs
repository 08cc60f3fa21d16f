//! Configuration of a speaker.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use routewarden_core::Asn;
use routewarden_tcp_md5::KEY_OCTETS_MAX;
use serde::Deserialize;

use crate::live::COLLECTOR_NAME_OCTETS_MAX;
use crate::live::collector_name::is_collector_name;

/// Hold time that is offered, in seconds, unless configured.
pub const BGP_HOLD_SECS: u16 = 90;
/// Seconds until a neighbour's OPEN must be whole, and then its first KEEPALIVE, unless configured.
pub const BGP_OPEN_SECS: u64 = 60;
/// Longest such wait that can be configured (RFC 4271 §8.2.2 suggests it).
pub const BGP_OPEN_SECS_MAX: u64 = 240;
/// Most neighbours.
pub const BGP_NEIGHBOURS_MAX: usize = 256;
/// Most connections at a time that are being told why they are closed.
pub const BGP_PENDING_MAX: usize = 16;
/// Prefixes (paths, with ADD-PATH) that a neighbour may announce, unless configured: both tables
/// of the Internet of today, and half as many again.
pub const BGP_PREFIXES: usize = 2_000_000;
/// Most that can be configured; each takes some 16 octets.
pub const BGP_PREFIXES_MAX: usize = 50_000_000;

/// A speaker. Without a default: `local_asn`, `router_id`, `neighbours`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BgpConfig {
    /// Addresses and ports to listen on; none when all neighbours are connected to.
    #[serde(default)]
    pub listen: Vec<SocketAddr>,
    /// Our ASN.
    pub local_asn: Asn,
    /// Our BGP identifier.
    pub router_id: Ipv4Addr,
    /// Hold time that is offered, in seconds ([`BGP_HOLD_SECS`]); 0 (no KEEPALIVEs) or 3 and more.
    #[serde(default = "hold_secs")]
    pub hold_secs: u16,
    /// Seconds until a neighbour's OPEN must be whole, and then its first KEEPALIVE
    /// ([`BGP_OPEN_SECS`], at most [`BGP_OPEN_SECS_MAX`]).
    #[serde(default = "open_secs")]
    pub open_secs: u64,
    /// Who may have a session.
    pub neighbours: Vec<BgpNeighbourConfig>,
}

fn hold_secs() -> u16 {
    BGP_HOLD_SECS
}

fn open_secs() -> u64 {
    BGP_OPEN_SECS
}

fn prefixes() -> usize {
    BGP_PREFIXES
}

/// A neighbour. Without a default: `address`, `asn`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BgpNeighbourConfig {
    /// Its address.
    pub address: IpAddr,
    /// Its ASN.
    pub asn: Asn,
    /// Collector name of its routes; `bgp-` and the address when there is none.
    pub name: Option<String>,
    /// Whether several paths for a prefix are taken (RFC 7911).
    #[serde(default)]
    pub add_path: bool,
    /// Whether it is asked for End-of-RIB markers: by a graceful restart capability without
    /// families (RFC 4724 §3), without which FRR sends none. We keep none of its routes
    /// when its session ends, whatever it restarts.
    #[serde(default)]
    pub ask_end_of_rib: bool,
    /// Prefixes it may announce ([`BGP_PREFIXES`], at most [`BGP_PREFIXES_MAX`]); then its session
    /// is shut down.
    #[serde(default = "prefixes")]
    pub prefixes_max: usize,
    /// Port to connect to; without one it is waited for.
    pub connect_port: Option<u16>,
    /// Our address when we connect.
    pub local_address: Option<IpAddr>,
    /// File with the key of TCP MD5 (RFC 2385), of at most [`KEY_OCTETS_MAX`] octets; an end of line
    /// is not of the key. The neighbour is then heard only if it signs.
    pub tcp_md5_file: Option<PathBuf>,
    /// File with the key of TCP-AO (RFC 5925). Refused: see [`BgpConfigError::NoAuthentication`].
    pub tcp_ao_file: Option<PathBuf>,
}

impl BgpNeighbourConfig {
    /// Collector name of its routes.
    pub(super) fn collector(&self) -> String {
        let address = self.address.to_canonical();
        self.name.clone().unwrap_or_else(|| format!("bgp-{address}"))
    }

    /// The key with which segments are signed, read now.
    pub(super) fn key(&self) -> io::Result<Option<Vec<u8>>> {
        let Some(path) = &self.tcp_md5_file else { return Ok(None) };
        // One octet more than a key and its end of line tells that the file is too long.
        let limit = KEY_OCTETS_MAX as u64 + 3;
        let mut key = Vec::new();
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut key)).map_err(named)?;
        for end in [b'\n', b'\r'] {
            if key.last() == Some(&end) {
                key.pop();
            }
        }
        if key.is_empty() || key.len() > KEY_OCTETS_MAX {
            let text = format!("a key has 1 to {KEY_OCTETS_MAX} octets");
            return Err(named(io::Error::new(io::ErrorKind::InvalidData, text)));
        }
        Ok(Some(key))
    }
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BgpConfigError {
    /// Nothing to listen on, and a neighbour to wait for.
    #[error("listen: {address} is waited for, but there is no address and port to listen on")]
    NoListen {
        /// The neighbour.
        address: IpAddr,
    },
    /// No neighbour, or too many.
    #[error("neighbours: {count} are not 1 to {BGP_NEIGHBOURS_MAX}")]
    Neighbours {
        /// How many there are.
        count: usize,
    },
    /// An ASN that no speaker has (RFC 7607, RFC 6793, RFC 7300).
    #[error("{field}: {asn} is no speaker's ASN")]
    Asn {
        /// Name of the field.
        field: &'static str,
        /// The ASN.
        asn: Asn,
    },
    /// No BGP identifier (RFC 6286).
    #[error("router_id: 0.0.0.0 is no BGP identifier")]
    RouterId,
    /// A hold time of one or two seconds (RFC 4271 §4.2).
    #[error("hold_secs: {secs} is neither 0 nor 3 or more")]
    HoldTime {
        /// What stands there.
        secs: u16,
    },
    /// A name that no collector can have.
    #[error(
        "neighbours: {name:?} is no collector name: 1 to {COLLECTOR_NAME_OCTETS_MAX} letters, \
         digits, '.', '-' or '_'"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Two neighbours of one address.
    #[error("neighbours: {address} stands twice")]
    Twice {
        /// The address.
        address: IpAddr,
    },
    /// A number beyond its limits.
    #[error("{field}: {value} is not within 1 to {max}")]
    OutOfRange {
        /// Name of the field.
        field: &'static str,
        /// What stands there.
        value: u64,
        /// The limit.
        max: u64,
    },
    /// The session is to be signed by TCP-AO, which cannot be done: a session without it would pass
    /// for a signed one.
    #[error(
        "neighbours: {address} asks for tcp_ao_file, but this program cannot sign by TCP-AO; \
         use tcp_md5_file, or protect the session otherwise (IPsec, WireGuard), and leave it out"
    )]
    NoAuthentication {
        /// The neighbour.
        address: IpAddr,
    },
}

fn check_asn(field: &'static str, asn: Asn) -> Result<(), BgpConfigError> {
    if matches!(asn, Asn(0 | 65_535 | u32::MAX)) || asn == Asn::TRANS {
        return Err(BgpConfigError::Asn { field, asn });
    }
    Ok(())
}

impl BgpConfig {
    /// Whether the configuration can work.
    ///
    /// # Errors
    ///
    /// See [`BgpConfigError`].
    pub fn check(&self) -> Result<(), BgpConfigError> {
        check_asn("local_asn", self.local_asn)?;
        if self.router_id.is_unspecified() {
            return Err(BgpConfigError::RouterId);
        }
        if matches!(self.hold_secs, 1 | 2) {
            return Err(BgpConfigError::HoldTime { secs: self.hold_secs });
        }
        if !(1..=BGP_OPEN_SECS_MAX).contains(&self.open_secs) {
            let (value, max) = (self.open_secs, BGP_OPEN_SECS_MAX);
            return Err(BgpConfigError::OutOfRange { field: "open_secs", value, max });
        }
        let count = self.neighbours.len();
        if !(1..=BGP_NEIGHBOURS_MAX).contains(&count) {
            return Err(BgpConfigError::Neighbours { count });
        }
        let mut addrs = BTreeSet::new();
        for neighbour in &self.neighbours {
            let address = neighbour.address.to_canonical();
            if !addrs.insert(address) {
                return Err(BgpConfigError::Twice { address });
            }
            if neighbour.connect_port.is_none() && self.listen.is_empty() {
                return Err(BgpConfigError::NoListen { address });
            }
            neighbour.check()?;
        }
        Ok(())
    }
}

impl BgpNeighbourConfig {
    fn check(&self) -> Result<(), BgpConfigError> {
        check_asn("asn", self.asn)?;
        let address = self.address;
        if self.tcp_ao_file.is_some() {
            return Err(BgpConfigError::NoAuthentication { address });
        }
        if let Some(name) = self.name.as_ref().filter(|name| !is_collector_name(name)) {
            return Err(BgpConfigError::Name { name: name.clone() });
        }
        let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        if !(1..=BGP_PREFIXES_MAX).contains(&self.prefixes_max) {
            let (value, max) = (number(self.prefixes_max), number(BGP_PREFIXES_MAX));
            return Err(BgpConfigError::OutOfRange { field: "prefixes_max", value, max });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &str, neighbour: &str) -> BgpConfig {
        toml::from_str(&format!(
            "listen = [\"127.0.0.1:0\"]\nlocal_asn = 64500\nrouter_id = \"192.0.2.2\"\n{more}\n\
             [[neighbours]]\naddress = \"192.0.2.1\"\nasn = 64496\n{neighbour}"
        ))
        .unwrap()
    }

    #[test]
    fn a_configuration_has_defaults() {
        let config = config("", "");
        assert_eq!(config.check(), Ok(()));
        assert_eq!((config.hold_secs, config.open_secs), (BGP_HOLD_SECS, BGP_OPEN_SECS));
        let neighbour = &config.neighbours[0];
        assert_eq!((neighbour.add_path, neighbour.prefixes_max), (false, BGP_PREFIXES));
        assert_eq!(neighbour.collector(), "bgp-192.0.2.1");
        assert_eq!(neighbour.connect_port, None);
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let error = |more: &str, neighbour: &str| config(more, neighbour).check().unwrap_err();
        assert_eq!(error("hold_secs = 2", ""), BgpConfigError::HoldTime { secs: 2 });
        assert_eq!(config("hold_secs = 0", "").check(), Ok(()));
        for (value, max) in [(0, BGP_OPEN_SECS_MAX), (241, BGP_OPEN_SECS_MAX)] {
            let expected = BgpConfigError::OutOfRange { field: "open_secs", value, max };
            assert_eq!(error(&format!("open_secs = {value}"), ""), expected);
        }
        let max = BGP_PREFIXES_MAX as u64;
        for value in [0, max + 1] {
            let expected = BgpConfigError::OutOfRange { field: "prefixes_max", value, max };
            assert_eq!(error("", &format!("prefixes_max = {value}")), expected);
        }
        let name = error("", "name = \"a b\"");
        assert_eq!(name, BgpConfigError::Name { name: "a b".to_owned() });
        let mut many = config("", "");
        many.neighbours = vec![many.neighbours[0].clone(); 2];
        let address = many.neighbours[0].address;
        assert_eq!(many.check(), Err(BgpConfigError::Twice { address }));
        many.neighbours = vec![many.neighbours[0].clone(); BGP_NEIGHBOURS_MAX + 1];
        let count = BGP_NEIGHBOURS_MAX + 1;
        assert_eq!(many.check(), Err(BgpConfigError::Neighbours { count }));
        let mut no_listen = config("", "");
        no_listen.listen.clear();
        assert_eq!(no_listen.check(), Err(BgpConfigError::NoListen { address }));
        for asn in [0, 23_456, 65_535, u32::MAX] {
            let mut wrong = config("", "");
            wrong.local_asn = Asn(asn);
            let expected = BgpConfigError::Asn { field: "local_asn", asn: Asn(asn) };
            assert_eq!(wrong.check(), Err(expected));
        }
    }

    #[test]
    fn a_session_that_is_to_be_signed_is_refused_and_not_left_unsigned() {
        let error = config("", "tcp_ao_file = \"/etc/key\"").check().unwrap_err();
        let address = "192.0.2.1".parse().unwrap();
        assert_eq!(error, BgpConfigError::NoAuthentication { address });
        assert!(error.to_string().contains("tcp_ao_file"));
    }

    #[test]
    fn a_key_is_a_line_of_1_to_80_octets() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("key");
        let config = config("", &format!("tcp_md5_file = {path:?}"));
        let key = |text: &[u8]| {
            std::fs::write(&path, text).unwrap();
            config.neighbours[0].key()
        };
        assert_eq!(key(b"secret\r\n").unwrap().unwrap(), b"secret");
        assert_eq!(key(b" s \n\n").unwrap().unwrap(), b" s \n", "only one end of line");
        let longest = [b'x'; KEY_OCTETS_MAX];
        assert_eq!(key(&longest).unwrap().unwrap(), longest);
        assert_eq!(key(&[&longest[..], b"\r\n"].concat()).unwrap().unwrap(), longest);
        for text in [&b""[..], b"\n", &[b'x'; KEY_OCTETS_MAX + 1], &[b'x'; 4_096]] {
            let error = key(text).unwrap_err();
            assert!(error.to_string().contains("1 to 80 octets"), "{error}");
        }
        std::fs::remove_file(&path).unwrap();
        let error = config.neighbours[0].key().unwrap_err();
        assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
    }
}
