/** `@skolo/fleet/secret-store/check`: checks that values are valid and accepted. */
export { contentFault } from './content.ts';
export { checkSignIns, loginCredentials } from './sign-in.ts';
