//! What facts a program is to keep.

use serde::Deserialize;

use super::refresh::FactFeed;
use super::rpki::RpkiConfig;

/// Facts beside BGP: `[rpki]` and `[[facts]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FactsConfig {
    /// VRPs and ASPAs.
    pub rpki: RpkiConfig,
    /// All other facts.
    pub facts: Vec<FactFeed>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::rtr::RtrCache;
    use routewarden_core::facts::FactKind;

    #[test]
    fn a_configuration_is_read_with_its_defaults() {
        let text = r#"
[rpki]
slurm = ["/etc/routewarden/slurm.json"]
[[rpki.rtr]]
name = "validator"
address = "192.0.2.1:8282"
[[rpki.files]]
name = "fallback"
kind = "vrps"
location = "/var/lib/rpki-client/json"
every_secs = 60
[[facts]]
name = "ripe routes"
kind = "irr"
location = "https://example.invalid/ripe.db.route.gz"
"#;
        let config: FactsConfig = toml::from_str(text).unwrap();
        assert_eq!(config.rpki.rtr, [RtrCache::new("validator", "192.0.2.1:8282")]);
        assert_eq!(config.rpki.files[0].every_secs, Some(60));
        assert_eq!(config.facts[0].kind, FactKind::Irr);
        assert!(toml::from_str::<FactsConfig>("[rpki]\nother = 1\n").is_err());
    }
}
