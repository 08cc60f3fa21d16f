//! Made-up MRT data, the same in every run, and the work on it whose instructions are counted.
//!
//! A crate of its own with few dependencies: continuous integration builds it with optimisation.

pub mod synthetic;
pub mod work;
