//! HTTPS with retries, resumption and limits.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ureq::http::Response;
use ureq::{Agent, Body};

use super::ArchiveError;
use crate::transport::{Compression, Limits, Transport};

/// Attempts at one file before giving up.
pub const ATTEMPTS_MAX: u32 = 6;
/// Pause before the second attempt; doubled before each further one.
pub const BACKOFF_FIRST: Duration = Duration::from_secs(1);
/// Longest pause between attempts.
pub const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// Most redirects followed.
pub const REDIRECTS_MAX: u32 = 4;
/// Longest wait for a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest wait for an answer, or for more of it.
pub const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// Longest directory index read.
pub const INDEX_OCTETS_MAX: u64 = 16 << 20;

const COPY_OCTETS: usize = 64 * 1024;
const MAGIC_OCTETS: u64 = 6;

/// How a caller waits: sleeps in the binary, returns at once in tests.
pub type Sleep<'a> = &'a mut dyn FnMut(Duration);

/// Makes requests within this crate's limits.
pub(crate) fn agent(proxy: Option<ureq::Proxy>, https_only: bool) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .https_only(https_only)
        .max_redirects(REDIRECTS_MAX)
        .proxy(proxy)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_recv_response(Some(READ_TIMEOUT))
        .timeout_per_read(Some(READ_TIMEOUT))
        .user_agent(concat!("routewarden/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

/// An HTTP client with this crate's limits.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    file_octets_max: u64,
}

impl Client {
    pub(super) fn new(
        proxy: Option<&str>,
        https_only: bool,
        file_octets_max: u64,
    ) -> Result<Self, ArchiveError> {
        let proxy = proxy.map(ureq::Proxy::new).transpose();
        let proxy = proxy.map_err(|source| ArchiveError::Proxy { source: Box::new(source) })?;
        let agent = agent(proxy, https_only);
        Ok(Client { agent, file_octets_max })
    }

    /// A page of text; `None` when there is none.
    pub(super) fn page(&self, url: &str, sleep: Sleep<'_>) -> Result<Option<String>, ArchiveError> {
        let page = retry(sleep, || {
            let response = self.get(url, None)?;
            let mut body = Vec::new();
            let limited = response.into_body().into_reader().take(INDEX_OCTETS_MAX + 1);
            copy(url, limited, &mut body, (0, INDEX_OCTETS_MAX))
                .map_err(CopyError::into_archive)?;
            Ok(String::from_utf8_lossy(&body).into_owned())
        });
        match page {
            Ok(page) => Ok(Some(page)),
            Err(ArchiveError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Brings a file to `target`, unless it is there. What was got of it before goes on.
    pub(super) fn file(
        &self,
        url: &str,
        target: &Path,
        sleep: Sleep<'_>,
    ) -> Result<(), ArchiveError> {
        retry(sleep, || {
            if target.exists() {
                return Ok(());
            }
            let Some(mut part) = Part::open(target)? else { return Ok(()) };
            self.complete(url, &mut part)?;
            part.finish(url, target)
        })
    }

    fn get(&self, url: &str, resume: Option<(u64, &str)>) -> Result<Response<Body>, ArchiveError> {
        let mut request = self.agent.get(url);
        if let Some((octets, validator)) = resume {
            request =
                request.header("Range", format!("bytes={octets}-")).header("If-Range", validator);
        }
        let response = request.call().map_err(|source| ArchiveError::Request {
            url: url.to_owned(),
            source: Box::new(source),
        })?;
        match response.status().as_u16() {
            200 | 206 => Ok(response),
            404 | 410 => Err(ArchiveError::NotFound { url: url.to_owned() }),
            status => Err(ArchiveError::Status { url: url.to_owned(), status }),
        }
    }

    fn complete(&self, url: &str, part: &mut Part) -> Result<(), ArchiveError> {
        let held = part.octets()?;
        let validator = part.validator().filter(|_| held > 0);
        let response = self.get(url, validator.as_deref().map(|validator| (held, validator)));
        if let Err(ArchiveError::Status { status: 416, .. }) = response {
            // What is held is longer than the file now is.
            part.restart()?;
        }
        let response = response?;
        let (start, total) = if response.status() == 206 {
            let range = header(&response, "content-range").and_then(content_range);
            let Some((start, total)) = range.filter(|(start, _)| *start == held) else {
                part.restart()?;
                return Err(ArchiveError::Range { url: url.to_owned(), expected: held });
            };
            (start, total)
        } else {
            part.restart()?;
            part.note_validator(validator_of(&response))?;
            let length = header(&response, "content-length").and_then(|text| text.parse().ok());
            (0, length)
        };
        let octets_max = self.file_octets_max;
        if total.is_some_and(|total| total > octets_max) {
            return Err(ArchiveError::TooLarge { url: url.to_owned(), octets_max });
        }
        let body = response.into_body().into_reader();
        let octets = match copy(url, body, &mut part.file, (start, octets_max)) {
            Ok(octets) => octets,
            Err(CopyError::Write(source)) => return Err(part.failed(source)),
            Err(error) => return Err(error.into_archive()),
        };
        match total {
            Some(expected) if octets != expected => {
                if octets > expected {
                    part.restart()?;
                }
                Err(ArchiveError::Length { url: url.to_owned(), octets, expected })
            }
            Some(_) => Ok(()),
            None => part.verify(url, octets),
        }
    }
}

/// Tries again after transient errors, with capped pauses.
fn retry<T>(
    sleep: Sleep<'_>,
    mut attempt: impl FnMut() -> Result<T, ArchiveError>,
) -> Result<T, ArchiveError> {
    let mut pause = BACKOFF_FIRST;
    for _ in 1..ATTEMPTS_MAX {
        match attempt() {
            Err(error) if error.is_transient() => {
                sleep(pause);
                pause = (pause * 2).min(BACKOFF_MAX);
            }
            result => return result,
        }
    }
    attempt()
}

/// An unfinished file. It is locked, so that two processes do not write the same one.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    /// `None` when another process finished the file meanwhile.
    fn open(target: &Path) -> Result<Option<Self>, ArchiveError> {
        let path = with_ending(target, ".part");
        let failed = |source| ArchiveError::Cache { path: path.clone(), source };
        if let Some(directory) = target.parent() {
            fs::create_dir_all(directory).map_err(failed)?;
        }
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ArchiveError::Busy { path }),
            Err(TryLockError::Error(source)) => return Err(ArchiveError::Cache { path, source }),
        }
        // Between opening and locking the other process may have renamed this very file.
        if target.exists() {
            return Ok(None);
        }
        Ok(Some(Part { path, file }))
    }

    fn failed(&self, source: std::io::Error) -> ArchiveError {
        ArchiveError::Cache { path: self.path.clone(), source }
    }

    /// Octets got so far; goes to their end.
    fn octets(&mut self) -> Result<u64, ArchiveError> {
        self.file.seek(SeekFrom::End(0)).map_err(|source| self.failed(source))
    }

    fn restart(&mut self) -> Result<(), ArchiveError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|source| self.failed(source))
    }

    fn validator_path(&self) -> PathBuf {
        with_ending(&self.path, ".validator")
    }

    /// What the server said of the version of the file that was begun.
    fn validator(&self) -> Option<String> {
        let text = fs::read_to_string(self.validator_path()).ok()?;
        let is_header_value = !text.is_empty() && text.chars().all(|c| (' '..='~').contains(&c));
        is_header_value.then_some(text)
    }

    fn note_validator(&self, validator: Option<String>) -> Result<(), ArchiveError> {
        let path = self.validator_path();
        let failed = |source| ArchiveError::Cache { path: path.clone(), source };
        match validator {
            Some(validator) => fs::write(&path, validator).map_err(failed),
            None if path.exists() => fs::remove_file(&path).map_err(failed),
            None => Ok(()),
        }
    }

    /// Reads the whole file: without a length, a broken connection looks like its end.
    fn verify(&mut self, url: &str, octets: u64) -> Result<(), ArchiveError> {
        self.file.rewind().map_err(|source| self.failed(source))?;
        let file = self.file.try_clone().map_err(|source| self.failed(source))?;
        let transport = Transport::from_reader(Box::new(file), Limits::default(), Arc::default());
        let mut transport = transport.map_err(|source| self.failed(source))?;
        let mut sink = vec![0; COPY_OCTETS];
        loop {
            match transport.read(&mut sink) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(fault) => {
                    self.restart()?;
                    let (url, source) = (url.to_owned(), std::io::Error::other(fault));
                    return Err(ArchiveError::BrokenOff { url, octets, source });
                }
            }
        }
    }

    /// Checks the first octets and gives the file its name.
    fn finish(mut self, url: &str, target: &Path) -> Result<(), ArchiveError> {
        let expected = compression_of_name(target);
        let mut magic = Vec::new();
        let read = self
            .file
            .rewind()
            .and_then(|()| (&self.file).take(MAGIC_OCTETS).read_to_end(&mut magic).map(|_| ()));
        read.map_err(|source| self.failed(source))?;
        if Compression::of(&magic) != expected {
            self.restart()?;
            return Err(ArchiveError::Content { url: url.to_owned(), expected });
        }
        let named = self.file.sync_all().and_then(|()| fs::rename(&self.path, target));
        named.map_err(|source| self.failed(source))?;
        self.note_validator(None)
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn compression_of_name(path: &Path) -> Compression {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Compression::Gzip,
        Some("bz2") => Compression::Bzip2,
        Some("xz") => Compression::Xz,
        Some("zst") => Compression::Zstd,
        _ => Compression::Plain,
    }
}

