//! Pages of commands with what they say, word for word.

#[test]
fn pages_say_what_they_said() {
    trycmd::TestCases::new().case("tests/whocalls/pages/*.trycmd");
}
