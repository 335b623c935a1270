//! Who is asking. What a request shows goes in, a [`Visitor`] or a [`Denied`] comes out; knows no HTTP.
//!
//! One secret stands behind everything: the token in the data folder. It is the password of scripts, it seals the
//! cookies of browsers, and replacing it signs everybody out. Where people share a server, a proxy names them, or a
//! users file knows their passwords.

mod cookie;
mod guesses;
mod links;
mod network;
mod secret;
mod users;

use std::{
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::{Semaphore, watch};

use crate::{
    config,
    protocol::{Actor, ActorKind},
};
pub use cookie::LIFE as COOKIE_LIFE;
use guesses::Guesses;
use links::Links;
pub use network::Peer;
pub use secret::write_private;
use secret::{Fingerprint, fingerprint, same};
pub use users::{User, UserKind, Users, UsersError, check_name};

/// In the data folder.
const TOKEN_FILE: &str = "token";
const USERS_FILE: &str = "users";
/// How often the two files are looked at: what was taken back ends within a second.
pub const LOOK_EVERY: Duration = Duration::from_millis(400);
/// Each check of a password takes 19 MiB and a while of one processor.
const PASSWORDS_AT_ONCE: usize = 2;

/// One who may come in.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub actor: Actor,
    proof: Proof,
    /// The name whose sessions are shown; `None` where one person has the server alone, and all of them are theirs.
    limited_to: Option<String>,
}

#[derive(Clone, Copy, Debug)]
enum Proof {
    /// The fingerprint of the secret that stands behind it.
    Cookie(Fingerprint),
    Token(Fingerprint),
    Proxy,
}

impl Visitor {
    /// Whose sessions they see; `None` for all.
    pub fn limited_to(&self) -> Option<&str> {
        self.limited_to.as_deref()
    }

    /// Whether the browser showed it by itself, so that a page of another site could have made it do so.
    pub fn is_ambient(&self) -> bool {
        !matches!(self.proof, Proof::Token(_))
    }

    /// Whoever runs the server.
    pub fn is_owner(&self) -> bool {
        self.actor == Actor::local()
    }
}

/// What a request shows of who sent it.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Where the request came from, in the end.
    pub peer: &'a Peer,
    pub bearer: Option<&'a str>,
    pub cookie: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Nothing was shown.
    Nothing,
    /// What was shown is wrong, or was taken back, or its time has passed.
    Wrong,
    /// Too much of what was shown was wrong.
    TooOften(Duration),
    /// Known, and not on the list; or from a network that is not on it.
    NotListed,
}

struct Secrets {
    token: String,
    users: Users,
}

pub struct Access {
    settings: RwLock<Arc<config::Access>>,
    token_file: PathBuf,
    users_file: PathBuf,
    secrets: RwLock<Arc<Secrets>>,
    /// What the two files looked like before they were read first.
    first_seen: Stamps,
    links: Links,
    guesses: Guesses,
    checks: Semaphore,
    changed: watch::Sender<u64>,
}

impl Access {
    /// `data` is the folder of the database; a token is made where there is none.
    pub fn open(data: &Path, settings: config::Access) -> io::Result<Self> {
        let token_file = data.join(TOKEN_FILE);
        let users_file = users_file(data, &settings);
        // Made, if it has to be, before it is looked at.
        token(data)?;
        let first_seen = stamps(&token_file, &users_file);
        let secrets = Arc::new(Secrets { token: token(data)?, users: Users::load(&users_file)? });
        Ok(Self {
            settings: RwLock::new(Arc::new(settings)),
            token_file,
            users_file,
            secrets: RwLock::new(secrets),
            first_seen,
            links: Links::default(),
            guesses: Guesses::default(),
            checks: Semaphore::new(PASSWORDS_AT_ONCE),
            changed: watch::Sender::new(0),
        })
    }

    /// The secret that stands behind it all, for those who keep it out of what they write.
    pub fn token(&self) -> String {
        self.secrets().token.clone()
    }

    /// Whether others than this machine's own user can show who they are.
    pub fn is_shared(&self) -> bool {
        self.settings().proxy.is_some() || !self.secrets().users.is_empty()
    }

    /// Whether there is somebody to sign in with a password.
    pub fn has_passwords(&self) -> bool {
        self.secrets().users.has_people()
    }

    pub fn has_proxy(&self) -> bool {
        self.settings().proxy.is_some()
    }

