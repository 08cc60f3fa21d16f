//! Cookies and tokens as they come and go.

use axum::http::{HeaderMap, HeaderValue, header};
use routewarden_store::access::SESSION_SECS_MAX;

use crate::access::{Secret, is_secret, is_token};

/// Name of the cookie where it goes over TLS: browsers then take it for the whole host only, and from
/// nobody who has no TLS (RFC 6265bis).
const SECURE_COOKIE: &str = "__Host-rw";
/// Name of the cookie without TLS.
const COOKIE: &str = "rw_session";

/// What a request brings. What is no cookie or token by its form, or there twice, is nothing.
pub(super) enum Brought<'a> {
    Nothing,
    Cookie(&'a str),
    Token(&'a str),
}

fn cookie_name(is_https: bool) -> &'static str {
    if is_https { SECURE_COOKIE } else { COOKIE }
}

/// What a request brings; a token goes before a cookie.
pub(super) fn brought(headers: &HeaderMap, is_https: bool) -> Brought<'_> {
    if headers.contains_key(header::AUTHORIZATION) {
        return token(headers).map_or(Brought::Nothing, Brought::Token);
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.split_once('='));
    let mut ours = pairs.filter(|(name, _)| name.trim() == cookie_name(is_https));
    // Of two, one was put there by somebody else.
    match (ours.next(), ours.next()) {
        (Some((_, value)), None) if is_secret(value.trim()) => Brought::Cookie(value.trim()),
        _ => Brought::Nothing,
    }
}

/// `Authorization: Bearer TOKEN` (RFC 6750).
fn token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && is_token(token)).then_some(token)
}

/// `Set-Cookie` of a session that begins.
pub(super) fn begun(secret: &Secret, is_https: bool) -> Option<HeaderValue> {
    set(secret.reveal(), SESSION_SECS_MAX, is_https)
}

/// `Set-Cookie` of a session that ends.
pub(super) fn ended(is_https: bool) -> Option<HeaderValue> {
    set("", 0, is_https)
}

fn set(value: &str, secs: i64, is_https: bool) -> Option<HeaderValue> {
    let name = cookie_name(is_https);
    let secure = if is_https { "; Secure" } else { "" };
    let cookie =
        format!("{name}={value}; Path=/; Max-Age={secs}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&cookie).ok()
}
