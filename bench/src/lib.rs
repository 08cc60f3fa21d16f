//! What the measuring programs share.

pub mod hash;
pub mod run;
