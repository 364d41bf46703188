/** `@skolo/secret-store/check`: whether values are what they should be, and open what they should. */
export { contentFault } from './content.ts';
export { checkSignIns, loginCredentials } from './sign-in.ts';
