use super::testing::*;

#[test]
fn a_file_that_was_made_is_listed() {
    let place = Place::new();
    place.write("a", "x").unwrap();

    assert_eq!(place.listed(), ["created a"]);
}
