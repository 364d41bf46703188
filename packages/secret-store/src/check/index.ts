/** `@skolo/secret-store/check`: whether values are what they should be, and open what they should. */
export { type ContentDeps, contentFault } from './content.ts';
export { checkSignIns, loginCredentials, type SignInCheck, type SignInDeps } from './sign-in.ts';
