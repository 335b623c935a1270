//! The users file: one line for each person with the hash of a password, or each service with that of its token.
//!
//! ```text
//! anna:person:$argon2id$v=19$m=19456,t=2,p=1$…
//! nightly:service:8f43…
//! ```

use std::{io, path::Path};

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};

use super::secret::{Fingerprint, fingerprint, from_hex, random, same, token, write_private};
use crate::protocol::{Actor, ActorKind};

/// Longest name, in characters: it stands beside every message.
const NAME_CHARS: usize = 64;
/// Shorter ones are guessed.
pub const PASSWORD_CHARS: usize = 10;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users(Vec<User>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub kind: UserKind,
    /// Of a password by argon2, of a token by SHA-256: a token is too long to guess, a password is not.
    hash: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKind {
    Person,
    Service,
}

/// What keeps a name or a file from being used, for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    #[error("{0}")]
    Refused(String),
    #[error("The users file can't be used: {0}. Nothing was changed.")]
    File(#[from] io::Error),
}

impl Users {
    /// A file that isn't there has nobody in it.
    pub fn load(path: &Path) -> io::Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    fn parse(text: &str) -> io::Result<Self> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let users = lines.map(|(at, line)| {
            let fault = || io::Error::other(format!("line {} is not `name:kind:hash`", at + 1));
            User::parse(line).ok_or_else(fault)
        });
        users.collect::<io::Result<_>>().map(Self)
    }

    pub fn save(&self, path: &Path) -> Result<(), UsersError> {
        let line = |user: &User| format!("{}:{}:{}\n", user.name, user.kind.name(), user.hash);
        Ok(write_private(path, &self.0.iter().map(line).collect::<String>())?)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.0.iter()
    }

    pub fn has_people(&self) -> bool {
        self.0.iter().any(|user| user.kind == UserKind::Person)
    }

    pub fn find(&self, name: &str) -> Option<&User> {
        self.0.iter().find(|user| user.name == name)
    }

    /// The service whose token this is.
    pub fn service(&self, token: &str) -> Option<&User> {
        let shown = fingerprint(token);
        let mut services = self.0.iter().filter(|user| user.kind == UserKind::Service);
        services.find(|user| user.token_hash().is_some_and(|known| same(&known, &shown)))
    }

    /// Adds a person, or gives one that is there another password.
    pub fn set_password(&mut self, name: &str, password: &str) -> Result<(), UsersError> {
        if password.chars().count() < PASSWORD_CHARS {
            let detail = format!("A password has at least {PASSWORD_CHARS} characters. Nothing was changed.");
            return Err(UsersError::Refused(detail));
        }
        let salt = SaltString::encode_b64(&from_hex(&random()?).unwrap_or_default()[..16]);
        let hash =
            salt.and_then(|salt| Argon2::default().hash_password(password.as_bytes(), &salt).map(|h| h.to_string()));
        let hash = hash.map_err(|error| UsersError::Refused(format!("The password could not be kept: {error}.")))?;
        self.put(name, UserKind::Person, hash)
    }

    /// Adds a service, or replaces its token; the token is told here and never again.
    pub fn set_token(&mut self, name: &str) -> Result<String, UsersError> {
        let token = token()?;
        self.put(name, UserKind::Service, fingerprint(&token).hex())?;
        Ok(token)
    }

    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|user| user.name != name);
        self.0.len() < before
    }

    fn put(&mut self, name: &str, kind: UserKind, hash: String) -> Result<(), UsersError> {
        check_name(name).map_err(UsersError::Refused)?;
        if self.find(name).is_some_and(|known| known.kind != kind) {
            let detail =
                format!("`{name}` is there already, as a different kind. Remove it first, or take another name.");
            return Err(UsersError::Refused(detail));
        }
        self.remove(name);
        self.0.push(User { name: name.into(), kind, hash });
        Ok(())
    }
}

