use tempfile::TempDir;

use super::*;

const HERE: &str = "127.0.0.1";

fn open(settings: config::Access) -> (TempDir, Access) {
    let data = tempfile::tempdir().unwrap();
    let access = Access::open(data.path(), settings).unwrap();
    (data, access)
}

fn with_anna() -> (TempDir, Access) {
    let (data, _) = open(config::Access::default());
    let mut users = Users::default();
    users.set_password("anna", "correct horse").unwrap();
    users.save(&data.path().join(USERS_FILE)).unwrap();
    let access = Access::open(data.path(), config::Access::default()).unwrap();
    (data, access)
}

fn from(address: &str) -> Peer {
    Peer { address: address.parse().unwrap(), name: None }
}

fn shows(access: &Access, peer: &Peer, bearer: Option<&str>, cookie: Option<&str>) -> Result<String, Denied> {
    access.who(&Shown { peer, bearer, cookie }).map(|visitor| visitor.actor.name)
}

#[test]
fn the_token_lets_in_and_nothing_like_it() {
    let (data, access) = open(config::Access::default());
    let token = token(data.path()).unwrap();
    let here = from(HERE);
    assert_eq!(shows(&access, &here, Some(&token), None).as_deref(), Ok("local"));
    assert_eq!(shows(&access, &here, None, None), Err(Denied::Nothing));
    for wrong in ["", &token[1..], &format!("{token}0"), &token.to_uppercase()] {
        assert_eq!(shows(&access, &here, Some(wrong), None), Err(Denied::Wrong), "{wrong}");
    }
    let cookie = access.cookie(&access.who(&Shown { peer: &here, bearer: Some(&token), cookie: None }).unwrap());
    let cookie = cookie.unwrap();
    assert!(!cookie.contains(&token));
    assert_eq!(shows(&access, &here, None, Some(&cookie)).as_deref(), Ok("local"));
    assert_eq!(shows(&access, &here, Some("wrong"), Some(&cookie)), Err(Denied::Wrong), "what is shown must be right");
}

#[test]
fn who_guesses_is_slowed_down_and_who_knows_is_not() {
    let (data, access) = open(config::Access::default());
    let (here, there) = (from(HERE), from("192.0.2.7"));
    let mut answers = (0..100).map(|number| shows(&access, &there, Some(&number.to_string()), None));
    assert!(answers.by_ref().take(guesses::MOST as usize).all(|answer| answer == Err(Denied::Wrong)));
    assert!(answers.all(|answer| matches!(answer, Err(Denied::TooOften(_)))));
    assert_eq!(shows(&access, &here, Some("1"), None), Err(Denied::Wrong), "from elsewhere it is counted apart");
    let token = token(data.path()).unwrap();
    assert_eq!(shows(&access, &there, Some(&token), None).as_deref(), Ok("local"));
}

#[test]
fn another_token_ends_what_the_former_one_began() {
    let (data, access) = open(config::Access::default());
    let (here, before) = (from(HERE), token(data.path()).unwrap());
    let visitor = access.who(&Shown { peer: &here, bearer: Some(&before), cookie: None }).unwrap();
    let (cookie, link) = (access.cookie(&visitor).unwrap(), access.new_link().unwrap());
    assert!(access.is_still_in(&visitor));
    let changes = access.changes();
    let after = rotate_token(data.path()).unwrap();
    access.reload();
    assert!(changes.has_changed().unwrap() && !access.is_still_in(&visitor));
    assert_eq!(shows(&access, &here, Some(&before), None), Err(Denied::Wrong));
    assert_eq!(shows(&access, &here, None, Some(&cookie)), Err(Denied::Wrong));
    assert!(access.launch(link.trim_start_matches("/launch/"), &here).is_err());
    assert_eq!(shows(&access, &here, Some(&after), None).as_deref(), Ok("local"));
}

#[test]
fn a_file_that_does_not_hold_a_token_gets_one() {
    let (data, _) = open(config::Access::default());
    for text in ["", "short", "00ff"] {
        write_private(&data.path().join(TOKEN_FILE), text).unwrap();
        assert_eq!(token(data.path()).unwrap().len(), "cowork_".len() + 64);
    }
}

