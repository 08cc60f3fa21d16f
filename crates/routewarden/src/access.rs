//! What access rests on: passwords and their hashes, secrets, and how often somebody may try.
//!
//! Users, sessions and tokens are kept by `routewarden_store::access`; the routes are in
//! `http::access`, the verbs in `commands`.

mod attempts;
mod passwords;
mod secrets;

pub use attempts::{
    ATTEMPT_WINDOW_SECS, ATTEMPTS_MAX, ATTEMPTS_PER_NAME_MAX, ATTEMPTS_PER_PLACE_MAX, KNOWN_MAX,
};
pub(crate) use attempts::{Attempts, TooMany};
pub use passwords::{
    HASH_LANES, HASH_MEMORY_KIB, HASH_PASSES, HASH_WAIT_MS_MAX, HASHES_MAX, PASSWORD_OCTETS_MAX,
    PASSWORD_OCTETS_MIN,
};
pub(crate) use passwords::{HashError, Passwords, check_password, hash_password};
pub(crate) use secrets::{Secret, hash_of, is_secret, is_token};
