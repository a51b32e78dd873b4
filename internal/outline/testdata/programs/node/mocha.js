const assert = require('assert');

describe('area', () => {
  it('of a rectangle', () => assert.strictEqual(2 + 3, 6));
  it('of a square', () => {});
  it.skip('of a circle', () => {});
});
