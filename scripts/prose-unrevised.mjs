/** Pages that do not keep the rules of prose.mjs yet. */
export const unrevised = [
  'ARCHITECTURE.md',
  'docs/images.md',
  'kube/racks/rack4/derived/README.md',
  'packages/common/README.md',
  'packages/durable/README.md',
  'packages/rack/README.md',
];
