//! The RPKI cache: `StayRTR`, where it is installed.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Result;
use routewarden_bench::program::free_port;
use serde_json::json;

/// A running cache.
#[derive(Debug)]
pub(crate) struct Cache {
    child: Child,
    file: PathBuf,
    pub(crate) addr: SocketAddr,
}

impl Cache {
    /// Starts it with one VRP; `None` where it is not installed.
    pub(crate) fn start(folder: &Path) -> Result<Option<Self>> {
        let file = folder.join("vrps.json");
        let expires = 4_000_000_000_u64;
        let roa = json!({
            "prefix": "203.0.113.0/24", "maxLength": 24, "asn": 64496, "ta": "lab", "expires": expires
        });
        let objects = json!({"metadata": {"buildtime": "2026-11-23T10:00:00Z"}, "roas": [roa]});
        fs::write(&file, objects.to_string())?;
        let addr = free_port()?;
        Ok(spawn(&file, addr)?.map(|child| Cache { child, file, addr }))
    }

    /// Starts it anew: it forgets its session.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        if let Some(child) = spawn(&self.file, self.addr)? {
            self.child = child;
        }
        Ok(())
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // It may have ended.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn spawn(file: &Path, addr: SocketAddr) -> Result<Option<Child>> {
    let mut command = Command::new("stayrtr");
    command.args(["-bind", &addr.to_string(), "-metrics.addr", &free_port()?.to_string()]);
    command.args(["-checktime=false", "-cache"]).arg(file);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(child) => Ok(Some(child)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
