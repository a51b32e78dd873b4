import assert from 'node:assert';

function check(area) {
  assert.strictEqual(area, 6);
}

check(5);