pub(crate) fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// A validator fit for `If-Range` (RFC 9110 §13.1.5): a strong entity tag, or else a date.
fn validator_of(response: &Response<Body>) -> Option<String> {
    let tag = header(response, "etag").filter(|tag| tag.starts_with('"'));
    tag.or_else(|| header(response, "last-modified")).map(str::to_owned)
}

/// Start and, if known, total length of `Content-Range: bytes 3-9/10` (RFC 9110 §14.4).
fn content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.parse().ok()?, total.parse().ok()))
}

enum CopyError {
    Read(ArchiveError),
    Write(std::io::Error),
}

impl CopyError {
    /// For a copy into memory, which cannot fail to be written.
    fn into_archive(self) -> ArchiveError {
        match self {
            CopyError::Read(error) => error,
            CopyError::Write(source) => ArchiveError::Cache { path: PathBuf::new(), source },
        }
    }
}

/// Copies from octet `start` on, up to `octets_max` in all; gives where it ended.
fn copy(
    url: &str,
    mut from: impl Read,
    to: &mut impl Write,
    (start, octets_max): (u64, u64),
) -> Result<u64, CopyError> {
    let mut buffer = vec![0; COPY_OCTETS];
    let mut octets = start;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(octets),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(source) => {
                let url = url.to_owned();
                return Err(CopyError::Read(ArchiveError::BrokenOff { url, octets, source }));
            }
        };
        octets += read as u64;
        if octets > octets_max {
            let url = url.to_owned();
            return Err(CopyError::Read(ArchiveError::TooLarge { url, octets_max }));
        }
        let chunk = buffer.get(..read).unwrap_or_default();
        to.write_all(chunk).map_err(CopyError::Write)?;
    }
}
