// Begins the executable of `skolo`: all files of its bundle are assets in it, and Node reads modules from there.
const { createRequire, registerHooks } = require('node:module');
const { getAsset } = require('node:sea');

/** Where the bundle would be. Nothing is there. */
const folder = 'file:///skolo/dist/';

registerHooks({
  resolve(specifier, context, next) {
    const isOurs = specifier.startsWith(folder) || context.parentURL?.startsWith(folder);
    if (!isOurs || !/^(?:\.\/|file:)/.test(specifier)) return next(specifier, context);
    return { url: new URL(specifier, folder).href, format: 'module', shortCircuit: true };
  },
  load(url, context, next) {
    if (!url.startsWith(folder)) return next(url, context);
    const source = getAsset(url.slice(folder.length), 'utf8');
    return { format: 'module', source, shortCircuit: true };
  },
});
// The main file of an executable has no import() of files.
createRequire(folder)(`${folder}main.js`);
