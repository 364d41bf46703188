/** Pages that do not keep the rules of prose.mjs yet. */
export const unrevised = [];
