import { expect, it } from 'vitest';
import { rejectedBy } from './sign-in-error.ts';

function messageOf(message: string): string {
  return rejectedBy('Google', 403, { error: { status: 'PERMISSION_DENIED', message } }).message;
}

it('shows the address that Google gives for a remedy', () => {
  const address =
    'https://console.developers.google.com/apis/api/iamcredentials.googleapis.com/overview';

  expect(messageOf(`API disabled. Visit ${address}?project=123456789 and retry.`)).toContain(
    `Visit ${address}?project=123456789 and retry.`,
  );
});

it.each([
  `ya29.${'a'.repeat(60)}`,
  `https://hooks.example.com/${'a'.repeat(60)}`,
  `https://google.com.example.com/${'a'.repeat(60)}`,
  `https://oauth2.googleapis.com/token?assertion=${'a'.repeat(60)}`,
])('hides what may be a token in %s', (text) => {
  const message = messageOf(`rejected ${text}`);

  expect(message).toContain('<secret>');
  expect(message).not.toContain('a'.repeat(60));
});
