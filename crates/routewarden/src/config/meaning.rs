//! What no schema says: names and addresses that must not be given twice, files that must be there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use routewarden_core::Asn;

use super::document::{Document, Key};
use super::finding::{Finding, Weight};
use super::{AccessMode, Config, FactFile, Period, Place};

/// Least time between two looks at a server that is not ours.
const FOREIGN_EVERY_MIN: Period = Period::secs(10);
/// Others than the owner may read.
const MODE_WORLD: u32 = 0o007;

/// Findings that rest on more than the key that they name.
pub(super) const OF_SEVERAL_KEYS: [&str; 5] =
    ["duplicate_name", "address_in_use", "no_effect", "no_source", "open_to_all"];

/// Makes relative paths those below `folder`, and those of the archive whole.
pub(super) fn make_whole(config: &mut Config, folder: &Path) {
    let neighbours = config.bgp.iter_mut().flat_map(|speaker| &mut speaker.neighbours);
    let facts = &mut config.facts;
    let named = [&mut facts.origins, &mut facts.relations, &mut facts.organisations];
    let others = [&mut facts.as_names, &mut facts.peeringdb, &mut facts.participants];
    let lists = facts.delegated.iter_mut().chain(&mut facts.irr);
    let files = named.into_iter().chain(others).flatten().chain(lists);
    let places = files.map(|file| &mut file.from);
    let places = places.chain(&mut config.rpki.vrps).chain(&mut config.rpki.aspas);
    let of_places = places.filter_map(|place| match place {
        Place::File(path) => Some(path),
        Place::Url(_) => None,
    });
    std::iter::once(&mut config.data_dir)
        .chain(&mut config.store.backup_dir)
        .chain(&mut config.constituency.file)
        .chain(&mut config.rpki.slurm)
        .chain(config.archive.iter_mut().filter_map(|archive| archive.cache_dir.as_mut()))
        .chain(config.directory.iter_mut().map(|directory| &mut directory.path))
        .chain(neighbours.filter_map(|neighbour| neighbour.tcp_md5_file.as_mut()))
        .chain(of_places)
        .for_each(|path| *path = folder.join(&*path));
}

/// Everything that is wrong with what the configuration means.
pub(super) fn check(document: &Document<'_>, config: &Config) -> Vec<Finding> {
    let mut check = Check { document, findings: Vec::new() };
    check.names(config);
    check.listeners(config);
    check.access(config);
    check.speakers(config);
    check.archives(config);
    check.folders(config);
    check.files(config);
    check.facts(config);
    if sources(config) == 0 {
        let text = "no source is configured: nothing will be heard ([[ris_live]], [[bmp]], \
                    [[bgp]], [[archive]] or [[directory]])";
        check.add(&Key::default(), Weight::Warning, "no_source", text.to_owned());
    }
    check.findings
}

fn sources(config: &Config) -> usize {
    config.ris_live.len()
        + config.bmp.len()
        + config.bgp.len()
        + config.archive.len()
        + config.directory.len()
}

/// Elements of a list of tables, each with its key.
fn keyed<'a, T>(name: &str, list: &'a [T]) -> impl Iterator<Item = (Key, &'a T)> {
    let list_key = Key::of(name);
    list.iter().enumerate().map(move |(number, item)| (list_key.element(number), item))
}

