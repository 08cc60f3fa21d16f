//! stub, replaced by the real one
use routewarden_core::facts::RelationTable;
use routewarden_core::{AsPath, Asn};
pub const SUSPICION_MIN: u8 = 70;
#[derive(Default)]
pub struct PathSet {
    paths: Vec<Vec<Asn>>,
}
impl PathSet {
    pub fn new(_: Vec<Asn>) -> Self {
        PathSet::default()
    }
    pub fn insert(&mut self, path: AsPath<'_>) {
        self.paths.push(path.collapsed().collect());
    }
    pub fn len(&self) -> usize {
        self.paths.len()
    }
    pub fn iter(&self) -> impl Iterator<Item = &[Asn]> {
        self.paths.iter().map(|p| p.as_slice())
    }
    pub fn links(&self) -> impl Iterator<Item = (Asn, Asn)> {
        self.paths.iter().flat_map(|p| p.windows(2).map(|w| (w[0], w[1])))
    }
}
pub struct Inferred {
    pub table: RelationTable,
    pub clique: Vec<Asn>,
}
pub fn infer(_paths: &PathSet, given: Option<&RelationTable>) -> Inferred {
    Inferred { table: given.cloned().unwrap_or_default(), clique: Vec::new() }
}
pub struct LinkModel;
pub struct LinkScore {
    pub suspicion: u8,
    pub reasons: Vec<(&'static str, i64)>,
}
impl LinkModel {
    pub fn new(_: &PathSet, _: &Inferred) -> Self {
        LinkModel
    }
    pub fn score(&self, _: Asn, _: Asn, _: &[Asn]) -> LinkScore {
        LinkScore { suspicion: 0, reasons: vec![] }
    }
}
