//! Passwords: which are taken, and their hashes.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use routewarden_store::access::UserName;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Memory for one hash, in KiB: what OWASP's Password Storage Cheat Sheet asks of Argon2id.
pub const HASH_MEMORY_KIB: u32 = 19_456;
/// Passes over the memory.
pub const HASH_PASSES: u32 = 2;
/// Lanes.
pub const HASH_LANES: u32 = 1;
/// Most hashes that are made at one time.
pub const HASHES_MAX: usize = 2;
/// Milliseconds for which a hash waits for its turn.
pub const HASH_WAIT_MS_MAX: u64 = 5_000;
/// Least octets of a password.
pub const PASSWORD_OCTETS_MIN: usize = 12;
/// Most octets of a password.
pub const PASSWORD_OCTETS_MAX: usize = 1_024;

/// Passwords that are long enough and known to everybody.
const KNOWN: [&str; 20] = [
    "123456789012",
    "1234567890123",
    "12345678901234567890",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "abcdefghijkl",
    "administrator",
    "changemechangeme",
    "changeme1234",
    "correcthorsebatterystaple",
    "iloveyou1234",
    "letmeinletmein",
    "password1234",
    "password12345",
    "passwordpassword",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiopas",
    "routewarden123",
    "welcome12345",
];

/// The hash of no password that anybody has: what is given for an unknown name is held against it, so
/// that it takes the same time.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhlcmU\
                       $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasswordFault {
    /// Too short.
    #[error("expected at least {PASSWORD_OCTETS_MIN} octets")]
    Short,
    /// Too long.
    #[error("expected at most {PASSWORD_OCTETS_MAX} octets")]
    Long,
    /// One that is tried first.
    #[error(
        "it is among the first that are tried: expected one that is not the name, nor one \
             character again and again, nor known to everybody"
    )]
    Plain,
}

/// Whether a user may have a password.
pub(crate) fn check_password(user: &UserName, password: &str) -> Result<(), PasswordFault> {
    if password.len() < PASSWORD_OCTETS_MIN {
        return Err(PasswordFault::Short);
    }
    if password.len() > PASSWORD_OCTETS_MAX {
        return Err(PasswordFault::Long);
    }
    let lower = password.to_lowercase();
    let is_again_and_again = |part: &str| lower.replace(part, "").is_empty();
    let first: String = lower.chars().take(1).collect();
    let is_plain = KNOWN.contains(&&*lower) || is_again_and_again(&first);
    if is_plain || is_again_and_again(user.as_str()) { Err(PasswordFault::Plain) } else { Ok(()) }
}

fn argon2() -> Result<Argon2<'static>, argon2::Error> {
    let params = Params::new(HASH_MEMORY_KIB, HASH_PASSES, HASH_LANES, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// A hash was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashError {
    /// Too many others are made.
    #[error("too many log in at this time")]
    Busy,
    /// The system has no memory or no random octets, or a hash in the file is none.
    #[error("cannot hash a password: {0}")]
    Failed(String),
}

/// The hash of a password with a salt of its own, as a PHC string. Takes its time: not on a thread
/// that must not wait.
pub(crate) fn hash_password(password: &str) -> Result<String, HashError> {
    let failed = |error: &dyn std::fmt::Display| HashError::Failed(error.to_string());
    let argon2 = argon2().map_err(|error| failed(&error))?;
    let hash = argon2.hash_password(password.as_bytes()).map_err(|error| failed(&error))?;
    Ok(hash.to_string())
}

/// Whether it is the password of a hash; takes as long for no hash.
fn is_right(password: &str, hash: Option<&str>) -> Result<bool, HashError> {
    use argon2::password_hash::Error::PasswordInvalid;
    let verified = argon2()
        .map_err(|error| HashError::Failed(error.to_string()))?
        .verify_password(password.as_bytes(), hash.unwrap_or(NOBODYS));
    match verified {
        Ok(()) => Ok(hash.is_some()),
        Err(PasswordInvalid) => Ok(false),
        Err(error) => Err(HashError::Failed(error.to_string())),
    }
}

