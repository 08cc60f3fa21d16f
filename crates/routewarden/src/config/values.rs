//! Values of the configuration that are more than a number or a text, and the forms that texts must
//! have.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use routewarden_core::Prefix;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Longest period that may be written.
pub const PERIOD_DAYS_MAX: u64 = 3660;
/// Longest name of a source.
pub const NAME_OCTETS_MAX: usize = 64;

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// A text is not of the form it must have; says the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct FormError {
    /// What would be right.
    pub expected: &'static str,
}

/// A length of time in whole seconds, written as `90s`, `10m`, `4h` or `1d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    secs: u64,
}

impl Period {
    /// So many seconds.
    pub const fn secs(secs: u64) -> Self {
        Period { secs }
    }

    /// So many minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Period { secs: minutes * MINUTE }
    }

    /// So many hours.
    pub const fn hours(hours: u64) -> Self {
        Self::minutes(hours * 60)
    }

    /// So many days.
    pub const fn days(days: u64) -> Self {
        Period { secs: days * DAY }
    }

    /// As the standard library has it.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.secs)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "m")];
        let unit = units.into_iter().find(|(secs, _)| self.secs.is_multiple_of(*secs));
        let (secs, unit) = unit.unwrap_or((1, "s"));
        write!(f, "{}{unit}", self.secs / secs)
    }
}

impl FromStr for Period {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let expected = "a period from 1s to 3660d, as 90s, 10m, 4h or 1d";
        let unit = match text.bytes().last() {
            Some(b's') => 1,
            Some(b'm') => MINUTE,
            Some(b'h') => HOUR,
            Some(b'd') => DAY,
            _ => return Err(FormError { expected }),
        };
        let digits = text.get(..text.len() - 1).unwrap_or_default();
        let plain = digits.bytes().all(|octet| octet.is_ascii_digit());
        let number = plain.then(|| digits.parse::<u64>().ok()).flatten();
        let secs = number.and_then(|number| number.checked_mul(unit));
        match secs {
            Some(secs @ 1..) if secs <= PERIOD_DAYS_MAX * DAY => Ok(Period { secs }),
            _ => Err(FormError { expected }),
        }
    }
}

/// Addresses from which a connection is taken: `192.0.2.1` or `192.0.2.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AddressRange(pub Prefix);

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AddressRange {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let error =
            FormError { expected: "an address or a range of them, as 192.0.2.1 or 2001:db8::/32" };
        if let Ok(address) = text.parse::<IpAddr>() {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            return Prefix::new(address, bits).map(AddressRange).ok_or(error);
        }
        text.parse().map(AddressRange).map_err(|_| error)
    }
}

/// Where a file is: on this machine, or to be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    /// `http://` or `https://`, without a password.
    Url(String),
    /// A path; relative ones are meant from the folder of the configuration.
    File(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Url(url) => url.fmt(f),
            Place::File(path) => path.display().fmt(f),
        }
    }
}

impl FromStr for Place {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let expected = "a path, or a URL of http or https without a password";
        if text.contains("://") {
            let url = is_url(text, &["http", "https"]).then(|| Place::Url(text.to_owned()));
            return url.ok_or(FormError { expected });
        }
        if text.is_empty() {
            return Err(FormError { expected });
        }
        Ok(Place::File(Path::new(text).to_owned()))
    }
}

/// Where users reach the program: scheme and host, perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicUrl {
    /// Whether it is `https`.
    pub is_https: bool,
    /// Host, and port if one is written, in lower case.
    pub authority: String,
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority)
    }
}

impl FromStr for PublicUrl {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let error = FormError {
            expected: "http or https and a host without a path, as https://routewarden.csirt.example",
        };
        let (scheme, authority) = text.split_once("://").ok_or(error)?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if !is_url(text, &["http", "https"]) || authority.contains(['/', '?', '#']) {
            return Err(error);
        }
        Ok(PublicUrl { is_https: scheme == "https", authority: authority.to_ascii_lowercase() })
    }
}

/// A text in the schema, with a form of its own.
macro_rules! forms {
    ($($type:ident: $form:literal;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": $form })
            }
        }
    )*};
}

/// A text in the file.
macro_rules! texts {
    ($($type:ident)*) => {$(
        impl TryFrom<String> for $type {
            type Error = FormError;

            fn try_from(text: String) -> Result<Self, FormError> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> String {
                value.to_string()
            }
        }
    )*};
}

/// Form of a name, for lists of them.
pub(super) struct NameForm;
/// Form of a prefix, for lists of them.
pub(super) struct PrefixForm;

texts! { Period AddressRange Place PublicUrl }

forms! {
    Period: "period";
    AddressRange: "address-range";
    Place: "place";
    PublicUrl: "public-url";
    NameForm: "name";
    PrefixForm: "prefix";
}

