/** Types of the routes that vite.config.ts builds into the pages. */
declare module 'virtual:routes' {
  type Apis = import('./api.ts').Apis;
  type Route = import('./api.ts').Route;
  export const routes: {
    readonly [S in keyof Apis]: { readonly [N in keyof Apis[S]]: Route };
  };
}
