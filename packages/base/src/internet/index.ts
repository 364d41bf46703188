/** Requests to the internet: one way for all, through the proxy of the environment. */
export { internetFetch } from './fetch.ts';
export { type Fetch, fetchOver } from './fetch-over.ts';
export { networkReason } from './network-error.ts';
export { hostOf, portOf, proxyFor, setLibraryProxy, throughProxy } from './proxy.ts';
export { overTls } from './way.ts';
