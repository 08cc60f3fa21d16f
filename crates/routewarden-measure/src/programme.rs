//! Programmes of MANRS, and whether an AS keeps to what a participant of one commits to: conformance, apart from
//! readiness.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::document::{self, once, within};
use crate::formula::joined;
use crate::{DocumentError, DocumentFault, Readiness, ReadinessClass};

/// Most programmes of a data file; most actions of one.
pub const PROGRAMMES_MAX: usize = 32;

/// Programmes, as a data file gives them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programmes {
    /// What they rest on.
    pub source: String,
    /// In the order in which they are shown.
    #[serde(rename = "programme")]
    pub programmes: Vec<Programme>,
}

/// A programme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// Stable name, as `net-ops`.
    pub id: String,
    /// Other names for it in lists of participants.
    #[serde(default)]
    pub aliases: BTreeSet<String>,
    /// In words.
    pub title: String,
    /// How many actions a participant implements at least, the mandatory ones among them.
    pub least_actions: u8,
    /// In its order.
    #[serde(rename = "action")]
    pub actions: Vec<ProgrammeAction>,
}

/// An action of a programme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgrammeAction {
    /// Stable name within the programme, as `filtering`.
    pub id: String,
    /// In words.
    pub title: String,
    /// Whether every participant implements it.
    pub is_mandatory: bool,
    /// How it is measured; not given where it can only be declared.
    #[serde(default)]
    pub measured_by: Option<MeasuredBy>,
}

/// The scores that measure an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredBy {
    /// Ids of scores. A profile that has none of an id gives no data for it.
    pub scores: Vec<String>,
    /// How many of them must reach the class.
    pub which: Which,
    /// The class needed, or a better one.
    pub class: ReadinessClass,
}

/// How many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Each of them.
    All,
    /// One is enough.
    Any,
}

/// How an AS stands by one action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionState {
    /// Measured, and enough.
    Met,
    /// Measured, and not enough.
    NotMet,
    /// Neither measured nor declared.
    NoData,
    /// Not measured; the participant says so.
    Declared,
}

/// How an AS stands by a programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConformanceState {
    /// All mandatory actions are met or declared, and enough of all.
    Conformant,
    /// A mandatory action is not met, or enough cannot be reached.
    NonConformant,
    /// Neither is known.
    NoData,
}

/// One action of an AS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActionConformance {
    /// Id of the action.
    pub id: String,
    /// In words.
    pub title: String,
    /// Whether every participant implements it.
    pub is_mandatory: bool,
    /// How the AS stands.
    pub state: ActionState,
    /// In words.
    pub why: String,
}

/// Whether an AS keeps to a programme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conformance {
    /// Id of the programme.
    pub programme: String,
    /// As a whole.
    pub state: ConformanceState,
    /// In the order of the programme.
    pub actions: Vec<ActionConformance>,
}

impl Programmes {
    /// Text of the programmes compiled in, whose digest is their version.
    pub const BUILT_IN_TEXT: &'static str = include_str!("data/programmes.toml");

    /// The programmes compiled in.
    pub fn built_in() -> Result<Self, DocumentError> {
        Self::parse(Self::BUILT_IN_TEXT)
    }

    /// Reads programmes and checks that they make sense.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let read: Programmes = document::read(text)?;
        let programmes = &read.programmes;
        within("programme", programmes.len(), 1, PROGRAMMES_MAX)?;
        once(programmes.iter().flat_map(|held| {
            std::iter::once(held.id.as_str()).chain(held.aliases.iter().map(String::as_str))
        }))?;
        programmes.iter().try_for_each(Programme::check)?;
        Ok(read)
    }

    /// That of an id or alias, as a list of participants names it.
    pub fn named(&self, name: &str) -> Option<&Programme> {
        self.programmes.iter().find(|held| held.id == name || held.aliases.contains(name))
    }
}

