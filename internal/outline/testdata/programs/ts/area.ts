function area(width: number, height: number): string {
  return width * height;
}

area("2", 3);
