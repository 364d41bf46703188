/** The console over a generated rack, and a browser to look at it. */
export { type Browser, openBrowser, signIn } from './browser.ts';
export { type Fixture, startFixture } from './fixture.ts';