impl User {
    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.splitn(3, ':');
        let (name, kind, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let kind = [UserKind::Person, UserKind::Service].into_iter().find(|known| known.name() == kind)?;
        check_name(name).ok()?;
        (!hash.is_empty()).then(|| Self { name: name.into(), kind, hash: hash.into() })
    }

    pub fn actor(&self) -> Actor {
        let kind = match self.kind {
            UserKind::Person => ActorKind::Person,
            UserKind::Service => ActorKind::Service,
        };
        Actor { kind, name: self.name.clone() }
    }

    /// Changes with the password or the token.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.hash)
    }

    fn token_hash(&self) -> Option<Fingerprint> {
        from_hex(&self.hash)?.try_into().ok().map(Fingerprint)
    }
}

impl UserKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
        }
    }
}

/// Whether this is the person's password. For a name that nobody has it takes as long, so that the time tells nothing.
pub fn is_password(user: Option<&User>, password: &str) -> bool {
    let person = user.filter(|user| user.kind == UserKind::Person);
    match person.and_then(|user| PasswordHash::new(&user.hash).ok()) {
        Some(hash) => Argon2::default().verify_password(password.as_bytes(), &hash).is_ok(),
        None => {
            let mut unused = [0; 32];
            let _ = Argon2::default().hash_password_into(password.as_bytes(), b"nobody's salt", &mut unused);
            false
        }
    }
}

/// What a name may be, so that it is told from others and from what stands around it.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_alphanumeric() || "._-@+ ".contains(c);
    if name.is_empty() || name.trim() != name || name.chars().count() > NAME_CHARS || !name.chars().all(fits) {
        return Err(format!(
            "`{}` can't be a name: it has 1 to {NAME_CHARS} letters, digits, blanks inside, or any of . _ - @ +",
            name.escape_debug()
        ));
    }
    if name == Actor::local().name {
        return Err(format!("`{name}` is the name of whoever runs this server. Take another one."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_have_passwords_and_services_tokens_and_the_file_holds_neither() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        let mut users = Users::load(&path).unwrap();
        assert!(users.is_empty());
        users.set_password("anna", "correct horse").unwrap();
        let token = users.set_token("nightly").unwrap();
        users.save(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("correct horse") && !text.contains(&token), "{text}");

        let users = Users::load(&path).unwrap();
        let anna = users.find("anna");
        assert!(is_password(anna, "correct horse") && !is_password(anna, "correct hors") && !is_password(None, ""));
        assert!(!is_password(users.find("nightly"), &token), "a token is no password");
        assert_eq!(users.service(&token).map(|user| user.name.as_str()), Some("nightly"));
        assert_eq!(users.service("0"), None);
    }

    #[test]
    fn a_new_password_or_token_ends_the_one_before() {
        let mut users = Users::default();
        users.set_password("anna", "correct horse").unwrap();
        let before = users.find("anna").unwrap().fingerprint();
        users.set_password("anna", "battery staple").unwrap();
        assert!(!same(&users.find("anna").unwrap().fingerprint(), &before));
        let token = users.set_token("ci").unwrap();
        users.set_token("ci").unwrap();
        assert_eq!((users.service(&token), users.iter().count()), (None, 2));
        assert!(users.set_token("anna").is_err() && users.set_password("ci", "long enough it is").is_err());
        assert!(users.remove("anna") && !users.remove("anna"));
    }

    #[test]
    fn a_name_is_nothing_that_could_be_read_as_something_else() {
        for name in ["anna", "Anna Müller", "a.b@example.org", "李"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", " anna", "a:b", "a\nb", "*", "local", "a/b", "a\u{202e}b", &"x".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(matches!(Users::default().set_password("anna", "short"), Err(UsersError::Refused(_))));
        for text in ["anna", "anna:admin:x", "anna:person:", "local:person:x"] {
            let error = Users::parse(&format!("# ours\n\n{text}")).unwrap_err().to_string();
            assert!(error.contains("line 3"), "{error}");
        }
    }
}