/// Whether `text` has the form that the schema names; forms that are not ours say nothing of it.
///
/// # Errors
///
/// What would be right.
pub(super) fn check_form(form: &str, text: &str) -> Result<(), FormError> {
    let holds = |holds: bool, expected| if holds { Ok(()) } else { Err(FormError { expected }) };
    match form {
        "period" => text.parse::<Period>().map(drop),
        "address-range" => text.parse::<AddressRange>().map(drop),
        "place" => text.parse::<Place>().map(drop),
        "public-url" => text.parse::<PublicUrl>().map(drop),
        "socket-address" => holds(
            text.parse::<SocketAddr>().is_ok(),
            "ADDRESS:PORT, as 127.0.0.1:8080 or [::1]:8080",
        ),
        "ip" => holds(text.parse::<IpAddr>().is_ok(), "an address, as 192.0.2.1 or 2001:db8::1"),
        "ipv4" => holds(text.parse::<Ipv4Addr>().is_ok(), "an IPv4 address, as 192.0.2.1"),
        "prefix" => {
            holds(text.parse::<Prefix>().is_ok(), "a prefix, as 192.0.2.0/24 or 2001:db8::/32")
        }
        "host-port" => {
            holds(is_host_port(text), "HOST:PORT, as 127.0.0.1:3323 or rtr.example:3323")
        }
        "path" => holds(!text.is_empty() && !text.contains('\0'), "a path"),
        "name" => holds(
            is_name(text),
            "a name of at most 64 letters, digits, dots, hyphens and underscores",
        ),
        "http-url" => {
            holds(is_url(text, &["http", "https"]), "a URL of http or https without a password")
        }
        "websocket-url" => {
            holds(is_url(text, &["ws", "wss"]), "a URL of ws or wss without a password")
        }
        _ => Ok(()),
    }
}

fn is_name(text: &str) -> bool {
    let is_known = |octet: u8| octet.is_ascii_alphanumeric() || b".-_".contains(&octet);
    (1..=NAME_OCTETS_MAX).contains(&text.len())
        && text.bytes().all(is_known)
        && text.bytes().any(|octet| octet.is_ascii_alphanumeric())
}

fn is_host_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let literal = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host_is_right = match literal {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.contains(':') && is_host(host),
    };
    host_is_right && matches!(port.parse::<u16>(), Ok(1..)) && !port.starts_with('+')
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-".contains(&octet))
}

/// Scheme, host, perhaps a port and a path; user and password are refused, since they would be
/// shown wherever the address is.
fn is_url(text: &str, schemes: &[&str]) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let has_host = is_host_port(authority)
        || is_host(authority)
        || authority
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
    let is_plain = text.bytes().all(|octet| octet.is_ascii_graphic());
    schemes.contains(&scheme) && has_host && is_plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_and_written_in_the_largest_unit() {
        for (text, secs, written) in
            [("90s", 90, "90s"), ("60s", 60, "1m"), ("24h", DAY, "1d"), ("400d", 400 * DAY, "400d")]
        {
            let period: Period = text.parse().unwrap();
            assert_eq!((period.secs, period.to_string().as_str()), (secs, written));
        }
        for bad in
            ["", "s", "0s", "10", "10 m", "+1m", "1.5h", "3661d", "99999999999999999999d", "1µ"]
        {
            assert!(bad.parse::<Period>().is_err(), "{bad}");
        }
        let most = format!("{PERIOD_DAYS_MAX}d");
        assert_eq!(most.parse::<Period>().unwrap(), Period::days(PERIOD_DAYS_MAX));
    }

    #[test]
    fn forms_take_what_is_right_and_nothing_else() {
        let cases = [
            (
                "socket-address",
                &["127.0.0.1:0", "[::1]:8080"][..],
                &["8080", "localhost:80", "::1:80:"][..],
            ),
            ("address-range", &["192.0.2.1", "2001:db8::/32"], &["192.0.2", "192.0.2.0/33", "x"]),
            (
                "host-port",
                &["a.example:323", "[::1]:323"],
                &["a", "a:0", "::1:323", ":1", "a b:1", "a:+1"],
            ),
            ("name", &["rrc12", "route-views.sg"], &["", "a b", "é", "...", &"x".repeat(65)]),
            (
                "place",
                &["/x", "x", "https://a.example/x"],
                &["", "ftp://a.example/x", "https://u:p@a.example/"],
            ),
            (
                "websocket-url",
                &["wss://a.example/v1/ws/?x=y", "ws://127.0.0.1:1"],
                &["https://a", "wss://", "wss://u@a/"],
            ),
            (
                "http-url",
                &["http://[::1]/", "http://[2001:db8::1]:80/"],
                &["http://::1/", "http:///x", "http://a\n"],
            ),
            (
                "public-url",
                &["https://a.example", "http://A.example:8080/", "https://[2001:db8::1]"],
                &[
                    "a.example",
                    "https://a.example/x",
                    "https://a.example?",
                    "https://u@a.example",
                    "wss://a",
                ],
            ),
            ("prefix", &["192.0.2.0/24"], &["192.0.2.0"]),
            ("ipv4", &["192.0.2.1"], &["::1"]),
            ("path", &["x"], &["", "\0"]),
            ("ip", &["::1"], &["x"]),
            ("date", &["of no interest"], &[]),
        ];
        for (form, right, wrong) in cases {
            for text in right {
                assert_eq!(check_form(form, text), Ok(()), "{form}: {text}");
            }
            for text in wrong {
                assert!(check_form(form, text).is_err(), "{form}: {text}");
            }
        }
    }
}
