class Area {
    int area(int width, int height) {
        String unused = width * height;
        return widht;
    }
}
