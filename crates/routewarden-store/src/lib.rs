//! What was decided, kept.
