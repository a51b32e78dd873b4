const test = require('node:test');
const assert = require('node:assert');
const { describe, it } = test;

test('area # of a rectangle', () => {
  assert.strictEqual(2 + 3, 6);
});

test('parent', async (t) => {
  await t.test('child passes', () => {});
  await t.test('child fails', () => {
    throw new Error('no\nheight');
  });
});

describe('suite', () => {
  it('in a suite', () => {});
  it('is skipped', { skip: 'no ruler' }, () => {});
  it('is to do', { todo: true }, () => {
    throw new Error('later');
  });
});
