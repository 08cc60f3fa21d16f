//! The layers of the house, checked on the dependency graph.
//!
//! ```text
//!          routewarden
//!     feeds   detect   measure   store   lab
//!        wire
//!            core
//! ```

use std::fmt;

use serde_json::Value;

/// What one crate may depend on.
struct Layer {
    name: &'static str,
    /// Members of the workspace it may use in its product code.
    may_use: &'static [&'static str],
    /// Whether it does no I/O: then [`IMPURE`] crates are refused.
    is_pure: bool,
}

const LAYERS: [Layer; 13] = [
    Layer { name: "routewarden-core", may_use: &[], is_pure: true },
    Layer { name: "routewarden-wire", may_use: &["routewarden-core"], is_pure: true },
    Layer {
        name: "routewarden-feeds",
        may_use: &["routewarden-core", "routewarden-tcp-md5", "routewarden-wire"],
        is_pure: false,
    },
    Layer { name: "routewarden-tcp-md5", may_use: &[], is_pure: false },
    Layer { name: "routewarden-detect", may_use: &["routewarden-core"], is_pure: true },
    Layer {
        name: "routewarden-lab",
        may_use: &["routewarden-core", "routewarden-wire"],
        is_pure: true,
    },
    Layer { name: "routewarden-measure", may_use: &["routewarden-core"], is_pure: true },
    Layer { name: "routewarden-store", may_use: &["routewarden-core"], is_pure: false },
    Layer {
        name: "routewarden",
        may_use: &[
            "routewarden-core",
            "routewarden-wire",
            "routewarden-feeds",
            "routewarden-detect",
            "routewarden-lab",
            "routewarden-measure",
            "routewarden-store",
        ],
        is_pure: false,
    },
    Layer {
        name: "routewarden-bench",
        may_use: &[
            "routewarden-core",
            "routewarden-wire",
            "routewarden-feeds",
            "routewarden-detect",
            "routewarden-store",
            "routewarden-gate",
            "routewarden-lab",
            "routewarden-rivals",
            "routewarden",
        ],
        is_pure: false,
    },
    Layer { name: "routewarden-rivals", may_use: &["routewarden-core"], is_pure: true },
    Layer {
        name: "routewarden-gate",
        may_use: &["routewarden-core", "routewarden-wire"],
        is_pure: true,
    },
    Layer { name: "xtask", may_use: &["routewarden", "routewarden-detect"], is_pure: false },
];

/// Crates for tests may be used by anyone as development dependencies.
const TEST_AIDS: [&str; 1] = ["routewarden-lab"];

/// Third-party crates that bring I/O, an async runtime or a database, by beginning of name.
const IMPURE: [&str; 23] = [
    "async-std",
    "axum",
    "bzip2",
    "clap",
    "curl",
    "flate2",
    "glob",
    "hyper",
    "indicatif",
    "liblzma",
    "mio",
    "native-tls",
    "reqwest",
    "rusqlite",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "tempfile",
    "tokio",
    "tungstenite",
    "ureq",
    "zstd",
];

/// A member of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A direct dependency of a [`Package`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: DependencyKind,
}

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DependencyKind {
    /// Linked into the product.
    Normal,
    /// Used by its build script.
    Build,
    /// Used by its tests, examples and benches.
    Development,
}

/// A dependency that the layers forbid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A crate that has no layer.
    NoLayer { name: String },
    /// A crate of the workspace uses one it must not.
    Upwards { from: String, to: String },
    /// A pure crate uses one that does I/O.
    Impure { from: String, to: String },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::NoLayer { name } => write!(f, "{name} has no layer in xtask/src/layers.rs"),
            Violation::Upwards { from, to } => write!(f, "{from} must not depend on {to}"),
            Violation::Impure { from, to } => {
                write!(f, "{from} is pure and must not depend on {to}")
            }
        }
    }
}

/// The members of the workspace out of `cargo metadata --no-deps`. `None` when the shape is not
/// the documented one.
pub(crate) fn packages(metadata: &Value) -> Option<Vec<Package>> {
    let packages = metadata.get("packages")?.as_array()?.iter().map(|package| {
        let dependencies = package.get("dependencies")?.as_array()?.iter().map(dependency);
        Some(Package {
            name: package.get("name")?.as_str()?.to_owned(),
            dependencies: dependencies.collect::<Option<_>>()?,
        })
    });
    packages.collect()
}

fn dependency(value: &Value) -> Option<Dependency> {
    let kind = match value.get("kind")?.as_str() {
        None => DependencyKind::Normal,
        Some("build") => DependencyKind::Build,
        Some("dev") => DependencyKind::Development,
        Some(_) => return None,
    };
    Some(Dependency { name: value.get("name")?.as_str()?.to_owned(), kind })
}

