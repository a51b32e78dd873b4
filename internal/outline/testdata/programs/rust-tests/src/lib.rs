/// ```
/// assert_eq!(areas::area(2, 3), 6);
/// ```
pub fn area(w: i32, h: i32) -> i32 {
    w * h
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_square() {
        assert_eq!(area(2, 2), 4);
    }

    #[test]
    fn of_a_circle() {
        println!("about to fail");
        assert_eq!(area(3, 3), 28, "as if it were one");
    }

    #[test]
    #[ignore = "not yet"]
    fn of_a_sphere() {}

    #[test]
    #[should_panic]
    fn of_nothing() {
        area(0, 0);
    }

    #[test]
    #[should_panic]
    fn overflows() {
        area(i32::MAX, i32::MAX);
    }

    #[test]
    fn tells() -> Result<(), String> {
        Err("no area".into())
    }
}
