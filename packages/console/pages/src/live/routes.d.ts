/** Made by vite.config.ts. */
declare module 'virtual:routes' {
  type Apis = import('./api.ts').Apis;
  /** Method and path. */
  export const routes: {
    readonly [S in keyof Apis]: { readonly [N in keyof Apis[S]]: readonly [string, string] };
  };
}
