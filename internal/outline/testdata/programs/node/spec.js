const assert = require('assert');

function area(w, h) {
  if (w < 0) throw new RangeError('negative');
  return w + h;
}

describe('area', () => {
  describe('of a rectangle', () => {
    it('is a product', () => {
      assert.strictEqual(area(2, 3), 6);
    });
    it('has a sign', () => {
      area(-1, 3);
    });
  });
});

it('stands alone', () => {
  assert.deepStrictEqual({ a: [1] }, { a: [2] });
});
