import { describe, expect, it } from 'vitest';
import { PowerCycleDaemon } from './power-cycle-daemon.ts';

describe('where the power-cycle daemon is', () => {
  it.each([
    { title: 'at its own port', known: 'http://192.168.1.8:9210', port: undefined },
    { title: 'where rack.yaml says', known: 'https://power.example.com', port: 30_010 },
    { title: 'nowhere, before the rack is known', known: undefined, port: 30_010 },
  ])('$title', ({ known, port }) => {
    const daemon = new PowerCycleDaemon(() => known, port);

    expect(daemon.urls()).toEqual(known === undefined ? [] : [known]);
    expect(daemon.url()).toBe(known);
  });

  it('on a node of k3s at its second port, or at its own where only that one answers', () => {
    const daemon = new PowerCycleDaemon(() => 'https://192.168.1.8:9210', 30_010);
    const urls = ['https://192.168.1.8:30010', 'https://192.168.1.8:9210'];

    expect(daemon.urls()).toEqual(urls);
    expect(daemon.url()).toBe(urls[0]);
    daemon.hasAnswered('https://192.168.1.8:9210');
    expect(daemon.urls()).toEqual(urls);
    expect(daemon.url()).toBe(urls[1]);
  });

  it('no longer where it answered before it moved', () => {
    let known = 'http://192.168.1.8:9210';
    const daemon = new PowerCycleDaemon(() => known);
    daemon.hasAnswered(known);

    known = 'http://192.168.1.9:9210';

    expect(daemon.url()).toBe(known);
  });
});
