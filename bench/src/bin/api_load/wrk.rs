//! `wrk`, which asks a route as fast as it is answered.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

/// Asks for the paths in turn, and tells what came of it in one line.
const SCRIPT: &str = r#"
local paths = {}
for line in io.lines(os.getenv("API_LOAD_PATHS")) do paths[#paths + 1] = line end
local next = 0
request = function()
  next = next % #paths + 1
  return wrk.format("GET", "/api/v1" .. paths[next])
end
done = function(summary, latency, requests)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.timeout
  print(string.format("RESULT %d %d %d %d %d %d %d", summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99), latency.max, failed + e.status))
end
"#;

/// How a route is asked.
pub(crate) struct Load {
    pub(crate) http: SocketAddr,
    pub(crate) connections: usize,
    pub(crate) duration: Duration,
}

impl Load {
    /// Asks for paths of one route.
    pub(crate) fn run(&self, paths: &[String]) -> Result<Value> {
        let folder = tempfile::tempdir()?;
        let (script, list) = (folder.path().join("script.lua"), folder.path().join("paths"));
        fs::write(&script, SCRIPT)?;
        fs::write(&list, paths.join("\n"))?;
        let ran = Command::new("wrk")
            .env("API_LOAD_PATHS", &list)
            .args(["--threads", "1", "--timeout", "30s", "--connections"])
            .arg(self.connections.to_string())
            .arg(format!("--duration={}s", self.duration.as_secs()))
            .arg("--script")
            .arg(&script)
            .arg(format!("http://{}", self.http))
            .output()
            .context("cannot run wrk (Debian: apt-get install wrk)")?;
        let told = String::from_utf8_lossy(&ran.stdout);
        let result = told.lines().find_map(|line| line.strip_prefix("RESULT "));
        let result = result.with_context(|| format!("wrk said: {told}"))?;
        let numbers: Vec<f64> = result.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let &[requests, micros, octets, p50, p99, max, failed] = numbers.as_slice() else {
            anyhow::bail!("wrk said: {result}");
        };
        ensure!(requests > 0.0, "not one answer: {told}");
        Ok(json!({
            "requests_per_second": (requests / micros * 1e6).round(),
            "octets": (octets / requests).round(),
            "p50_ms": p50 / 1e3,
            "p99_ms": p99 / 1e3,
            "max_ms": max / 1e3,
            "failed": failed,
        }))
    }
}
