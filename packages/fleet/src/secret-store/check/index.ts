/** `@skolo/fleet/secret-store/check`: checks that values are valid and accepted. */
export { contentFault } from './content.ts';
export { checkSignIns, storedValue } from './sign-in.ts';
