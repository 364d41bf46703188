import { describe, expect, it } from 'vitest';
import { differences, type FieldSet, pathsOf, pick, union } from './field-set.ts';

const image = { 'k:{"name":"one"}': { '.': {}, 'f:name': {}, 'f:image': {} } };
const containers: FieldSet = { 'f:spec': { 'f:containers': image } };
const live = {
  spec: {
    containers: [
      { name: 'two', image: 'b:1' },
      { name: 'one', image: 'a:1', imagePullPolicy: 'Always' },
    ],
    replicas: 2,
  },
};

describe('pick', () => {
  it('gives the named fields of the named items, and nothing that the server added', () => {
    expect(pick(live, containers)).toEqual({
      spec: { containers: [{ name: 'one', image: 'a:1' }] },
    });
  });

  it('gives the keys of an item, also where others own them', () => {
    const ports = { 'k:{"port":80,"protocol":"TCP"}': { 'f:port': {} } };

    expect(pick([{ port: 80, protocol: 'TCP', nodePort: 30000 }], ports)).toEqual([
      { port: 80, protocol: 'TCP' },
    ]);
  });

  it('gives items of a set by their value', () => {
    expect(pick(['a', 'b'], { 'v:"b"': {} })).toEqual(['b']);
  });

  it('gives a whole value where nothing is named in it', () => {
    expect(pick(live, { 'f:spec': {} })).toEqual({ spec: live.spec });
  });
});

describe('differences', () => {
  it('finds a changed field, by the keys of its list', () => {
    const planned = { spec: { containers: [{ name: 'one', image: 'a:2' }] } };

    expect(differences(containers, live, planned)).toEqual([
      { path: 'spec.containers[name=one].image', from: 'a:1', to: 'a:2' },
    ]);
  });

  it('names the manager that wrote what is there', () => {
    const planned = { spec: { containers: [{ name: 'one', image: 'a:2' }] } };
    const owner = {
      manager: 'kubectl-set',
      operation: 'Update',
      fieldsV1: { 'f:spec': { 'f:containers': { 'k:{"name":"one"}': { 'f:image': {} } } } },
    };

    expect(differences(containers, live, planned, [owner])).toMatchObject([
      { writtenBy: 'kubectl-set' },
    ]);
  });

  it('shows an item that comes, and one that goes, as one change each', () => {
    const both = union(containers, {
      'f:spec': { 'f:containers': { 'k:{"name":"three"}': { 'f:name': {}, 'f:image': {} } } },
    });
    const planned = { spec: { containers: [{ name: 'three', image: 'c:1' }] } };

    expect(differences(both, live, planned)).toEqual([
      { path: 'spec.containers[name=one]', from: { name: 'one', image: 'a:1' } },
      { path: 'spec.containers[name=three]', to: { name: 'three', image: 'c:1' } },
    ]);
  });

  it('compares values that belong together as a whole', () => {
    const set = { 'f:selector': {} };

    expect(differences(set, { selector: { a: '1' } }, { selector: { a: '1' } })).toEqual([]);
    expect(differences(set, { selector: { a: '1' } }, { selector: { b: '1' } })).toHaveLength(1);
  });
});

it('quotes names with dots in paths', () => {
  expect(pathsOf({ 'f:data': { 'f:rack.yaml': {} } })).toEqual(['data."rack.yaml"']);
});
