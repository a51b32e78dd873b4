import { describe, expect, it } from 'vitest';

function area(w, h) {
  if (w < 0) throw new RangeError('negative');
  return w + h;
}

describe('area', () => {
  it('of a square', () => {});
  it('of a rectangle', () => {
    expect(area(2, 3)).toBe(6);
  });
  it.skip('of a circle', () => {});
  it('has a sign', () => {
    area(-1, 3);
  });
});
