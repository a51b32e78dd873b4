pub fn area(width: u32, height: u32) -> u32 {
    width + height
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_by_three() {
        assert_eq!(super::area(2, 3), 6);
    }
}