/// Every dependency against the layers, in the order of the packages.
pub(crate) fn violations(packages: &[Package]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in packages {
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == package.name) else {
            violations.push(Violation::NoLayer { name: package.name.clone() });
            continue;
        };
        violations.extend(
            package.dependencies.iter().filter_map(|dependency| violation(layer, dependency)),
        );
    }
    violations
}

fn violation(layer: &Layer, dependency: &Dependency) -> Option<Violation> {
    let (from, to) = (layer.name.to_owned(), dependency.name.clone());
    let is_for_tests = dependency.kind == DependencyKind::Development;
    if LAYERS.iter().any(|layer| layer.name == to) {
        let is_allowed = layer.may_use.contains(&to.as_str())
            || (is_for_tests && (TEST_AIDS.contains(&to.as_str()) || from == to));
        return (!is_allowed).then_some(Violation::Upwards { from, to });
    }
    let is_impure = IMPURE.iter().any(|name| {
        to.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
    });
    (layer.is_pure && !is_for_tests && is_impure).then_some(Violation::Impure { from, to })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Violations of one package with one dependency.
    fn check(name: &str, dependency: &str, kind: Option<&str>) -> Vec<String> {
        let metadata = json!({"packages": [
            {"name": name, "dependencies": [{"name": dependency, "kind": kind}]}
        ]});
        violations(&packages(&metadata).unwrap()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn downwards_is_allowed() {
        for (from, to) in [
            ("routewarden-wire", "routewarden-core"),
            ("routewarden-feeds", "routewarden-wire"),
            ("routewarden-lab", "routewarden-wire"),
            ("routewarden-detect", "routewarden-core"),
            ("routewarden-measure", "routewarden-core"),
            ("routewarden", "routewarden-detect"),
            ("routewarden-core", "serde"),
            ("routewarden-feeds", "ureq"),
        ] {
            assert_eq!(check(from, to, None), [""; 0], "{from} -> {to}");
        }
    }

    #[test]
    fn upwards_and_sideways_are_refused() {
        for (from, to) in [
            ("routewarden-core", "routewarden-wire"),
            ("routewarden-wire", "routewarden-feeds"),
            ("routewarden-detect", "routewarden-wire"),
            ("routewarden-detect", "routewarden-feeds"),
            ("routewarden-measure", "routewarden-detect"),
            ("routewarden-feeds", "routewarden-detect"),
            ("routewarden-lab", "routewarden-detect"),
            ("routewarden-core", "routewarden"),
        ] {
            let expected = format!("{from} must not depend on {to}");
            assert_eq!(check(from, to, None), [expected.as_str()]);
            assert_eq!(check(from, to, Some("build")), [expected.as_str()]);
        }
    }

    #[test]
    fn tests_may_use_the_lab_and_nothing_else_upwards() {
        assert_eq!(check("routewarden-detect", "routewarden-lab", Some("dev")), [""; 0]);
        assert_eq!(check("routewarden-core", "tempfile", Some("dev")), [""; 0]);
        assert_eq!(
            check("routewarden-core", "routewarden-detect", Some("dev")),
            ["routewarden-core must not depend on routewarden-detect"]
        );
    }

    #[test]
    fn pure_crates_do_no_io() {
        for to in ["tokio", "tokio-util", "rusqlite", "reqwest", "ureq", "hyper", "axum"] {
            for from in [
                "routewarden-core",
                "routewarden-wire",
                "routewarden-detect",
                "routewarden-measure",
            ] {
                let expected = format!("{from} is pure and must not depend on {to}");
                assert_eq!(check(from, to, None), [expected.as_str()]);
            }
        }
        assert_eq!(check("routewarden-core", "globset", None), [""; 0]);
    }

    #[test]
    fn a_crate_without_a_layer_is_refused() {
        assert_eq!(
            check("routewarden-utils", "serde", None),
            ["routewarden-utils has no layer in xtask/src/layers.rs"]
        );
    }

    #[test]
    fn an_unknown_shape_is_not_taken_for_a_good_one() {
        assert_eq!(packages(&json!({})), None);
        assert_eq!(packages(&json!({"packages": [{"name": "x"}]})), None);
        let odd =
            json!({"packages": [{"name": "x", "dependencies": [{"name": "y", "kind": "?"}]}]});
        assert_eq!(packages(&odd), None);
    }

    #[test]
    fn the_workspace_keeps_to_its_layers() {
        let packages = packages(&crate::cargo_metadata().unwrap()).unwrap();
        assert!(packages.len() >= 6);
        assert_eq!(violations(&packages), []);
    }
}
