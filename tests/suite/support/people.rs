//! A server that several people share: Anna and Ben with passwords, and a service with a token.

use std::path::Path;

use cowork::access::Users;

use super::{
    http::Api,
    server::{Server, Setup},
    soon,
};

pub const ANNA: &str = "anna's long password";
pub const BEN: &str = "ben's long password";

/// Each of them at work.
pub struct Team {
    pub anna: Api,
    pub ben: Api,
    pub service: Api,
}

pub fn setup() -> Setup {
    Setup { people: write, ..Setup::default() }
}

fn write(data: &Path) {
    let mut users = Users::default();
    users.set_password("anna", ANNA).unwrap();
    users.set_password("ben", BEN).unwrap();
    users.save(&data.join("users")).unwrap();
}

impl Team {
    /// Signs in each of them. The service's token is told when it is made, so it is made now.
    pub async fn join(server: &Server) -> Self {
        let mut users = Users::load(&server.data.join("users")).unwrap();
        let token = users.set_token("nightly").unwrap();
        let changed = server.access.changes();
        users.save(&server.data.join("users")).unwrap();
        taken_over(changed).await;
        let anna = server.api.with_cookie(&cookie(server, "anna", ANNA).await);
        let ben = server.api.with_cookie(&cookie(server, "ben", BEN).await);
        Self { anna, ben, service: server.api.showing(&token) }
    }
}

async fn taken_over(mut changed: tokio::sync::watch::Receiver<u64>) {
    soon("the look at the files", changed.changed()).await.unwrap();
}

pub async fn change_password(server: &Server, name: &str) {
    change(server, |users| users.set_password(name, "quite another password").unwrap()).await;
}

pub async fn remove(server: &Server, name: &str) {
    change(server, |users| assert!(users.remove(name))).await;
}

async fn change(server: &Server, how: impl FnOnce(&mut Users)) {
    let mut users = Users::load(&server.data.join("users")).unwrap();
    how(&mut users);
    let changed = server.access.changes();
    users.save(&server.data.join("users")).unwrap();
    taken_over(changed).await;
}

pub fn cookie_name(server: &Server) -> String {
    format!("cowork_{}", server.address.port())
}

/// The cookie of a browser that signs in with a password, as `name=value`.
pub async fn cookie(server: &Server, name: &str, password: &str) -> String {
    let answer = server.api.nobody().form("/sign-in", &[("name", name), ("password", password)]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"), "{answer:?}");
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}
