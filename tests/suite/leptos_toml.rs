//! `Leptos.toml` is inside the binary; cargo-leptos builds by `Cargo.toml`. Where both say something they agree.

use toml::{Table, Value};

fn options(text: &str) -> Table {
    let file: Value = toml::from_str(text).unwrap();
    file["package"]["metadata"]["leptos"].as_table().unwrap().clone()
}

#[test]
fn the_options_at_run_time_are_those_of_the_build() {
    let build = options(include_str!("../../Cargo.toml"));
    let run = options(include_str!("../../Leptos.toml"));
    let shared: Vec<_> = run.iter().filter(|(name, _)| build.contains_key(*name)).collect();
    assert!(shared.len() >= 4, "{shared:?}");
    for (name, value) in shared {
        assert_eq!(build.get(name), Some(value), "{name}");
    }
}
