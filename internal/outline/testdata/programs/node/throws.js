function area(width) {
  throw new TypeError('no height given for width ' + width);
}

area(2);
