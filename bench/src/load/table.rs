//! The table of peers at a place in their recorded updates.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use routewarden_core::Prefix;
use routewarden_wire::attributes::code;
use routewarden_wire::encode::AttributeWriter;
use routewarden_wire::{AsnWidth, Nlri, Safi};

use super::recording::{Recording, decode_update};
use super::session::update;

/// An UPDATE of a table: announces only.
#[derive(Clone, Debug)]
pub(super) struct TableUpdate {
    pub(super) peer: u16,
    pub(super) message: Vec<u8>,
    pub(super) announced: u16,
}

/// What stands after `updates` were sent in a loop up to `position`, in the order in which it was
/// announced. Multicast is left out.
pub(super) fn table(
    recording: &Recording,
    updates: &[u32],
    position: usize,
    has_looped: bool,
) -> Result<Vec<TableUpdate>> {
    let (before, after) = updates.split_at_checked(position).context("position beyond the end")?;
    let earlier = if has_looped { after } else { &[] };
    let mut standing: BTreeMap<(u16, Prefix), u32> = BTreeMap::new();
    for &number in earlier.iter().chain(before) {
        let recorded = recording.update(number).context("no such update")?;
        let recorded_update = decode_update(recorded.message).context("not an UPDATE")?;
        for nlri in recorded_update.withdrawn() {
            standing.remove(&(recorded.peer, nlri.prefix));
        }
        for nlri in recorded_update.announced().filter(|nlri| nlri.safi == Safi::Unicast) {
            standing.insert((recorded.peer, nlri.prefix), number);
        }
    }
    let mut by_update: BTreeMap<u32, Vec<Prefix>> = BTreeMap::new();
    for ((_, prefix), number) in standing {
        by_update.entry(number).or_default().push(prefix);
    }
    by_update.iter().map(|(&number, prefixes)| part(recording, number, prefixes)).collect()
}

/// An update of the recording with only these of its prefixes.
fn part(recording: &Recording, number: u32, prefixes: &[Prefix]) -> Result<TableUpdate> {
    let recorded = recording.update(number).context("no such update")?;
    let recorded_update = decode_update(recorded.message).context("not an UPDATE")?;
    let attributes = recorded_update.attributes();
    let mut writer = AttributeWriter::new(AsnWidth::Four);
    for raw in attributes.raw() {
        if raw.code != code::MP_REACH && raw.code != code::MP_UNREACH {
            writer.raw(raw.flags, raw.code, raw.value)?;
        }
    }
    let nlri = |&prefix: &Prefix| Nlri { prefix, path_id: None, safi: Safi::Unicast };
    let is_mp = |prefix: &&Prefix| {
        attributes
            .mp_reach()
            .is_some_and(|mp| mp.family() == Some((prefix.family(), Safi::Unicast)))
    };
    let of_mp: Vec<Nlri> = prefixes.iter().filter(is_mp).map(nlri).collect();
    let others: Vec<Nlri> = prefixes.iter().filter(|prefix| !is_mp(prefix)).map(nlri).collect();
    if let Some(first) = of_mp.first() {
        let next_hops: Vec<_> = attributes
            .mp_next_hop()
            .into_iter()
            .chain(attributes.mp_next_hop_link_local().map(Into::into))
            .collect();
        writer.mp_reach((first.prefix.family(), Safi::Unicast), &next_hops, &of_mp)?;
    }
    Ok(TableUpdate {
        peer: recorded.peer,
        message: update(writer.octets(), &others)?,
        announced: u16::try_from(prefixes.len())?,
    })
}