/// Hashes on threads that may block, only so many at once: each takes memory and a core.
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    wait: Duration,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let wait = Duration::from_millis(HASH_WAIT_MS_MAX);
        Passwords { turns: Arc::new(Semaphore::new(HASHES_MAX)), wait }
    }

    /// See [`hash_password`].
    pub(crate) async fn hash(&self, password: String) -> Result<String, HashError> {
        self.in_turn(move || hash_password(&password)).await
    }

    /// Whether it is the password of a hash; takes as long for no hash.
    pub(crate) async fn is_right(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, HashError> {
        self.in_turn(move || is_right(&password, hash.as_deref())).await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let turn = timeout(self.wait, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(HashError::Busy) };
        let work = move || {
            // Held until the work is done, also when nobody waits for it any more.
            let _turn = turn;
            work()
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| Err(HashError::Failed(error.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::phc::PasswordHash;

    use super::*;

    fn name(text: &str) -> UserName {
        text.parse().unwrap()
    }

    #[test]
    fn passwords_that_are_tried_first_are_refused() {
        let anna = name("anna");
        for (password, fault) in [
            ("short", PasswordFault::Short),
            ("elevenchars", PasswordFault::Short),
            (&"é".repeat(PASSWORD_OCTETS_MAX / 2 + 1), PasswordFault::Long),
            ("aaaaaaaaaaaa", PasswordFault::Plain),
            ("éÉéÉéÉéÉéÉéÉ", PasswordFault::Plain),
            ("annaANNAanna", PasswordFault::Plain),
            ("Password1234", PasswordFault::Plain),
        ] {
            assert_eq!(check_password(&anna, password), Err(fault), "{password}");
        }
        let long = name("anna.of.example");
        assert_eq!(check_password(&long, "Anna.of.Example"), Err(PasswordFault::Plain));
        for password in ["twelve chars", "annaannaannax", &"ab".repeat(PASSWORD_OCTETS_MAX / 2)] {
            assert_eq!(check_password(&anna, password), Ok(()), "{password}");
        }
        assert!(KNOWN.iter().all(|known| known.len() >= PASSWORD_OCTETS_MIN));
    }

    #[test]
    fn a_hash_has_its_own_salt_and_our_parameters() {
        let [one, other] = ["twelve chars"; 2].map(|password| hash_password(password).unwrap());
        assert_ne!(one, other);
        assert!(is_right("twelve chars", Some(&one)).unwrap());
        assert!(!is_right("twelve charz", Some(&one)).unwrap());
        assert!(!is_right("twelve chars", None).unwrap());
        for hash in [&*one, NOBODYS] {
            let parsed = PasswordHash::new(hash).unwrap();
            let params = Params::try_from(&parsed).unwrap();
            let costs = (params.m_cost(), params.t_cost(), params.p_cost());
            assert_eq!(costs, (HASH_MEMORY_KIB, HASH_PASSES, HASH_LANES));
            assert_eq!((parsed.algorithm.as_str(), parsed.hash.unwrap().len()), ("argon2id", 32));
        }
        assert!(matches!(is_right("x", Some("no hash")), Err(HashError::Failed(_))));
    }

    #[tokio::test]
    async fn only_so_many_are_hashed_at_once() {
        let passwords = Passwords { wait: Duration::from_millis(20), ..Passwords::new() };
        let turns = Arc::clone(&passwords.turns);
        let taken = turns.acquire_many_owned(u32::try_from(HASHES_MAX).unwrap()).await.unwrap();
        let refused = passwords.is_right("twelve chars".to_owned(), None).await;
        assert!(matches!(refused, Err(HashError::Busy)));
        drop(taken);
        assert!(!passwords.is_right("twelve chars".to_owned(), None).await.unwrap());
    }
}