struct Check<'a> {
    document: &'a Document<'a>,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn add(&mut self, key: &Key, weight: Weight, kind: &'static str, message: String) {
        self.findings.push(self.document.at(key, weight, kind, message));
    }

    fn error(&mut self, key: &Key, kind: &'static str, message: String) {
        self.add(key, Weight::Error, kind, message);
    }

    /// Sources and collectors share one space of names: a route is known by its collector.
    fn names(&mut self, config: &Config) {
        let mut names: Vec<(Key, &str)> = Vec::new();
        for (key, source) in keyed("ris_live", &config.ris_live) {
            names.push((key.name("name"), &source.name));
        }
        for (key, source) in keyed("bmp", &config.bmp) {
            names.push((key.name("name"), &source.name));
        }
        for (key, source) in keyed("bgp", &config.bgp) {
            names.push((key.name("name"), &source.name));
            for (number, neighbour) in source.neighbours.iter().enumerate() {
                let key = key.name("neighbours").element(number);
                names.push((key.name("name"), &neighbour.name));
            }
        }
        for (key, source) in keyed("archive", &config.archive) {
            names.push((key.name("name"), &source.name));
            for (number, collector) in source.collectors.iter().enumerate() {
                names.push((key.name("collectors").element(number), collector));
            }
        }
        for (key, source) in keyed("directory", &config.directory) {
            names.push((key.name("collector"), &source.collector));
        }
        self.unique(names, "name");
        let caches = config.rpki.rtr.iter().enumerate();
        let key = Key::of("rpki").name("rtr");
        let name = |(number, cache)| (key.element(number).name("name"), cache);
        let names = caches.map(name).map(|(key, cache)| (key, cache.name.as_str()));
        self.unique(names.collect(), "name");
    }

    fn unique(&mut self, names: Vec<(Key, &str)>, what: &str) {
        let mut first: BTreeMap<String, Key> = BTreeMap::new();
        for (key, name) in names {
            // Names become those of files and labels, where case is easily lost.
            if let Some(other) = first.get(&name.to_ascii_lowercase()) {
                let text = format!("the {what} {name:?} is taken by {other}: give another one");
                self.error(&key, "duplicate_name", text);
            } else {
                first.insert(name.to_ascii_lowercase(), key);
            }
        }
    }

    fn listeners(&mut self, config: &Config) {
        let listen = |key: Key| key.name("listen");
        let http = (listen(Key::of("http")), config.http.listen);
        let bmp = keyed("bmp", &config.bmp).map(|(key, source)| (listen(key), source.listen));
        let bgp = keyed("bgp", &config.bgp).map(|(key, source)| (listen(key), source.listen));
        let all: Vec<(Key, SocketAddr)> = std::iter::once(http).chain(bmp).chain(bgp).collect();
        for (number, (key, address)) in all.iter().enumerate() {
            let mut before = all.iter().take(number);
            if let Some((other, _)) = before.find(|(_, taken)| overlap(*address, *taken)) {
                let text = format!("{address} is taken by {other}: give another port or address");
                self.error(key, "address_in_use", text);
            }
        }
    }

    /// Who reaches the HTTP server, and whether that is well.
    fn access(&mut self, config: &Config) {
        let address = config.http.listen;
        let (is_local, public) = (address.ip().is_loopback(), config.http.public_url.as_ref());
        if config.access.mode == AccessMode::Off {
            let key = Key::of("access").name("mode");
            if !is_local || public.is_some() {
                let what = public.map_or_else(|| address.to_string(), ToString::to_string);
                let text = format!(
                    "others than this machine reach {what}: without users, http.listen must be a \
                     loopback address, and there is no http.public_url"
                );
                self.error(&key, "open_to_all", text);
            }
            return;
        }
        if !is_local && !public.is_some_and(|url| url.is_https) {
            let text = format!(
                "{address} is reached by others than this machine, without TLS: passwords and \
                 tokens can be read on the way. Put a reverse proxy with TLS before it, and name it \
                 in http.public_url"
            );
            let key = Key::of("http").name("listen");
            self.add(&key, Weight::Warning, "open_listener", text);
        }
    }

    fn speakers(&mut self, config: &Config) {
        for (key, speaker) in keyed("bgp", &config.bgp) {
            if speaker.router_id.is_unspecified() {
                let text = "0.0.0.0 is no BGP identifier (RFC 6286): give an address of yours";
                self.error(&key.name("router_id"), "bad_value", text.to_owned());
            }
            self.asn(&key.name("local_asn"), speaker.local_asn);
            let list = key.name("neighbours");
            let mut addresses = Vec::new();
            for (number, neighbour) in speaker.neighbours.iter().enumerate() {
                let key = list.element(number);
                self.asn(&key.name("asn"), neighbour.asn);
                if let Some(path) = &neighbour.tcp_md5_file {
                    self.secret(&key.name("tcp_md5_file"), path);
                }
                addresses.push((key.name("address"), neighbour.address.to_string()));
            }
            let addresses = addresses.iter().map(|(key, text)| (key.clone(), text.as_str()));
            self.unique(addresses.collect(), "address");
        }
    }

    fn asn(&mut self, key: &Key, asn: Asn) {
        if asn == Asn::TRANS {
            let text = "23456 stands for a four-octet ASN (RFC 6793): give that one".to_owned();
            self.error(key, "bad_value", text);
        }
    }

    fn archives(&mut self, config: &Config) {
        for (key, archive) in keyed("archive", &config.archive) {
            if !archive.start_table && !archive.follow {
                let text = "neither start_table nor follow: the archive would not be read";
                self.error(&key, "no_effect", text.to_owned());
            }
            self.not_too_often(&key, archive.every);
        }
    }

    fn not_too_often(&mut self, key: &Key, every: Period) {
        if every < FOREIGN_EVERY_MIN {
            let text =
                format!("{every} is too often for another's server: from {FOREIGN_EVERY_MIN} on");
            self.error(&key.name("every"), "out_of_range", text);
        }
    }

    fn folders(&mut self, config: &Config) {
        let mut made: Vec<(Key, &Path)> = vec![(Key::of("data_dir"), &config.data_dir)];
        if let Some(path) = &config.store.backup_dir {
            made.push((Key::of("store").name("backup_dir"), path));
        }
        for (key, archive) in keyed("archive", &config.archive) {
            if let Some(path) = &archive.cache_dir {
                made.push((key.name("cache_dir"), path));
            }
        }
        for (key, path) in made {
            // What is not there yet is made at the start.
            if path.exists() && !path.is_dir() {
                let text = format!("{} is no folder", path.display());
                self.error(&key, "not_a_folder", text);
            }
        }
        for (key, directory) in keyed("directory", &config.directory) {
            if let Err(error) = fs::read_dir(&directory.path) {
                let text = format!("cannot read the folder {}: {error}", directory.path.display());
                self.error(&key.name("path"), "unreadable", text);
            }
        }
    }

    fn files(&mut self, config: &Config) {
        let constituency = (Key::of("constituency").name("file"), &config.constituency.file);
        let slurm = (Key::of("rpki").name("slurm"), &config.rpki.slurm);
        for (key, path) in [constituency, slurm] {
            if let Some(path) = path {
                self.readable(&key, path, Weight::Error);
            }
        }
    }

    /// Files of facts may come later: what is lacking is told by the status, too.
    fn facts(&mut self, config: &Config) {
        let rpki = Key::of("rpki");
        let places = [("vrps", &config.rpki.vrps), ("aspas", &config.rpki.aspas)];
        for (name, place) in &places {
            if let Some(place) = place {
                self.place(&rpki.name(name), place);
            }
        }
        if places.iter().any(|(_, place)| matches!(place, Some(Place::Url(_)))) {
            self.not_too_often(&rpki, config.rpki.every);
        }
        let facts = &config.facts;
        let one = |name, file| (Key::of("facts").name(name), file);
        let single = [
            one("origins", &facts.origins),
            one("relations", &facts.relations),
            one("organisations", &facts.organisations),
            one("as_names", &facts.as_names),
            one("peeringdb", &facts.peeringdb),
            one("participants", &facts.participants),
        ];
        let single = single.into_iter().filter_map(|(key, file)| Some((key, file.as_ref()?)));
        let lists = [("delegated", &facts.delegated), ("irr", &facts.irr)];
        let lists = lists.into_iter().flat_map(|(name, list)| {
            let key = Key::of("facts").name(name);
            list.iter().enumerate().map(move |(number, file)| (key.element(number), file))
        });
        let all: Vec<(Key, &FactFile)> = single.chain(lists).collect();
        for (key, file) in all {
            self.place(&key.name("from"), &file.from);
            if matches!(file.from, Place::Url(_)) {
                self.not_too_often(&key, file.every);
            }
        }
    }

    fn place(&mut self, key: &Key, place: &Place) {
        if let Place::File(path) = place {
            self.readable(key, path, Weight::Warning);
        }
    }

    fn secret(&mut self, key: &Key, path: &PathBuf) {
        if !self.readable(key, path, Weight::Error) {
            return;
        }
        let mode = fs::metadata(path).map(|data| data.permissions().mode()).unwrap_or_default();
        if mode & MODE_WORLD != 0 {
            let path = path.display();
            let text = format!("{path} may be read by everybody: chmod 600 {path}");
            self.add(key, Weight::Warning, "unprotected_secret", text);
        }
    }

    /// Whether it is a file that can be opened; else says so.
    fn readable(&mut self, key: &Key, path: &Path, weight: Weight) -> bool {
        // Only plain files are opened: opening a pipe waits.
        let opened = fs::metadata(path).and_then(|data| {
            if data.is_file() { File::open(path).map(|_| true) } else { Ok(false) }
        });
        let why = match opened {
            Ok(true) => return true,
            Ok(false) => "it is no plain file".to_owned(),
            Err(error) => error.to_string(),
        };
        let text = format!("cannot read {}: {why}", path.display());
        self.add(key, weight, "unreadable", text);
        false
    }
}

/// Whether two listeners cannot both be had. Port 0 is any free one.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip(), other.ip());
    let is_same = a == b
        || (a.is_ipv4() == b.is_ipv4() && (a.is_unspecified() || b.is_unspecified()))
        // The unspecified address of IPv6 takes those of IPv4 with it.
        || (a.is_ipv6() && a.is_unspecified())
        || (b.is_ipv6() && b.is_unspecified());
    one.port() != 0 && one.port() == other.port() && is_same
}
