//! Fields of lines.

use std::net::IpAddr;

use routewarden_core::{Asn, Prefix};

use super::SkipKind;

/// `ADDRESS/LENGTH`; host bits are refused: they are a sign of damage.
pub(super) fn prefix(text: &str) -> Result<Prefix, SkipKind> {
    let (addr, len) = text.split_once('/').ok_or(SkipKind::Prefix)?;
    prefix_of(addr, len)
}

/// Address and length in fields of their own.
pub(super) fn prefix_of(addr: &str, len: &str) -> Result<Prefix, SkipKind> {
    let addr: IpAddr = addr.parse().map_err(|_| SkipKind::Prefix)?;
    let prefix = Prefix::new(addr, number(len).ok_or(SkipKind::Prefix)?);
    let prefix = prefix.ok_or(SkipKind::Prefix)?;
    if prefix.addr() == addr { Ok(prefix) } else { Err(SkipKind::HostBits) }
}

/// A number of digits only.
pub(super) fn number(text: &str) -> Option<u8> {
    let is_plain = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

/// One ASN.
pub(super) fn asn(text: &str) -> Result<Asn, SkipKind> {
    text.parse().map_err(|_| SkipKind::Asn)
}

/// Origins of one prefix, given to `each`: one ASN, several (`1_2`, CAIDA), or sets (`{1,2}`,
/// `1,2`). The members of a set count as origins. Nothing is given unless all are ASNs.
pub(super) fn origins(text: &str, mut each: impl FnMut(Asn)) -> Result<usize, SkipKind> {
    let parts = || {
        text.split([',', '_', ' '])
            .map(|part| part.trim_matches(['{', '}']))
            .filter(|p| !p.is_empty())
    };
    if parts().next().is_none() || parts().any(|part| asn(part).is_err()) {
        return Err(SkipKind::Asn);
    }
    Ok(parts().filter_map(|part| asn(part).ok()).map(&mut each).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_strict() {
        assert_eq!(prefix("192.0.2.0/24"), Ok(Prefix::v4(0xc000_0200, 24).unwrap()));
        assert_eq!(prefix("192.0.2.1/24"), Err(SkipKind::HostBits));
        for bad in ["192.0.2.0", "192.0.2.0/33", "192.0.2.0/-1", "::/129", "::/+1", "/", ""] {
            assert_eq!(prefix(bad), Err(SkipKind::Prefix), "{bad}");
        }
        assert_eq!(prefix_of("2001:db8::", "32"), prefix("2001:db8::/32"));
    }

    #[test]
    fn origins_may_be_several() {
        let all = |text| {
            let mut all = Vec::new();
            origins(text, |asn| all.push(asn.0)).map(|_| all)
        };
        assert_eq!(all("64496"), Ok(vec![64496]));
        assert_eq!(all("{64497,64496}"), Ok(vec![64497, 64496]));
        assert_eq!(all("64496_64497,64498"), Ok(vec![64496, 64497, 64498]));
        assert_eq!(all("{64496}"), Ok(vec![64496]));
        for bad in ["", "{}", "_", "64496,x", "4294967296", "-1"] {
            assert_eq!(all(bad), Err(SkipKind::Asn), "{bad}");
        }
    }
}
