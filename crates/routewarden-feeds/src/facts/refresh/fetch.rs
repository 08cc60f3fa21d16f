//! A file by HTTP, if it is another one than before (RFC 9110 §13).

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use ureq::Agent;

use super::error::RefreshError;
use crate::archive::{agent, header};

/// Longest time one transfer may take.
pub const FETCH_TIME_MAX: Duration = Duration::from_mins(15);
/// Longest validator kept.
const VALIDATOR_OCTETS_MAX: usize = 1024;
const COPY_OCTETS: usize = 64 << 10;

/// What the server said of the file held.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Validators {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

/// A client for one URL: HTTPS does not lead to HTTP.
pub(super) fn client(url: &str, proxy: Option<&str>) -> Result<Agent, RefreshError> {
    let proxy = proxy.map(ureq::Proxy::new).transpose();
    let proxy = proxy.map_err(|source| RefreshError::Proxy { source: Box::new(source) })?;
    Ok(agent(proxy, url.starts_with("https://")))
}

/// Writes the file at `url` to `target`, at most `octets_max` octets. `None` when it is still the
/// one that the validators tell of. After an error nothing is left at `target`.
pub(super) fn fetch(
    (agent, url): (&Agent, &str),
    known: &Validators,
    octets_max: u64,
    target: &Path,
    cancel: &CancellationToken,
) -> Result<Option<Validators>, RefreshError> {
    let mut request = agent.get(url).config().timeout_global(Some(FETCH_TIME_MAX)).build();
    if let Some(etag) = &known.etag {
        request = request.header("If-None-Match", etag);
    }
    if let Some(date) = &known.last_modified {
        request = request.header("If-Modified-Since", date);
    }
    let response =
        request.call().map_err(|source| RefreshError::Request { source: Box::new(source) })?;
    match response.status().as_u16() {
        200 => {}
        304 => return Ok(None),
        status => return Err(RefreshError::Status { status }),
    }
    let validator = |name| {
        let value = header(&response, name)?;
        (value.len() <= VALIDATOR_OCTETS_MAX).then(|| value.to_owned())
    };
    let validators =
        Validators { etag: validator("etag"), last_modified: validator("last-modified") };
    let expected: Option<u64> =
        header(&response, "content-length").and_then(|text| text.parse().ok());
    if expected.is_some_and(|octets| octets > octets_max) {
        return Err(RefreshError::TooLarge { octets_max });
    }
    let written = copy(response.into_body().into_reader(), octets_max, target, cancel);
    let written = written.and_then(|octets| match expected {
        Some(expected) if octets != expected => Err(RefreshError::Length { octets, expected }),
        _ => Ok(()),
    });
    if written.is_err() {
        // What was got of it is of no use, and may be large.
        drop(fs::remove_file(target));
    }
    written.map(|()| Some(validators))
}

fn copy(
    mut from: impl Read,
    octets_max: u64,
    target: &Path,
    cancel: &CancellationToken,
) -> Result<u64, RefreshError> {
    let failed = |source| RefreshError::File { path: target.into(), source };
    let mut file = File::create(target).map_err(failed)?;
    let mut buffer = vec![0; COPY_OCTETS];
    let mut octets = 0;
    loop {
        if cancel.is_cancelled() {
            return Err(RefreshError::Interrupted);
        }
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(RefreshError::BrokenOff { octets, source }),
        };
        octets += read as u64;
        if octets > octets_max {
            return Err(RefreshError::TooLarge { octets_max });
        }
        file.write_all(buffer.get(..read).unwrap_or_default()).map_err(failed)?;
    }
    file.sync_all().map_err(failed)?;
    Ok(octets)
}
