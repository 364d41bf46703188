/** What is said in a session, for a transcript: as it was said, but for the secrets of its login. */

/** Told everything in the order in which it was said. One character for each byte. */
export type OnTranscript = (from: 'us' | 'device', text: string) => void;

/** Of each transport. */
export interface Recorded {
  /**
   * Told what is sent, before it is sent: if it throws, nothing is. Secrets of the login are `<secret>`. Command lines also tell
   * what the device says: everything, as it is said, one character for each byte; files and streams by their size.
   */
  onTranscript?: OnTranscript | undefined;
  /** Nothing is sent, and nobody connects: `onTranscript` is told what would be, and each response is empty. */
  dry?: true | undefined;
}

/** Passes on what is said. A secret that the device says is hidden, too, however its bytes were cut into packets. */
export class Transcript {
  private readonly onTranscript: OnTranscript;
  /** The longest first, since one may be part of another. */
  private readonly secrets: readonly string[];
  private held = '';

  constructor(onTranscript: OnTranscript, secrets: readonly string[]) {
    this.onTranscript = onTranscript;
    this.secrets = secrets
      .filter((secret) => secret !== '')
      .map((secret) => Buffer.from(secret).toString('latin1'))
      .sort((a, b) => b.length - a.length);
  }

  say(text: string): void {
    this.end();
    this.onTranscript('us', this.without(text));
  }

  receive(text: string): void {
    const heard = this.without(this.held + text);
    const kept = this.beginOfSecret(heard);
    this.held = heard.slice(heard.length - kept);
    if (heard.length > kept) this.onTranscript('device', heard.slice(0, heard.length - kept));
  }

  /** Nothing more comes, or not at once. */
  end(): void {
    const { held } = this;
    this.held = '';
    if (held !== '') this.onTranscript('device', held);
  }

  private without(text: string): string {
    return this.secrets.reduce((rest, secret) => rest.replaceAll(secret, '<secret>'), text);
  }

  /** How many characters at its end may become a secret with what comes next. */
  private beginOfSecret(text: string): number {
    const longest = Math.min(text.length, (this.secrets[0]?.length ?? 1) - 1);
    for (let length = longest; length > 0; length -= 1) {
      const end = text.slice(-length);
      if (this.secrets.some((secret) => secret.length > length && secret.startsWith(end))) {
        return length;
      }
    }
    return 0;
  }
}
