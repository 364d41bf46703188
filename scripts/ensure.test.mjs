import { describe, expect, it } from 'vitest';
import { isInstalled, nodeComplaint } from './ensure.mjs';

describe('the version of Node', () => {
  it.each(['20.0.0', '20.20.2', '22.0.0', '24.1.0'])('%s will do', (version) => {
    expect(nodeComplaint(version, '>=20')).toBeUndefined();
  });

  it.each(['18.20.4', '19.9.0', '8.0.0'])('%s is too old', (version) => {
    expect(nodeComplaint(version, '>=20')).toContain(
      `Node 20 or newer is required; this is ${version} (`,
    );
  });

  it('must be asked for in a form that is understood', () => {
    expect(() => nodeComplaint('20.19.0', '^20')).toThrow('engines.node');
  });
});

describe('whether the dependencies are installed', () => {
  const zod = { version: '4.6.7', integrity: 'sha512-abc' };
  const link = { resolved: 'packages/api', link: true };
  const lock = {
    packages: {
      '': { version: '0.1.0' },
      'packages/api': { version: '0.1.0' },
      'node_modules/@skolo/api': link,
      'node_modules/zod': zod,
      'node_modules/@turbo/darwin-arm64': { version: '2.11.9', optional: true },
    },
  };
  const installed = {
    packages: {
      'packages/api': { version: '0.1.0' },
      'node_modules/@skolo/api': link,
      'node_modules/zod': zod,
    },
  };

  /** @param {Record<string, object>} changes */
  function withPackages(changes) {
    return { packages: { ...installed.packages, ...changes } };
  }

  it('yes, when all is there but what is for other machines', () => {
    expect(isInstalled(lock, installed)).toBe(true);
  });

  it('yes, wherever npm says that a package came from', () => {
    const resolved = 'https://registry.example/zod-4.6.7.tgz';

    expect(isInstalled(lock, withPackages({ 'node_modules/zod': { ...zod, resolved } }))).toBe(
      true,
    );
  });

  it.each([
    ['another version', { 'node_modules/zod': { ...zod, version: '4.6.6' } }],
    ['another content', { 'node_modules/zod': { ...zod, integrity: 'sha512-xyz' } }],
    ['a link elsewhere', { 'node_modules/@skolo/api': { ...link, resolved: 'packages/common' } }],
    ['one that the lock file has dropped', { 'node_modules/left-pad': { version: '1.0.0' } }],
  ])('no, with %s', (_what, changes) => {
    expect(isInstalled(lock, withPackages(changes))).toBe(false);
  });

  it.each(['node_modules/zod', 'node_modules/@skolo/api'])('no, without %s', (path) => {
    const packages = Object.fromEntries(
      Object.entries(installed.packages).filter(([name]) => name !== path),
    );

    expect(isInstalled(lock, { packages })).toBe(false);
  });
});
