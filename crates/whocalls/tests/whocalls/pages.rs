//! Pages of commands with what they say, word for word.

#[test]
fn pages_say_what_they_said() {
    // What is compared lies apart: the other pages are of a folder that holds nothing.
    trycmd::TestCases::new()
        .case("tests/whocalls/pages/*.trycmd")
        .case("tests/whocalls/compared/*.trycmd");
}
