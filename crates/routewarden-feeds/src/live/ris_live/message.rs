//! The JSON of RIS Live, borrowed from the frame: nothing is built that is not used.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Text, borrowed unless it has escapes.
#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// An ASN: a number, or a string of digits as the service sends it.
#[derive(Clone, Copy, Debug)]
pub(super) struct AsnField(pub(super) u32);

impl<'de> Deserialize<'de> for AsnField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsnVisitor;
        impl Visitor<'_> for AsnVisitor {
            type Value = AsnField;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an ASN")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
                u32::try_from(number).map(AsnField).map_err(|_| E::custom("an ASN has 32 bits"))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                text.parse().map(AsnField).map_err(|_| E::custom("not an ASN"))
            }
        }
        deserializer.deserialize_any(AsnVisitor)
    }
}

/// A message of a collector, without the fields that repeat what the raw octets say.
#[derive(Debug, Deserialize)]
pub(super) struct CollectorMessage<'a> {
    /// Seconds since 1970, with a fraction.
    pub(super) timestamp: f64,
    #[serde(borrow)]
    pub(super) peer: Text<'a>,
    pub(super) peer_asn: AsnField,
    #[serde(borrow)]
    pub(super) host: Text<'a>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    /// The BGP message, header included, in hexadecimal digits.
    #[serde(borrow, default)]
    pub(super) raw: Option<Text<'a>>,
    /// Of `RIS_PEER_STATE`.
    #[serde(borrow, default)]
    pub(super) state: Option<Text<'a>>,
}

/// What the service says of a fault of ours.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorMessage<'a> {
    #[serde(borrow)]
    pub(super) message: Text<'a>,
}

/// A frame by its type.
#[derive(Debug)]
pub(super) enum Frame<'a> {
    Collector(CollectorMessage<'a>),
    Error(ErrorMessage<'a>),
    RrcList,
    SubscribeOk,
    Pong,
    Unknown,
    /// The data came before the type: to be read again, now that the type is known.
    DataFirst(FrameType),
}

/// Type of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameType {
    Collector,
    Error,
    RrcList,
    SubscribeOk,
    Pong,
    Unknown,
}

impl FrameType {
    fn of(name: &str) -> Self {
        match name {
            "ris_message" => FrameType::Collector,
            "ris_error" => FrameType::Error,
            "ris_rrc_list" => FrameType::RrcList,
            "ris_subscribe_ok" => FrameType::SubscribeOk,
            "pong" => FrameType::Pong,
            _ => FrameType::Unknown,
        }
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Type,
    Data,
    #[serde(other)]
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Frame<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FrameVisitor)
    }
}

struct FrameVisitor;

impl<'de> Visitor<'de> for FrameVisitor {
    type Value = Frame<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with type and data")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let (mut kind, mut frame, mut has_data) = (None, None, false);
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Type if kind.is_some() => return Err(M::Error::duplicate_field("type")),
                Key::Data if has_data => return Err(M::Error::duplicate_field("data")),
                Key::Type => kind = Some(FrameType::of(&map.next_value::<Text<'de>>()?.0)),
                Key::Data => {
                    has_data = true;
                    match kind {
                        Some(FrameType::Collector) => {
                            frame = Some(Frame::Collector(map.next_value()?));
                        }
                        Some(FrameType::Error) => frame = Some(Frame::Error(map.next_value()?)),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Key::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let kind = kind.ok_or_else(|| M::Error::missing_field("type"))?;
        match (frame, kind) {
            (Some(frame), _) => Ok(frame),
            (None, FrameType::Collector | FrameType::Error) if has_data => {
                Ok(Frame::DataFirst(kind))
            }
            (None, FrameType::Collector | FrameType::Error) => Err(M::Error::missing_field("data")),
            (None, FrameType::RrcList) => Ok(Frame::RrcList),
            (None, FrameType::SubscribeOk) => Ok(Frame::SubscribeOk),
            (None, FrameType::Pong) => Ok(Frame::Pong),
            (None, FrameType::Unknown) => Ok(Frame::Unknown),
        }
    }
}

/// The data of a frame whose type is known.
#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

/// Reads the data of a frame as `T`.
pub(super) fn data<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    serde_json::from_str::<Data<T>>(text).map(|frame| frame.data)
}

/// Reads a frame.
pub(super) fn frame(text: &str) -> Result<Frame<'_>, serde_json::Error> {
    match serde_json::from_str(text)? {
        Frame::DataFirst(FrameType::Collector) => data(text).map(Frame::Collector),
        Frame::DataFirst(_) => data(text).map(Frame::Error),
        frame => Ok(frame),
    }
}
