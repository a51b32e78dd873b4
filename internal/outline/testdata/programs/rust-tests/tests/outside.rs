#[test]
fn from_outside() {
    assert_eq!(areas::area(1, 2), 2);
}
