//! Secrets that we make: cookies, tokens, the link of the first run.

use routewarden_core::facts::Sha256;
use sha2::Digest;

/// Characters of a secret: 43 of 62 kinds are 256 bits.
const SECRET_CHARS: usize = 43;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Octets from here on are drawn again, so that every character is as likely as any other.
const FAIR: u8 = 248;

/// Begins every token, so that people and scanners know one when they see it.
const TOKEN_PREFIX: &str = "rwt_";

/// A text that nobody can guess. Only its hash is kept.
pub(crate) struct Secret(String);

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no random octets.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut text = String::with_capacity(SECRET_CHARS);
        let mut octets = [0; 2 * SECRET_CHARS];
        while text.len() < SECRET_CHARS {
            getrandom::fill(&mut octets)?;
            let fair = octets.iter().filter(|octet| **octet < FAIR);
            let chars = fair.filter_map(|octet| ALPHABET.get(usize::from(*octet) % ALPHABET.len()));
            text.extend(chars.take(SECRET_CHARS - text.len()).map(|char| char::from(*char)));
        }
        Ok(Secret(text))
    }

    /// A new token.
    ///
    /// # Errors
    /// When the system has no random octets.
    pub(crate) fn random_token() -> Result<Self, getrandom::Error> {
        Ok(Secret(format!("{TOKEN_PREFIX}{}", Secret::random()?.0)))
    }

    /// The text, for the one who shall have it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> Sha256 {
        hash_of(&self.0)
    }
}

/// Not to be logged by mistake.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// What is kept of a secret: it has 256 bits, so that no slow hash is needed.
pub(crate) fn hash_of(text: &str) -> Sha256 {
    Sha256(sha2::Sha256::digest(text).into())
}

/// Whether a text may be a token.
pub(crate) fn is_token(text: &str) -> bool {
    text.strip_prefix(TOKEN_PREFIX).is_some_and(is_secret)
}

/// Whether a text may be a secret without prefix.
pub(crate) fn is_secret(text: &str) -> bool {
    text.len() == SECRET_CHARS && text.bytes().all(|octet| octet.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_secret_is_another_and_of_the_form() {
        let secrets: Vec<Secret> = (0..200).map(|_| Secret::random().unwrap()).collect();
        let texts: BTreeSet<&str> = secrets.iter().map(Secret::reveal).collect();
        assert_eq!(texts.len(), 200);
        assert!(texts.iter().all(|text| is_secret(text)));
        let used: BTreeSet<char> = texts.iter().flat_map(|text| text.chars()).collect();
        assert_eq!(used.len(), ALPHABET.len(), "8,600 draws have every character");
        let bits = f64::from(u8::try_from(ALPHABET.len()).unwrap()).log2() * 43.0;
        assert!(bits >= 256.0, "{bits}");
        assert_eq!(format!("{:?}", secrets[0]), "Secret");
    }

    #[test]
    fn a_token_is_known_by_its_form() {
        let token = Secret::random_token().unwrap();
        let text = token.reveal();
        assert!(is_token(text) && !is_secret(text));
        assert_eq!(token.hash(), hash_of(text));
        let bare = text.strip_prefix(TOKEN_PREFIX).unwrap();
        let [short, long, other] =
            [text.replacen('_', "", 1), format!("{text}0"), text.replace('_', "-")];
        let mut odd = text.to_owned();
        odd.pop();
        odd.push('é');
        for wrong in ["", TOKEN_PREFIX, bare, &short, &long, &other, &odd] {
            assert!(!is_token(wrong), "{wrong}");
        }
    }
}
