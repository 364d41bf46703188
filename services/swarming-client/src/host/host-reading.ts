/** What is known of the machine itself. What cannot be read here is absent. */
export interface HostReading {
  /** Of the disk of the bot's folder. */
  disk?: { freeBytes: number; sizeBytes: number };
  /** °C of the processor. */
  celsius?: number;
  /** Under-voltage now (a Raspberry Pi's own sensor). */
  isUnderVoltage?: boolean;
  /** The processor is slowed down now, by heat or for want of power. */
  isThrottled?: boolean;
  /** Its clock minus the jumphost's, in seconds. */
  clockOffsetSeconds?: number;
}
