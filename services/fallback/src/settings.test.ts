import { expect, it } from 'vitest';
import { readSettings } from './settings.ts';

it('takes what is set, and what is usual for the rest', () => {
  const settings = readSettings({
    SKOLO_FALLBACK_BOOT_SECONDS: '60',
    SKOLO_FALLBACK_READY_SECONDS: '',
  });

  expect(settings).toMatchObject({ bootSeconds: 60, readySeconds: 90, silentSeconds: 180 });
});

it.each(['soon', '-1', '1e9'])('rejects %s, and says where it is set', (value) => {
  expect(() => readSettings({ SKOLO_FALLBACK_BOOT_SECONDS: value })).toThrow(
    /^SKOLO_FALLBACK_BOOT_SECONDS: .*\/etc\/default\/skolo-fallback$/,
  );
});