impl Programme {
    fn check(&self) -> Result<(), DocumentError> {
        within(&self.id, self.actions.len(), 1, PROGRAMMES_MAX)?;
        once(self.actions.iter().map(|action| action.id.as_str()))?;
        let mandatory = self.actions.iter().filter(|action| action.is_mandatory).count();
        let least = usize::from(self.least_actions);
        let field = format!("{}.least_actions", self.id);
        within(&field, least, mandatory.max(1), self.actions.len())?;
        for action in &self.actions {
            let Some(measured_by) = &action.measured_by else { continue };
            let at = format!("{}.{}", self.id, action.id);
            within(&at, measured_by.scores.len(), 1, crate::METRICS_MAX)?;
            once(measured_by.scores.iter().map(String::as_str))?;
            if measured_by.class == ReadinessClass::NoData {
                return Err(DocumentError::invalid(&at, DocumentFault::NoDataAsked));
            }
        }
        Ok(())
    }

    /// Whether an AS keeps to it, by its scores; `declared` are ids of actions that the participant says it
    /// implements. What is measured goes before what is declared.
    pub fn conformance(&self, readiness: &Readiness, declared: &BTreeSet<String>) -> Conformance {
        let actions = self.actions.iter().map(|action| {
            let (state, why) = action.state(readiness, declared.contains(&action.id));
            ActionConformance {
                id: action.id.clone(),
                title: action.title.clone(),
                is_mandatory: action.is_mandatory,
                state,
                why,
            }
        });
        let actions: Vec<ActionConformance> = actions.collect();
        Conformance { programme: self.id.clone(), state: self.overall(&actions), actions }
    }

    fn overall(&self, actions: &[ActionConformance]) -> ConformanceState {
        let is_kept = |action: &&ActionConformance| {
            matches!(action.state, ActionState::Met | ActionState::Declared)
        };
        let least = usize::from(self.least_actions);
        let may_be = actions.iter().filter(|action| action.state != ActionState::NotMet).count();
        let mut mandatory = actions.iter().filter(|action| action.is_mandatory);
        if may_be < least || mandatory.clone().any(|action| action.state == ActionState::NotMet) {
            ConformanceState::NonConformant
        } else if mandatory.all(|action| is_kept(&action))
            && actions.iter().filter(is_kept).count() >= least
        {
            ConformanceState::Conformant
        } else {
            ConformanceState::NoData
        }
    }
}

impl ProgrammeAction {
    fn state(&self, readiness: &Readiness, is_declared: bool) -> (ActionState, String) {
        let (state, why) = match &self.measured_by {
            Some(measured_by) => measured_by.state(readiness),
            None => (ActionState::NoData, "cannot be measured from outside".to_owned()),
        };
        match (state, is_declared) {
            (ActionState::NoData, true) => {
                (ActionState::Declared, format!("declared by the participant; {why}"))
            }
            (ActionState::NoData, false) => (state, format!("not declared; {why}")),
            _ => (state, why),
        }
    }
}

impl MeasuredBy {
    fn state(&self, readiness: &Readiness) -> (ActionState, String) {
        let classes: Vec<ReadinessClass> =
            self.scores.iter().map(|id| readiness.class_of(id)).collect();
        let reaches = |class: &ReadinessClass| *class >= self.class;
        let has_no_data = classes.contains(&ReadinessClass::NoData);
        let is_short = |class: &ReadinessClass| *class != ReadinessClass::NoData && !reaches(class);
        let state = match self.which {
            Which::Any if classes.iter().any(reaches) => ActionState::Met,
            Which::Any if has_no_data => ActionState::NoData,
            Which::Any => ActionState::NotMet,
            Which::All if classes.iter().any(is_short) => ActionState::NotMet,
            Which::All if has_no_data => ActionState::NoData,
            Which::All => ActionState::Met,
        };
        let told: Vec<String> = self.scores.iter().map(|id| readiness.told(id)).collect();
        let needed = self.class.name();
        let which = match (self.which, self.scores.as_slice()) {
            (_, [_]) => "",
            (Which::Any, _) => " for one of them",
            (Which::All, _) => " for each of them",
        };
        let told: Vec<&str> = told.iter().map(String::as_str).collect();
        (state, format!("{}; {needed} is needed{which}", joined(&told)))
    }
}
