//! Severity: how bad it is if it is true. Never mixed with confidence.

use routewarden_core::{AddressFamily, Prefix};

/// What severity depends on; each from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factors {
    /// Share of the vantage points that had it at its peak.
    pub(crate) visibility: f64,
    /// Space concerned, see [`space`].
    pub(crate) space: f64,
    /// Worth of the asset: by the constituency, 0.2 outside it, 0.4 where none was given.
    pub(crate) criticality: f64,
    /// See [`duration`].
    pub(crate) duration: f64,
    /// 1 where a path is forged or space squatted, 0.6 for other hijacks, 0.3 for a likely slip and
    /// all else, 0 for a leak that harms nobody else.
    pub(crate) intent: f64,
}

impl Factors {
    /// 0 to 100: 30 % visibility, 15 % space, 30 % criticality, 10 % duration, 15 % intent.
    pub(crate) fn severity(self) -> u8 {
        let sum = 0.30 * self.visibility
            + 0.15 * self.space
            + 0.30 * self.criticality
            + 0.10 * self.duration
            + 0.15 * self.intent;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=100"
        )]
        let percent = (sum * 100.0).round().clamp(0.0, 100.0) as u8;
        percent
    }
}

/// `log2(1 + blocks) / 16`, at most 1, with /24 equivalents for IPv4 and /48 for IPv6.
pub(crate) fn space(prefixes: &[Prefix]) -> f64 {
    let blocks: f64 = prefixes.iter().map(|prefix| blocks(*prefix)).sum();
    ((1.0 + blocks).log2() / 16.0).min(1.0)
}

fn blocks(prefix: Prefix) -> f64 {
    let unit: i32 = match prefix.family() {
        AddressFamily::Ipv4 => 24,
        AddressFamily::Ipv6 => 48,
    };
    2f64.powi(unit - i32::from(prefix.len()))
}

/// A third of the MANRS duration coefficient: 0.5 below 30 minutes, 1 below a day, 2 below two
/// days, then 3; at most 1.
pub(crate) fn duration(secs: i64) -> f64 {
    let coefficient: f64 = match secs {
        ..1_800 => 0.5,
        1_800..86_400 => 1.0,
        86_400..172_800 => 2.0,
        _ => 3.0,
    };
    coefficient / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_follows_the_formula() {
        let most =
            Factors { visibility: 1.0, space: 1.0, criticality: 1.0, duration: 1.0, intent: 1.0 };
        assert_eq!(most.severity(), 100);
        let slash24: Prefix = "192.0.2.0/24".parse().unwrap();
        assert!((space(&[slash24]) - 1.0 / 16.0).abs() < 1e-9);
        assert!((space(&["::/0".parse().unwrap()]) - 1.0).abs() < 1e-9);
        assert!(duration(60) < duration(1_800) && duration(1_800) < duration(86_400));
        let hijack = Factors {
            visibility: 0.5,
            space: space(&[slash24]),
            criticality: 0.4,
            duration: duration(7_200),
            intent: 0.6,
        };
        // 15 + 0.9 + 12 + 3.3 + 9
        assert_eq!(hijack.severity(), 40);
    }
}