    /// Who the connection speaks for, by what a proxy says of it.
    pub fn peer<'a>(&self, from: IpAddr, header: impl Fn(&str) -> Option<&'a str>) -> Peer {
        network::peer(self.settings().proxy.as_ref(), from, header)
    }

    /// Whether this is the proxy that is believed.
    pub fn is_proxy(&self, from: IpAddr) -> bool {
        network::believed(self.settings().proxy.as_ref(), from).is_some()
    }

    pub fn who(&self, shown: &Shown<'_>) -> Result<Visitor, Denied> {
        if !network::is_listed(&self.settings().networks, shown.peer.address) {
            return Err(Denied::NotListed);
        }
        let visitor = match (shown.bearer, &shown.peer.name, shown.cookie) {
            (Some(token), ..) => self.by_token(token, shown.peer.address)?,
            (None, Some(name), _) => self.by_proxy(name)?,
            (None, None, Some(cookie)) => self.by_cookie(cookie, shown.peer.address)?,
            (None, None, None) => return Err(Denied::Nothing),
        };
        self.listed(visitor)
    }

    fn by_token(&self, token: &str, from: IpAddr) -> Result<Visitor, Denied> {
        let secrets = self.secrets();
        let known = fingerprint(&secrets.token);
        if same(&known, &fingerprint(token)) {
            return Ok(self.visitor(Actor::local(), Proof::Token(known)));
        }
        let service = secrets.users.service(token).ok_or_else(|| self.wrong(from))?;
        Ok(self.visitor(service.actor(), Proof::Token(service.fingerprint())))
    }

    fn by_cookie(&self, value: &str, from: IpAddr) -> Result<Visitor, Denied> {
        let secrets = self.secrets();
        let found = cookie::claimed_name(value).and_then(|name| secrets.find(&name));
        let (actor, known) = found.ok_or_else(|| self.wrong(from))?;
        if !cookie::is_sealed(value, &secrets.token, &actor.name, &known, SystemTime::now()) {
            return Err(self.wrong(from));
        }
        Ok(self.visitor(actor, Proof::Cookie(known)))
    }

    fn by_proxy(&self, name: &str) -> Result<Visitor, Denied> {
        users::check_name(name).map_err(|_| Denied::Wrong)?;
        Ok(self.visitor(Actor { kind: ActorKind::Person, name: name.into() }, Proof::Proxy))
    }

    fn visitor(&self, actor: Actor, proof: Proof) -> Visitor {
        let limited_to = self.is_shared().then(|| actor.name.clone());
        Visitor { actor, proof, limited_to }
    }

    fn listed(&self, visitor: Visitor) -> Result<Visitor, Denied> {
        if self.is_listed(&visitor) { Ok(visitor) } else { Err(Denied::NotListed) }
    }

    fn is_listed(&self, visitor: &Visitor) -> bool {
        let people = &self.settings().people;
        people.is_empty() || visitor.is_owner() || people.contains(&visitor.actor.name)
    }

    /// Counts a wrong one, and says whether there were too many.
    fn wrong(&self, from: IpAddr) -> Denied {
        let (key, now) = (from.to_string(), Instant::now());
        let wait = self.guesses.wait(&key, now);
        self.guesses.wrong(&key, now);
        wait.map_or(Denied::Wrong, Denied::TooOften)
    }

    /// Whether what let a visitor in is still what it was.
    pub fn is_still_in(&self, visitor: &Visitor) -> bool {
        let holds = match visitor.proof {
            Proof::Proxy => self.has_proxy(),
            Proof::Cookie(shown) | Proof::Token(shown) => {
                self.secrets().find(&visitor.actor.name).is_some_and(|(_, known)| same(&known, &shown))
            }
        };
        holds && self.is_listed(visitor)
    }

    /// Who may come in from now on, and how. The file of users stays the one that it was.
    pub fn set(&self, settings: config::Access) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        self.changed.send_modify(|count| *count += 1);
    }

    fn settings(&self) -> Arc<config::Access> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Moves whenever somebody may have been shut out.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The cookie's value for a browser whose visitor is known; `None` for those whom a proxy names each time.
    pub fn cookie(&self, visitor: &Visitor) -> Option<String> {
        let (Proof::Cookie(known) | Proof::Token(known)) = &visitor.proof else { return None };
        Some(cookie::seal(&self.secrets().token, &visitor.actor.name, known, SystemTime::now()))
    }

    /// The path of a new launch link.
    pub fn new_link(&self) -> io::Result<String> {
        Ok(format!("/launch/{}", self.links.issue(Instant::now())?))
    }

    pub fn launch(&self, secret: &str, peer: &Peer) -> Result<Visitor, Denied> {
        if !network::is_listed(&self.settings().networks, peer.address) {
            return Err(Denied::NotListed);
        }
        if !self.links.take(secret, Instant::now()) {
            return Err(self.wrong(peer.address));
        }
        Ok(self.visitor(Actor::local(), Proof::Token(fingerprint(&self.secrets().token))))
    }

    pub async fn sign_in(&self, name: &str, password: String, peer: &Peer) -> Result<Visitor, Denied> {
        if !network::is_listed(&self.settings().networks, peer.address) {
            return Err(Denied::NotListed);
        }
        let keys = [format!("name {name}"), format!("password from {}", peer.address)];
        let now = Instant::now();
        if let Some(wait) = keys.iter().filter_map(|key| self.guesses.wait(key, now)).max() {
            return Err(Denied::TooOften(wait));
        }
        // Closed only with the server.
        let _place = self.checks.acquire().await.map_err(|_| Denied::Wrong)?;
        let user = self.secrets().users.find(name).cloned();
        let (asked, shown) = (user.clone(), password);
        let check = tokio::task::spawn_blocking(move || users::is_password(asked.as_ref(), &shown));
        match user.filter(|user| user.kind == UserKind::Person) {
            Some(user) if check.await.unwrap_or(false) => {
                self.listed(self.visitor(user.actor(), Proof::Cookie(user.fingerprint())))
            }
            _ => {
                keys.iter().for_each(|key| self.guesses.wrong(key, now));
                Err(Denied::Wrong)
            }
        }
    }

    /// Looks at the two files for as long as the server runs, and takes over what was changed.
    pub async fn keep_current(self: Arc<Self>) {
        let mut seen = self.first_seen;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = stamps(&self.token_file, &self.users_file);
            if now != seen {
                seen = now;
                self.reload();
            }
        }
    }

    /// A users file that can't be read keeps everybody out whom it would have let in.
    fn reload(&self) {
        let data = self.token_file.parent().unwrap_or(Path::new("."));
        // A folder that is gone is not made anew: nobody would look for a secret there.
        let token = match std::fs::metadata(data).and_then(|_| token(data)) {
            Ok(token) => token,
            Err(error) => return tracing::error!(%error, "the token can't be read; the one before stays"),
        };
        let users = Users::load(&self.users_file).unwrap_or_else(|error| {
            tracing::error!(%error, file = %self.users_file.display(), "the users file can't be read; nobody in it gets in");
            Users::default()
        });
        if token != self.secrets().token {
            self.links.forget_all();
        }
        *self.secrets.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Secrets { token, users });
        self.changed.send_modify(|count| *count += 1);
        tracing::info!("who may sign in was read again");
    }

    fn secrets(&self) -> Arc<Secrets> {
        self.secrets.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Secrets {
    /// The one of this name, and the fingerprint of the secret that lets them in.
    fn find(&self, name: &str) -> Option<(Actor, Fingerprint)> {
        if name == Actor::local().name {
            return Some((Actor::local(), fingerprint(&self.token)));
        }
        self.users.find(name).map(|user| (user.actor(), user.fingerprint()))
    }
}

/// Time and number of each of the two files: a file that was replaced has another number.
type Stamps = [Option<(SystemTime, u64)>; 2];

fn stamps(token: &Path, users: &Path) -> Stamps {
    [token, users].map(|path| {
        let file = std::fs::metadata(path).ok()?;
        Some((file.modified().ok()?, std::os::unix::fs::MetadataExt::ino(&file)))
    })
}

/// The token of a data folder; it is made where there is none.
pub fn token(data: &Path) -> io::Result<String> {
    match std::fs::read_to_string(data.join(TOKEN_FILE)) {
        Ok(text) if secret::is_token(text.trim()) => Ok(text.trim().to_owned()),
        Ok(_) => rotate_token(data),
        Err(error) if error.kind() == io::ErrorKind::NotFound => rotate_token(data),
        Err(error) => Err(error),
    }
}

/// Replaces the token: every browser and script that was signed in by it is not any more.
pub fn rotate_token(data: &Path) -> io::Result<String> {
    let token = secret::token()?;
    write_private(&data.join(TOKEN_FILE), &format!("{token}\n"))?;
    Ok(token)
}

/// Whether others than this machine's own user could show who they are; looks, and makes nothing.
pub fn is_shared(data: &Path, settings: &config::Access) -> io::Result<bool> {
    Ok(settings.proxy.is_some() || !Users::load(&users_file(data, settings))?.is_empty())
}

/// Where the users of a data folder stand.
pub fn users_file(data: &Path, settings: &config::Access) -> PathBuf {
    settings.users_file.clone().unwrap_or_else(|| data.join(USERS_FILE))
}

#[cfg(test)]
mod access_tests;
