fn area(width: u32, height: u32) -> u32 {
    let unused = 1;
    width * height
}

fn main() {
    let text: String = area(2, 3);
    println!("{}", text);
}
