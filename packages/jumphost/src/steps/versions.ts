/** Versions that are installed where there is none. */

/** https://nodejs.org/dist */
export const nodeVersion = '24.21.0';
/** https://github.com/k3s-io/k3s/releases */
export const k3sVersion = 'v1.32.5+k3s1';
