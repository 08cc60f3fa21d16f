//! Embeds the pages that `make web` built into `web/dist`, each with its digest and, where that is
//! smaller, compressed. Without them the program is built all the same, with a page that says so.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// The pages, from the folder of this crate.
const WEB: &str = "../../web";
/// What is served for every page; without it nothing is embedded.
const INDEX: &str = "index.html";

fn main() -> io::Result<()> {
    let web = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join(WEB);
    let out = PathBuf::from(variable("OUT_DIR")?);
    let dist = web.join("dist");
    let is_built = dist.join(INDEX).is_file();
    // A folder that is not there would make every build look anew; its parent is.
    let watched = if is_built { &dist } else { &web };
    println!("cargo::rerun-if-changed={}", watched.display());
    println!("cargo::rerun-if-changed=build.rs");

    let mut names = Vec::new();
    if is_built {
        list(&dist, "", &mut names)?;
        names.sort();
    }
    let mut code = String::from("[\n");
    for name in &names {
        code.push_str(&entry(&dist, name, &out)?);
    }
    code.push_str("]\n");
    fs::write(out.join("pages.in"), code)
}

fn variable(name: &str) -> io::Result<String> {
    std::env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

/// Names of all files of a folder, from `prefix` on; what begins with a dot is the bundler's own.
fn list(folder: &Path, prefix: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}/{name}");
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &path, names)?;
        } else {
            names.push(path);
        }
    }
    Ok(())
}

/// A file as an element of the list of `src/http/pages.rs`.
fn entry(dist: &Path, name: &str, out: &Path) -> io::Result<String> {
    let path = dist.join(name.trim_start_matches('/'));
    let octets = fs::read(&path)?;
    let mut digest = String::new();
    for octet in Sha256::digest(&octets).iter().take(16) {
        write!(digest, "{octet:02x}").map_err(io::Error::other)?;
    }
    // A copy: the folder may be built anew while the compiler reads.
    let copy = out.join(&digest);
    fs::write(&copy, &octets)?;
    let whole = copy.display().to_string();
    let packed = gzip(&octets)?;
    let compressed = if packed.len() < octets.len() {
        let packed_path = out.join(format!("{digest}.gz"));
        fs::write(&packed_path, packed)?;
        format!("Some(include_bytes!({:?}))", packed_path.display().to_string())
    } else {
        "None".to_owned()
    };
    Ok(format!(
        "File {{ path: {name:?}, digest: {digest:?}, octets: include_bytes!({whole:?}), gzip: {compressed} }},\n"
    ))
}

fn gzip(octets: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(octets)?;
    encoder.finish()
}
