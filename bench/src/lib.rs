//! What the measuring programs share.

pub mod accuracy;
pub mod bgpdump;
pub mod hash;
pub mod load;
pub mod memory;
pub mod paths;
pub mod program;
pub mod run;
