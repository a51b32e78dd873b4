function area(width, height) {
  var unused = 1;
  return width * hieght;
}
