export { inOneProcess as default } from '../../vitest.shared.ts';
