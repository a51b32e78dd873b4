describe('area', () => {
  test('of a rectangle', () => expect(2 + 3).toBe(6));
  test('of a square', () => {});
  test.skip('of a circle', () => {});
});
