//! The cookie of a browser that has signed in: a name and an end, under a seal that only this server can make. It
//! holds no secret of its own, so nothing has to be kept, and whoever replaces the secret behind it ends it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::hmac;

use super::secret::{Fingerprint, from_hex, hex};

/// How long a browser stays signed in.
pub const LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// The value for `name`, sealed with the server's token and the fingerprint of what let `name` in.
pub fn seal(token: &str, name: &str, of: &Fingerprint, now: SystemTime) -> String {
    let until = seconds(now + LIFE);
    let tag = hmac::sign(&key(token), message(until, name, of).as_bytes());
    format!("{until}.{}.{}", hex(name.as_bytes()), hex(tag.as_ref()))
}

/// The name that a value claims. Nothing is proven by it; see [`is_sealed`].
pub fn claimed_name(value: &str) -> Option<String> {
    let name = value.split('.').nth(1)?;
    String::from_utf8(from_hex(name)?).ok()
}

/// Whether we made this value for `name`, and its time has not passed.
pub fn is_sealed(value: &str, token: &str, name: &str, of: &Fingerprint, now: SystemTime) -> bool {
    let mut parts = value.split('.');
    let until = parts.next().and_then(|until| until.parse().ok());
    let (Some(until), Some(tag)) = (until, parts.nth(1).and_then(from_hex)) else { return false };
    let sealed = hmac::verify(&key(token), message(until, name, of).as_bytes(), &tag).is_ok();
    sealed && parts.next().is_none() && seconds(now) < until
}

fn key(token: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, format!("cookie of {token}").as_bytes())
}

fn message(until: u64, name: &str, of: &Fingerprint) -> String {
    format!("{until}\n{}\n{name}", of.hex())
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_holds_for_one_name_one_secret_and_its_time() {
        let (now, of) = (SystemTime::now(), Fingerprint([7; 32]));
        let value = seal("token", "anna", &of, now);
        assert_eq!(claimed_name(&value).as_deref(), Some("anna"));
        assert!(is_sealed(&value, "token", "anna", &of, now));
        assert!(is_sealed(&value, "token", "anna", &of, now + LIFE - Duration::from_secs(2)));
        assert!(!is_sealed(&value, "token", "anna", &of, now + LIFE), "its time has passed");
        assert!(!is_sealed(&value, "other", "anna", &of, now), "the token was replaced");
        assert!(!is_sealed(&value, "token", "anna", &Fingerprint([8; 32]), now), "the password was changed");
        assert!(!is_sealed(&value, "token", "ben", &of, now));
        let longer = value.replacen(value.split('.').next().unwrap(), "99999999999", 1);
        let other = value.replacen(&hex(b"anna"), &hex(b"ben"), 1);
        for forged in [longer.as_str(), &other, &format!("{value}.x"), "", "..", "1.2.3", &value[..value.len() - 2]] {
            let name = claimed_name(forged).unwrap_or_default();
            assert!(!is_sealed(forged, "token", &name, &of, now), "{forged}");
        }
    }
}
