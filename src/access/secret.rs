//! Random secrets, and the private files that hold them.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// 256 bits.
const BYTES: usize = 32;
/// A token of fewer bytes could be guessed: 128 bits is the least.
const LEAST_BYTES: usize = 16;
const TOKEN_PREFIX: &str = "cowork_";

/// What tells a secret without being it. It has no `==`, which ends at the first byte that differs: [`same`] is the only way
/// to compare two.
#[derive(Clone, Copy, Debug)]
pub struct Fingerprint(pub(super) [u8; 32]);

impl Fingerprint {
    pub fn hex(&self) -> String {
        hex(&self.0)
    }
}

/// A new secret from the system's random numbers, in hex.
pub fn random() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(hex(&bytes))
}

/// A new token. A telling beginning keeps it from looking like the end of an ordinary word, lets scanners of secrets find
/// it, and says to who comes upon it what it opens.
pub fn token() -> io::Result<String> {
    Ok(format!("{TOKEN_PREFIX}{}", random()?))
}

/// Whether a text can be a token; older ones have no prefix.
pub fn is_token(text: &str) -> bool {
    from_hex(text.strip_prefix(TOKEN_PREFIX).unwrap_or(text)).is_some_and(|bytes| bytes.len() >= LEAST_BYTES)
}

pub fn fingerprint(secret: &str) -> Fingerprint {
    Fingerprint(Sha256::digest(secret.as_bytes()).into())
}

/// Takes as long for a near miss as for a far one.
pub fn same(a: &Fingerprint, b: &Fingerprint) -> bool {
    a.0.ct_eq(&b.0).into()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok().filter(|_| pair.len() == 2)).collect()
}

/// Writes a file that its owner alone may read, whole or not at all.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    // A leftover of a killed process may have other rights.
    let _ = fs::remove_file(&part);
    let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_eq!((one.len(), from_hex(&one).unwrap().len()), (64, 32));
        assert_ne!(one, other);
        assert!(same(&fingerprint(&one), &fingerprint(&one)) && !same(&fingerprint(&one), &fingerprint(&other)));
        assert_eq!((from_hex("0g"), from_hex("abc"), from_hex("é")), (None, None, None));
    }

    /// Compiles only as long as one of the two fits, so never when there is an `==`.
    #[test]
    fn nothing_but_same_compares_fingerprints() {
        struct Comparable;
        trait Compared<A> {
            fn by() {}
        }
        impl<T> Compared<()> for T {}
        impl<T: PartialEq> Compared<Comparable> for T {}
        <Fingerprint as Compared<_>>::by();
        let (mut near, mut far) = (fingerprint("one"), fingerprint("one"));
        near.0[31] ^= 1;
        far.0[0] ^= 1;
        assert!(!same(&fingerprint("one"), &near) && !same(&fingerprint("one"), &far));
    }

    #[test]
    fn a_token_begins_like_no_word() {
        let new = token().unwrap();
        assert!(new.starts_with("cowork_") && is_token(&new), "{new}");
        assert!(is_token(&random().unwrap()), "an older one");
        assert!(["", "cowork_", "00ff", "cowork_00ff", "short"].iter().all(|text| !is_token(text)));
    }

    #[test]
    fn a_private_file_is_its_owners_alone_also_where_another_stood() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/token");
        for text in ["one", "two"] {
            write_private(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }
}
