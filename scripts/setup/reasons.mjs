/** A vitest setup file: a test is only skipped with a reason, which its `meta` then contains for scripts/report-tests.mjs. */
import { describe, it } from 'vitest';

/** @typedef {import('vitest').TaskMeta & { skipped?: string }} TestMeta */
/** @typedef {(...args: unknown[]) => unknown} Chain `it`, `describe`, or what their `each` returns */

for (const chain of [it, describe]) {
  Object.assign(chain, {
    /** @this {{ skip: Chain }} @param {unknown} why false or undefined: it runs */
    skipIf(why) {
      if (why === undefined || why === false) return this;
      if (typeof why !== 'string') throw new TypeError(`skipIf(${why}): give the reason, as text`);
      return withReason(this.skip, why);
    },
    runIf() {
      throw new TypeError('runIf gives no reason: use skipIf');
    },
  });
}

/**
 * @param {Chain} chain
 * @param {string} why
 * @returns {Chain}
 */
function withReason(chain, why) {
  return new Proxy(chain, {
    apply(target, _self, [name, ...rest]) {
      const run = rest.find((each) => typeof each === 'function');
      return target(name, { meta: { skipped: why } }, run);
    },
    get(target, key) {
      const own = Reflect.get(target, key);
      if (typeof own !== 'function') return own;
      if (key !== 'each' && key !== 'for') return withReason(own, why);
      return (/** @type {unknown[]} */ ...cases) => withReason(own.apply(target, cases), why);
    },
  });
}