#[test]
fn a_data_folder_that_is_gone_is_not_made_anew() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("cowork.db.files");
    let access = Access::open(&data, config::Access::default()).unwrap();
    let token = access.token();
    std::fs::remove_dir_all(&data).unwrap();
    access.reload();
    assert!(!data.exists() && access.token() == token);
}

#[tokio::test]
async fn a_password_signs_in_until_it_is_changed() {
    let (data, access) = with_anna();
    let here = from(HERE);
    assert!(access.is_shared() && access.has_passwords());
    let visitor = access.sign_in("anna", "correct horse".into(), &here).await.unwrap();
    assert_eq!((visitor.actor.name.as_str(), visitor.limited_to()), ("anna", Some("anna")));
    let cookie = access.cookie(&visitor).unwrap();
    assert_eq!(shows(&access, &here, None, Some(&cookie)).as_deref(), Ok("anna"));

    let mut users = Users::load(&data.path().join(USERS_FILE)).unwrap();
    users.set_password("anna", "battery staple").unwrap();
    users.save(&data.path().join(USERS_FILE)).unwrap();
    access.reload();
    assert!(!access.is_still_in(&visitor));
    assert_eq!(shows(&access, &here, None, Some(&cookie)), Err(Denied::Wrong));
    for (name, password) in [("anna", "correct horse"), ("ben", "correct horse"), ("local", ""), ("anna", "")] {
        assert_eq!(access.sign_in(name, password.into(), &here).await.err(), Some(Denied::Wrong), "{name}");
    }
}

#[tokio::test]
async fn a_password_is_not_guessed() {
    let (_data, access) = with_anna();
    for _ in 0..guesses::MOST {
        access.guesses.wrong("name anna", Instant::now());
    }
    let right = access.sign_in("anna", "correct horse".into(), &from(HERE)).await;
    assert!(matches!(right, Err(Denied::TooOften(_))), "also the right one waits");
}

#[test]
fn the_lists_of_people_and_networks_hold_for_all_but_the_owner() {
    let (data, access) = open(config::Access {
        proxy: Some(config::Proxy { header: "x-user".into(), addresses: vec!["10.0.0.1/32".parse().unwrap()] }),
        people: vec!["anna".into()],
        networks: vec!["10.0.0.0/8".parse().unwrap()],
        ..config::Access::default()
    });
    let named = |name: &str| Peer { name: Some(name.into()), ..from("10.1.1.1") };
    assert_eq!(shows(&access, &named("anna"), None, None).as_deref(), Ok("anna"));
    assert_eq!(shows(&access, &named("ben"), None, None), Err(Denied::NotListed));
    assert_eq!(shows(&access, &named("local"), None, None), Err(Denied::Wrong), "no proxy makes an owner");
    let token = token(data.path()).unwrap();
    assert_eq!(shows(&access, &from(HERE), Some(&token), None).as_deref(), Ok("local"));
    assert_eq!(shows(&access, &from("192.0.2.7"), Some(&token), None), Err(Denied::NotListed));
}

#[test]
fn a_new_list_of_people_holds_at_once_also_for_those_who_are_in() {
    let proxy = |people: &[&str]| config::Access {
        proxy: Some(config::Proxy { header: "x-user".into(), addresses: vec![HERE.parse::<IpAddr>().unwrap().into()] }),
        people: people.iter().map(|name| (*name).to_owned()).collect(),
        ..config::Access::default()
    };
    let (_data, access) = open(proxy(&["anna", "ben"]));
    let named =
        |name: &'static str| access.peer(HERE.parse().unwrap(), move |header| (header == "x-user").then_some(name));
    let come = |name| access.who(&Shown { peer: &named(name), bearer: None, cookie: None });
    let (anna, ben) = (come("anna").unwrap(), come("ben").unwrap());
    assert!(access.is_still_in(&anna) && access.is_still_in(&ben));
    let changes = access.changes();
    access.set(proxy(&["anna"]));
    assert!(changes.has_changed().unwrap());
    assert!(access.is_still_in(&anna) && !access.is_still_in(&ben));
    assert_eq!((come("anna").is_ok(), come("ben").err()), (true, Some(Denied::NotListed)));
    access.set(config::Access::default());
    assert!(!access.is_still_in(&anna), "the proxy is believed no more");
}
