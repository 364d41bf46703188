import type { SecretStore } from '../../stores/store.ts';

/** Calls `effect` before and after each write, and before each removal: a rotation may be cut off there. */
export function interruptibleStore(plain: SecretStore, effect: () => void): SecretStore {
  return {
    ...plain,
    async write(...args) {
      effect();
      await plain.write(...args);
      effect();
    },
    async remove(place) {
      effect();
      await plain.remove(place);
    },
  };
}
